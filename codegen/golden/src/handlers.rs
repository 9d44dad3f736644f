//! Handler traits and routes of those cases that have methods.

#[rustfmt::skip]
pub mod bodies;
#[rustfmt::skip]
pub mod keywords;
#[rustfmt::skip]
pub mod letters;
#[rustfmt::skip]
pub mod procedure;
#[rustfmt::skip]
pub mod query;
#[rustfmt::skip]
pub mod role_names;
#[rustfmt::skip]
pub mod std_names;
