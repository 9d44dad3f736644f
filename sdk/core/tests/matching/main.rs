//! What is found for whom: the matching over real actors and a real index, with people who are told how they stand to
//! each other and when they are busy.

mod bounds;
mod checking;
mod driving;
mod elsewhere;
mod listing;
mod moving;
mod policy;
mod probing;
mod slots;
mod store;
mod strangers;
mod world;
