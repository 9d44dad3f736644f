//! How long it takes to tell a stranger that no time suits, by the reason and by how they ask: as soon as that is known,
//! and in step.
//!
//! The medians of the first differ; those of the second must not tell the reasons apart.

#[path = "../tests/matching/store.rs"]
mod store;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/matching/world.rs"]
mod world;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use divan::{Bencher, black_box};
use futures_util::FutureExt as _;
use huddle_core::booking::{Asked, BookingIds, Constraints, NoMatch};
use huddle_core::flows::Flows;
use huddle_core::matching::Busy;
use huddle_core::pause::{NoPause, Pause};
use huddle_core::{Interval, Limits};
use huddle_ports::{Clock, Timestamp};
use huddle_schedule::{Circle, Relationship};

use crate::world::{World, ada, at, bob, did};

fn main() {
    divan::main();
}

/// Why a stranger gets no slot.
#[derive(Clone, Copy)]
struct Reason {
    name: &'static str,
    hide: fn(&World),
}

const REASONS: [Reason; 6] = [
    Reason {
        name: "blocked",
        hide: |world| {
            let blocked = Relationship {
                circle: Circle::Anyone,
                blocked: true,
            };
            world.people.relate(&ada(), &bob(), Ok(blocked));
        },
    },
    Reason {
        name: "busy",
        hide: |world| {
            let busy = Interval::new(at("01T00:00"), Timestamp::MAX).expect("time passes");
            world.people.set_calendars(&ada(), Busy::Known(busy.into()));
        },
    },
    Reason {
        name: "held",
        hide: |world| {
            let all = Interval::new(at("01T00:15"), at("30T00:00")).expect("time passes");
            world.hold(&ada(), all);
        },
    },
    Reason {
        name: "over budget",
        hide: |world| {
            // Each is told of other slots, because those before are taken then.
            let mut told = Vec::new();
            for guest in 0..10 {
                let guest = did(&format!("guest{guest}"));
                let listed = world.listed(&guest, month()).expect("all can be read");
                told.extend(listed.slots.iter().map(|slot| slot.interval));
                let asking = huddle_core::availability::Search {
                    guest,
                    ..world::asking(month())
                };
                told.extend(world::slots(&world.search(&asking)));
                let busy = told.iter().copied().collect();
                world.people.set_calendars(&ada(), Busy::Known(busy));
            }
        },
    },
    Reason {
        name: "unknown host",
        hide: |world| world.serve("did:web:elsewhere.example"),
    },
    Reason {
        name: "calendar unreadable",
        hide: |world| world.people.set_calendars(&ada(), Busy::Unreadable),
    },
];

/// How a stranger asks.
#[derive(Clone, Copy)]
struct Question {
    name: &'static str,
    /// How what is asked for like this is booked.
    mode: &'static str,
    /// Asks, for the so many-th time.
    ask: fn(&World, &Flows, u64),
}

const QUESTIONS: [Question; 2] = [
    Question {
        name: "match",
        mode: "auto",
        ask: |_, flows, count| {
            let ids = BookingIds::new(&[3; 32]);
            let id = ids.of_request(&bob(), "bench", &count.to_string());
            let asked = Asked {
                constraints: month(),
                ..Asked::new(ada(), bob())
            };
            let answer = flows.request(black_box(&id), asked, String::new());
            let answer = answer.now_or_never().expect("memory is at hand");
            let booking = answer.expect("actors answer").expect("it is a new request");
            assert_eq!(booking.unmatched, Some(NoMatch::NoSlot));
        },
    },
    Question {
        name: "list",
        mode: "pick",
        ask: |world, flows, _| {
            let listed = world.listed_by(flows, black_box(&bob()), month());
            assert_eq!(listed.map(|it| it.slots), Ok(Vec::new()));
        },
    },
];

/// A question that comes to nothing, and why it does.
#[derive(Clone, Copy)]
struct Case(Question, Reason);

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.name, self.1.name)
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let of = |question| REASONS.map(|reason| Case(question, reason));
    QUESTIONS.into_iter().flat_map(of)
}

fn month() -> Constraints {
    Constraints {
        latest: Some(at("29T00:00")),
        ..Constraints::default()
    }
}

/// The time since the benchmark began, from the moment at which the worlds begin.
struct Stopwatch(Instant);

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Stopwatch {
    fn now(&self) -> Timestamp {
        at("01T00:00") + self.0.elapsed()
    }
}

/// Has the thread sleep.
struct Asleep(Arc<Stopwatch>);

#[async_trait]
impl Pause for Asleep {
    async fn until(&self, moment: Timestamp) {
        std::thread::sleep(moment.since(self.0.now()));
    }
}

fn bench(
    bencher: Bencher<'_, '_>,
    Case(question, reason): Case,
    pause: impl Fn(&Arc<Stopwatch>) -> Arc<dyn Pause>,
) {
    // A step that is longer than any search here takes, and not so long that the benchmark is.
    let limits = Limits {
        no_slot_step_millis: 50,
        // Which is soon spent.
        disclosures_per_week: 1,
        ..Limits::default()
    };
    let world = World::with(limits.clone());
    world.office_hours("a", "anyone", question.mode);
    (reason.hide)(&world);
    let clock = Arc::new(Stopwatch::start());
    let matching = Arc::new(world.matching.clone());
    let flows = Flows::new(
        world.actors.clone(),
        matching,
        clock.clone(),
        Arc::new(limits),
    );
    let flows = flows.in_step(pause(&clock));
    let mut count = 0;
    bencher.bench_local(|| {
        count += 1;
        (question.ask)(&world, &flows, count);
    });
}

#[divan::bench(args = cases(), max_time = Duration::from_secs(2))]
fn as_soon_as_it_is_known(bencher: Bencher<'_, '_>, case: Case) {
    bench(bencher, case, |_| Arc::new(NoPause));
}

#[divan::bench(args = cases(), max_time = Duration::from_secs(2))]
fn in_step(bencher: Bencher<'_, '_>, case: Case) {
    bench(bencher, case, |clock| Arc::new(Asleep(clock.clone())));
}
