//! Each fault in each request of what is asked of connected calendars for a booking: never is time free by it, nothing is
//! lost, and nobody is disconnected but by refused credentials.

use std::time::Duration;

use huddle_core::booking::{Booking, Phase};
use huddle_core::calendar_events::{CalendarEvents as _, Outcome};
use huddle_core::matching::{Busy, Freshness};
use huddle_core::user_connector::connector::{Access, Health, NoteEvent};

use crate::block_on;
use crate::booking::{ana, held, id};
use crate::connected::{World, nine_to_ten};
use crate::faults::fault;
use crate::script::{Answer, Fault, Script};
use crate::server::{HELD, hours, serve};

/// What has to come of each fault, from whichever request on it begins; `a/b` where that makes a difference.
///
/// Of a question: `no`, the calendar cannot be read; `later`, it may be soon. Of an event: `done`; `later`, it is tried
/// again by itself, after so many seconds where the server says so; else why only its person can help.
const OUTCOMES: &str = "
fault           | feed   caldav check  hold           remove
401             | no     no     no     unauthorized   unauthorized
401-digest      | no     no     no     unauthorized   unauthorized
401-stale       | no     no     no     unauthorized   unauthorized
401-odd-digest  | no     no     no     unusable       unusable
401-negotiate   | no     no     no     unusable       unusable
403             | no     no     no     unusable       unusable
404             | no     no     no     unusable       done
405             | no     no     no     unusable       unusable
409             | no     no     no     later          later
410             | no     no     no     unusable       done
412             | no     no     no     later          later
423             | later  later  later  later          later
429             | later  later  later  later          later
429-after-120   | later  later  later  later:120      later:120
503-after-date  | later  later  later  later:60       later:60
500             | no     no     no     later          later
502             | no     no     no     later          later
503             | no     no     no     later          later
507             | no     no     no     later          later
too-many        | no     no     no     unusable       unusable
uid-elsewhere   | no     no     no     unusable/later unusable/later
hang            | later  later  later  later          later
trickle         | later  later  later  later          later
drop            | no     no     no     later          later
refused         | no     no     no     later          later
unknown-host    | no     no     no     unusable       unusable
certificate     | no     no     no     unusable       unusable
private-address | no     no     no     unusable       unusable
to-private      | no     no     no     unusable/later unusable/later
to-http         | no     no     no     unusable/later unusable/later
to-stranger     | no     no     no     unusable/later unusable/later
to-itself       | no     no     no     later          later
20-MB           | no     no     no     unusable       unusable
truncated       | no     no     no     done           later/done
empty           | no     no     no     later          later/done
204             | no     no     no     unusable       unusable/done
304             | no     no     no     later          later
html            | no     no     no     later          later/done
html-207        | no     no     no     unusable/later unusable/later
other-text      | no     no     no     done           unusable/done
bomb            | no     no     no     unusable/later unusable/later
";

/// A server that has no event of ours, or has it.
fn server(operation: &str) -> Script {
    let has_event = operation == "remove";
    Script::new(move |sent| match sent.method.as_str() {
        "GET" if sent.url.contains("calendars/work/") => {
            if has_event {
                let event = HELD.replace("booking@huddle.example", id(1).as_str());
                Answer::new(200, event).with("etag", "\"e1\"")
            } else {
                Answer::new(404, "")
            }
        }
        _ => serve(sent),
    })
}

/// A person whose calendar is connected as an operation wants it, and a booking of theirs.
async fn scene(operation: &str) -> (World, Booking) {
    let world = World::new(server(operation));
    let booking = world.booking(held(hours(9, 10))).await;
    match operation {
        "feed" => drop(world.connect_feed().await),
        "caldav" | "check" => drop(world.connect_caldav(Access::FreeBusy).await),
        _ => drop(world.connect_caldav(Access::Events).await),
    }
    if operation == "remove" {
        let note = NoteEvent {
            booking: booking.id.clone(),
            id: world.connectors().await.remove(0).id,
            ends: hours(9, 10).end(),
        };
        world.tell(note).await;
    }
    (world, booking)
}

async fn bring(world: &World, booking: &Booking) -> String {
    match world.calendars.bring(&ana(), booking, "Bob").await {
        Outcome::Done => "done".to_owned(),
        Outcome::RetryAfter(None) => "later".to_owned(),
        Outcome::RetryAfter(Some(wait)) => format!("later:{}", wait.as_secs()),
        Outcome::Permanent(why) => why.rsplit(' ').next().unwrap().to_owned(),
    }
}

async fn perform(operation: &str, world: &World, mut booking: Booking) -> String {
    let busy = match operation {
        "feed" | "caldav" => world.recent().await,
        "check" => world.busy(Some(&booking.id), Freshness::Fresh).await,
        "hold" => return bring(world, &booking).await,
        "remove" => {
            booking.phase = Phase::Declined;
            return bring(world, &booking).await;
        }
        other => panic!("{other} is no operation"),
    };
    match busy {
        Busy::Delayed => "later",
        Busy::Unreadable => "no",
        busy => {
            assert_eq!(busy, nine_to_ten());
            "known"
        }
    }
    .to_owned()
}

/// How many requests an operation makes where all goes well.
async fn requests(operation: &str) -> usize {
    let (world, booking) = scene(operation).await;
    let done = perform(operation, &world, booking).await;
    assert!(
        ["known", "done"].contains(&done.as_str()),
        "{operation}: {done}"
    );
    world.script.take_sent().len()
}

/// Performs an operation while something is wrong, and again when nothing is any more.
async fn perform_failing(operation: &str, first: usize, name: &str) -> String {
    let (world, booking) = scene(operation).await;
    let [before] = world.connectors().await.try_into().unwrap();
    let failing = world.script.clone().failing(first, fault(name));
    let done = perform(operation, &world, booking).await;
    let [after] = world.connectors().await.try_into().unwrap();
    assert_eq!(after.credentials, before.credentials, "{name} {operation}");
    let is_disconnected = matches!(after.health, Health::Disconnected { .. });
    // Whom a feed leads to may refuse it as well.
    let is_refused = matches!(name, "401" | "401-digest" | "401-stale")
        || (name, operation) == ("to-stranger", "feed");
    assert_eq!(is_disconnected, is_refused, "{name} {operation}");
    failing.failing(usize::MAX, Fault::Hangs);
    world.clock.step(Duration::from_hours(1));
    if !is_disconnected {
        assert_eq!(world.recent().await, nine_to_ten(), "{name} {operation}");
    }
    done
}

#[test]
fn each_fault_comes_to_what_is_wanted_for_a_booking() {
    let mut rows = OUTCOMES.trim().lines().map(|row| {
        let (name, cells) = row.split_once('|').unwrap();
        (name.trim(), cells.split_whitespace().collect::<Vec<_>>())
    });
    let (_, operations) = rows.next().unwrap();
    let requests = operations
        .iter()
        .map(|operation| block_on(requests(operation)));
    let requests: Vec<usize> = requests.collect();
    let mut wrong = Vec::new();
    block_on(async {
        for (name, cells) in rows {
            assert_eq!(cells.len(), operations.len(), "{name}");
            for ((operation, requests), cell) in operations.iter().zip(&requests).zip(cells) {
                let wanted: Vec<&str> = cell.split('/').collect();
                for first in 0..*requests {
                    let wanted = wanted[first.min(wanted.len() - 1)];
                    let done = perform_failing(operation, first, name).await;
                    if done != wanted {
                        wrong.push(format!(
                            "{name} from request {first} of {operation}: {done}, wanted {wanted}"
                        ));
                    }
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
