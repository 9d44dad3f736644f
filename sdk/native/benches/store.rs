//! How many commands a second the actors of one file answer, each after its commit is on the disk.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use huddle_core::rate_limiter::{Rate, Spend};
use huddle_core::{ActorName, ActorTransport, Limits};
use huddle_native::ActorStore;
use huddle_ports::Timestamp;
use huddle_testkit::SteppingClock;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

fn main() {
    divan::main();
}

struct World {
    runtime: Runtime,
    store: Arc<ActorStore>,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        // Beside the build, which is on a disk where the temporary folder may be memory.
        let folder =
            TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("there is room for a file");
        let path = folder.path().join("actors.sqlite");
        let clock = Arc::new(SteppingClock::at(Timestamp::UNIX_EPOCH));
        let store = ActorStore::open(&path, clock, Limits::default());
        Self {
            runtime: Builder::new_current_thread()
                .build()
                .expect("a runtime needs no more than memory"),
            store: Arc::new(store.expect("a new file can be made")),
            _folder: folder,
        }
    }
}

/// One of many actors spends a token: reads and writes of a few rows.
async fn spend(store: &ActorStore, actor: usize) {
    let spend = Spend {
        rate: Rate {
            per_minute: 1,
            burst: u32::MAX,
        },
        cost: 1,
        nonce: None,
    };
    let actor = ActorName::rate_limiter(&format!("actor/{}", actor % 1000));
    let reply = store.send(&actor, spend.into()).await;
    reply.expect("the store works");
}

/// Commands that are under way at the same time.
#[divan::bench(args = [1, 64])]
fn commands(bencher: Bencher<'_, '_>, in_flight: usize) {
    const EACH: usize = 16;
    let world = World::new();
    let counted = bencher.counter(ItemsCount::new(in_flight * EACH));
    counted.bench_local(|| {
        world.runtime.block_on(async {
            let tasks: Vec<_> = (0..in_flight)
                .map(|task| {
                    let store = Arc::clone(&world.store);
                    async move {
                        for command in 0..EACH {
                            spend(&store, task * EACH + command).await;
                        }
                    }
                })
                .map(tokio::spawn)
                .collect();
            for task in tasks {
                task.await.expect("a command does not panic");
            }
        });
    });
}
