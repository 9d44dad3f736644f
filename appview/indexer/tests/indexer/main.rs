//! What is published arrives in the index, in whatever order and however often, and whatever dies on the way.

mod asking;
mod order;
mod requests;
mod stream;
mod world;
