//! Pure time for scheduling: which intervals suit, and which of them suits best.
//!
//! Nothing here asks for the time, a file or the network: what a function needs is given to it.
