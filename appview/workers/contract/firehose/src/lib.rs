//! The build for tests of the script that follows the firehose: it asks servers of this machine, too.

// Its events and its object are what this is made of.
use huddle_workers_firehose as _;

use huddle_ports::FetchPolicy;
use worker::{event, wasm_bindgen};

#[event(start)]
fn start() {
    huddle_workers_platform::ask(FetchPolicy::development());
}
