//! Adapters of Huddle's ports for a tokio process.
