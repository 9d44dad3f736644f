//! The ingest driver, driven by hand: tables for what a host can say, and a simulation against a plain model.

mod crowd;
mod driven;
mod frames;
mod hosts;
mod jetstream;
mod limits;
mod records;
mod rests;
mod simulation;
