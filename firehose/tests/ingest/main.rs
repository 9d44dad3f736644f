//! The ingest driver, driven by hand: tables for what a host can say, and a simulation against a plain model.

mod crowd;
mod driven;
mod frames;
mod hosts;
mod jetstream;
mod limits;
mod messages;
mod records;
mod rests;
mod runner;
mod simulation;
mod stop;
mod verdicts;

#[path = "../../examples/support/input.rs"]
#[expect(
    dead_code,
    reason = "of the examples' files only the keys are used here"
)]
mod input;
#[path = "../../examples/support/typed.rs"]
mod typed;
#[path = "../../examples/support/verdict.rs"]
mod verdict;
