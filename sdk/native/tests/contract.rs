//! The adapters keep to the contracts of their ports.

use std::sync::Arc;

use huddle_core::Limits;
use huddle_native::{ActorStore, OsRandom, SqliteIndex, SystemClock};
use huddle_ports::Timestamp;
use huddle_testkit::SteppingClock;
use huddle_testkit::contract::{self, Broken};

const NOW: Timestamp = Timestamp::from_millis(1_767_268_800_000);

#[tokio::test]
async fn the_store_keeps_to_the_contract_of_actors() -> Result<(), Broken> {
    let clock = Arc::new(SteppingClock::at(NOW));
    let store = ActorStore::in_memory(clock, Limits::default()).expect("memory can be had");
    contract::actors(&store, "native", NOW).await
}

#[tokio::test]
async fn the_index_keeps_to_the_contract_of_indexes() -> Result<(), Broken> {
    let index = SqliteIndex::in_memory().expect("memory can be had");
    contract::index(&index).await
}

#[test]
fn the_clock_of_the_machine_keeps_to_the_contract_of_clocks() -> Result<(), Broken> {
    contract::clock(&SystemClock)
}

#[test]
fn the_randomness_of_the_machine_keeps_to_the_contract_of_randomness() -> Result<(), Broken> {
    contract::random(&OsRandom)
}
