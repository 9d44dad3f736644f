//! Bookings that are driven where they are, and not by whoever has asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use huddle_core::booking::{Booking, BookingIds, Constraints, Phase};
use huddle_core::flows::{Flows, is_driven};
use huddle_core::idempotency::Key;
use huddle_core::{ActorName, ActorTransport, Command, Limits, Reply, Unreachable};
use huddle_schedule::Circle;

use crate::world::{World, bob, request_by};

/// Passes commands on, those of people to bookings that are driven there.
struct There {
    world: World,
    flows: Flows,
    passed: Mutex<Vec<ActorName>>,
}

impl There {
    fn note(&self, to: &ActorName) {
        let mut passed = self.passed.lock().expect("nothing has panicked");
        passed.push(to.clone());
    }
}

#[async_trait]
impl ActorTransport for There {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        self.note(to);
        match command {
            Command::Booking(command) if is_driven(&command) => {
                let id = to.key().parse().expect("it is a booking's");
                self.flows.carry_out(&id, command).await.map(Reply::Booking)
            }
            command => self.world.actors.send(to, command).await,
        }
    }
}

fn there() -> (Arc<There>, Flows) {
    let world = World::new();
    world.relate(Circle::Mutual);
    world.offer("a", ("02T09:00", "02T09:30"), "anyone", "auto");
    let there = Arc::new(There {
        flows: world.flows(),
        passed: Mutex::default(),
        world,
    });
    let (matching, clock) = (there.world.matching.clone(), there.world.clock.clone());
    let limits = Arc::new(Limits::default());
    let flows = Flows::new(there.clone(), Arc::new(matching), clock, limits);
    (there, flows)
}

fn finalize(flows: &Flows, booking: &Booking) -> Booking {
    let key = Key {
        caller: bob(),
        method: "com.huddle.finalize".into(),
        key: "key".into(),
        body_hash: "hash".into(),
    };
    let confirmed = flows.finalize(&booking.id, key).now_or_never();
    let confirmed = confirmed.expect("memory is at hand");
    confirmed.expect("actors answer").expect("it is held")
}

#[test]
fn whoever_asks_for_a_booking_that_is_driven_where_it_is_asks_once() {
    let (there, flows) = there();
    let held = request_by(&flows, Constraints::default()).expect("it is begun");
    assert!(matches!(held.phase, Phase::Held { .. }), "{held:?}");
    let again = request_by(&flows, Constraints::default());
    assert_eq!(again.as_ref(), Ok(&held), "the same request");
    let confirmed = finalize(&flows, &held);
    assert!(
        matches!(confirmed.phase, Phase::Confirmed { .. }),
        "{confirmed:?}"
    );
    let passed = there.passed.lock().expect("nothing has panicked");
    assert_eq!(*passed, vec![ActorName::booking(&held.id); 3]);
}

#[test]
fn it_comes_to_the_same() {
    let (_, flows) = there();
    let there = request_by(&flows, Constraints::default()).expect("it is begun");
    let here = World::new();
    here.relate(Circle::Mutual);
    here.offer("a", ("02T09:00", "02T09:30"), "anyone", "auto");
    assert_eq!(here.request(Constraints::default()), Ok(there));
}

#[test]
fn a_booking_that_nobody_has_asked_for_is_not_found_there_either() {
    let (_, flows) = there();
    let id = BookingIds::new(&[9; 32]).of_request(&bob(), "com.huddle.match", "other");
    let read = flows.read(&id, None).now_or_never();
    let read = read.expect("memory is at hand").expect("actors answer");
    assert!(read.is_err());
}
