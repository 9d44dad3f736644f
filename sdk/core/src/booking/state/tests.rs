//! The table of `booking` state and command.

use std::fmt::Debug;
use std::time::Duration;

use huddle_ports::Timestamp;

use super::{
    Asked, Booking, Constraints, Decision, Expiry, GuestSide, Mode, Next, NoMatch, Phase, Place,
    Terms,
};
use crate::booking::Attempt;
use crate::host_match::Role;
use crate::limits::Limits;
use crate::slot::Slot;

const START: Timestamp = Timestamp::from_millis(1_767_268_800_000);

/// A booking, and the time at which it is asked.
struct Scene {
    booking: Booking,
    now: Timestamp,
    limits: Limits,
}

impl Scene {
    fn pending() -> Self {
        let limits = Limits::default();
        let asked = Asked {
            host: "did:web:ada.example.com".parse().unwrap(),
            guest: "did:web:bob.example.com".parse().unwrap(),
            constraints: Constraints::default(),
            offer: None,
            note: None,
            request: None,
            accepted: false,
        };
        let id = "3hq7n2k5x4d6m7p2r5t7".parse().unwrap();
        let booking = Booking::new(&mut Decision::new(START, &limits), id, asked, String::new());
        Self {
            booking,
            now: START,
            limits,
        }
    }

    /// Runs a command, and gives what the caller is to do next.
    fn run<T>(&mut self, command: impl FnOnce(&mut Booking, &mut Decision<'_>) -> T) -> (T, Next) {
        let mut decision = Decision::new(self.now, &self.limits);
        self.booking.tick(&mut decision);
        let answer = command(&mut self.booking, &mut decision);
        (answer, decision.next)
    }

    /// The same for a command that is never refused.
    fn drive(
        &mut self,
        command: impl FnOnce(&mut Booking, &mut Decision<'_>),
    ) -> (Option<String>, Next) {
        (None, self.run(command).1)
    }

    fn then(mut self, command: &str) -> Self {
        self.say(command);
        self
    }

    fn later(mut self, by: Duration) -> Self {
        self.now = self.now + by;
        self
    }

    /// Runs a command by its name, and says what came of it: the refusal, or the status, and in
    /// brackets what is left to drive.
    fn say(&mut self, command: &str) -> String {
        let attempt = self.booking.attempt;
        let until = self.now + Duration::from_mins(15);
        let (answer, next) = match command {
            "held" => self.drive(|b, d| b.held(d, attempt, place(0), until)),
            "held late" => self.drive(|b, d| b.held(d, Attempt::FIRST, place(0), until)),
            "await approval" => self.drive(|b, d| b.await_approval(d, attempt, place(0).terms)),
            "no match" => self.drive(|b, d| b.refuse(d, attempt, NoMatch::NoSlot)),
            "suspend" => self.drive(|b, d| b.suspend(d, attempt)),
            "commit" => self.drive(|b, d| b.commit(d, attempt)),
            "commit late" => self.drive(|b, d| b.commit(d, Attempt::FIRST)),
            "abort" => self.drive(|b, d| b.abort(d, attempt)),
            "resume" => self.drive(Booking::resume),
            "finalize" => self.run(|b, d| refused(b.finalize(d, Role::Guest))),
            "finalize as host" => self.run(|b, d| refused(b.finalize(d, Role::Host))),
            "approve" => self.run(|b, d| refused(b.approve(d, Role::Host))),
            "approve as guest" => self.run(|b, d| refused(b.approve(d, Role::Guest))),
            "decline" => self.run(|b, d| refused(b.decline(d, Role::Host, None))),
            "decline as guest" => self.run(|b, d| refused(b.decline(d, Role::Guest, None))),
            "cancel" => self.drive(|b, d| b.cancel(d, Role::Guest, None)),
            "reschedule" => {
                self.run(|b, d| refused(b.reschedule(d, Role::Host, Constraints::default(), None)))
            }
            other => panic!("no command {other:?}"),
        };
        let status = answer.unwrap_or_else(|| self.booking.phase.word().to_owned());
        match next {
            Next::Rest => status,
            Next::Seek(_) => format!("{status} [seek]"),
            Next::Confirm(_) => format!("{status} [confirm]"),
        }
    }
}

fn refused<R: Debug>(answer: Result<(), R>) -> Option<String> {
    answer.err().map(|why| format!("{why:?}"))
}

fn place(minute: u64) -> Place {
    let start = START + Duration::from_hours(24) + Duration::from_mins(minute);
    Place {
        slot: Slot::new(start, start + Duration::from_mins(30)).unwrap(),
        terms: Terms {
            offer: None,
            tz: "UTC".to_owned(),
            mode: Mode::Auto,
            guest_side: GuestSide::Unchecked,
        },
    }
}

fn scene(state: &str) -> Scene {
    let pending = Scene::pending();
    match state {
        "pending" => pending,
        "unmatched" => pending.then("no match"),
        "awaiting approval" => pending.then("await approval"),
        "approved" => pending.then("await approval").then("approve"),
        "held" => pending.then("held"),
        "held too long" => pending.then("held").later(Duration::from_mins(15)),
        "finalizing" => pending.then("held").then("finalize"),
        "finalizing too long" => scene("finalizing").later(Duration::from_mins(15)),
        "confirmed" => pending.then("held").then("finalize").then("commit"),
        "moving" => scene("confirmed").then("reschedule"),
        "moving, found" => scene("moving").then("held"),
        "declined" => pending.then("decline"),
        "canceled" => pending.then("cancel"),
        "expired" => pending.then("held").then("finalize").then("abort"),
        other => panic!("no state {other:?}"),
    }
}

#[track_caller]
fn check(command: &str, cases: &[(&str, &str)]) {
    for (state, answer) in cases {
        assert_eq!(
            scene(state).say(command),
            *answer,
            "{command} while {state}"
        );
    }
}

#[test]
fn what_people_ask_is_answered_by_the_state() {
    check(
        "finalize",
        &[
            ("pending", "NotHeld"),
            ("held", "finalizing [confirm]"),
            ("held too long", "expired"),
            ("finalizing", "finalizing [confirm]"),
            ("confirmed", "confirmed"),
            ("declined", "declined"),
            ("canceled", "canceled"),
            ("expired", "expired"),
        ],
    );
    check(
        "finalize as host",
        &[("held", "NotAccepted"), ("confirmed", "confirmed")],
    );
    check(
        "approve",
        &[
            ("pending", "NotAwaitingApproval"),
            ("awaiting approval", "pending [seek]"),
            ("held", "NotAwaitingApproval"),
            ("approved", "pending"),
            ("confirmed", "confirmed"),
            ("canceled", "canceled"),
        ],
    );
    check("approve as guest", &[("awaiting approval", "NotHost")]);
    check(
        "decline",
        &[
            ("pending", "declined"),
            ("awaiting approval", "declined"),
            ("held", "declined"),
            ("finalizing", "InProgress"),
            ("confirmed", "AlreadyConfirmed"),
            ("moving", "AlreadyConfirmed"),
            ("declined", "declined"),
            ("canceled", "canceled"),
        ],
    );
    check("decline as guest", &[("held", "NotHost")]);
    check(
        "cancel",
        &[
            ("pending", "canceled"),
            ("held", "canceled"),
            ("finalizing", "canceled"),
            ("confirmed", "canceled"),
            ("moving", "canceled"),
            ("moving, found", "canceled"),
            ("declined", "declined"),
            ("expired", "expired"),
        ],
    );
    check(
        "reschedule",
        &[
            ("pending", "NotConfirmed"),
            ("held", "NotConfirmed"),
            ("finalizing", "InProgress"),
            ("confirmed", "finalizing [seek]"),
            ("moving", "InProgress"),
            ("moving, found", "InProgress"),
            ("canceled", "canceled"),
        ],
    );
}

#[test]
fn what_drivers_report_counts_for_the_present_attempt_only() {
    check(
        "held",
        &[
            ("pending", "held"),
            ("approved", "finalizing [confirm]"),
            ("held", "held"),
            ("finalizing", "finalizing [confirm]"),
            ("moving", "finalizing [confirm]"),
            ("canceled", "canceled"),
        ],
    );
    check(
        "held late",
        &[("approved", "pending"), ("moving", "finalizing")],
    );
    check(
        "commit",
        &[
            ("held", "held"),
            ("finalizing", "confirmed"),
            ("confirmed", "confirmed"),
            ("moving", "finalizing"),
            ("moving, found", "confirmed"),
            ("canceled", "canceled"),
        ],
    );
    check(
        "await approval",
        &[
            ("pending", "pending"),
            ("moving", "confirmed"),
            ("held", "held"),
        ],
    );
    check("commit late", &[("moving, found", "finalizing")]);
    check(
        "abort",
        &[
            ("held", "held"),
            ("finalizing", "expired"),
            ("finalizing too long", "expired"),
            ("moving, found", "confirmed"),
            ("confirmed", "confirmed"),
        ],
    );
    check(
        "suspend",
        &[
            ("finalizing", "held"),
            ("moving, found", "confirmed"),
            ("confirmed", "confirmed"),
        ],
    );
}

#[test]
fn an_abandoned_booking_is_taken_up_where_it_was_and_only_then() {
    for (state, answer) in [
        ("pending", "pending [seek]"),
        ("awaiting approval", "pending"),
        ("approved", "pending [seek]"),
        ("held", "held"),
        ("finalizing", "finalizing [confirm]"),
        ("moving", "finalizing [seek]"),
        ("moving, found", "finalizing [confirm]"),
        ("confirmed", "confirmed"),
    ] {
        let lease = Duration::from_secs(30);
        let too_early = scene(state)
            .later(Duration::from_millis(29_999))
            .say("resume");
        assert_eq!(
            too_early,
            answer.split(' ').next().unwrap(),
            "{state}, too early"
        );
        assert_eq!(scene(state).later(lease).say("resume"), answer, "{state}");
    }
}

#[test]
fn a_move_keeps_the_id_and_raises_the_sequence() {
    let mut moved = scene("moving");
    let until = moved.now + Duration::from_mins(15);
    let attempt = moved.booking.attempt;
    moved.run(|b, d| b.held(d, attempt, place(60), until));
    assert_eq!(
        moved.booking.phase.place(),
        Some(&place(0)),
        "the old time until the new is certain"
    );
    moved.say("commit");
    assert_eq!(moved.booking.phase.place(), Some(&place(60)));
    assert_eq!(
        (moved.booking.sequence, moved.booking.attempt),
        (1, attempt)
    );
    let canceled = moved.then("cancel").booking;
    assert_eq!((canceled.sequence, canceled.phase.word()), (2, "canceled"));
}

#[test]
fn only_so_many_slots_are_tried() {
    let mut scene = Scene::pending();
    let mut tried = 1;
    loop {
        let attempt = scene.booking.attempt;
        match scene.run(|b, d| b.next_attempt(d, attempt, attempt)).1 {
            Next::Seek(_) => tried += 1,
            _ => break,
        }
    }
    assert_eq!(tried, scene.limits.attempts_per_match);
    assert_eq!(scene.booking.phase, Phase::Unmatched);
    assert_eq!(scene.booking.unmatched, Some(NoMatch::NoSlot));
}

#[test]
fn history_is_bounded() {
    let mut scene = scene("confirmed");
    for _ in 0..150 {
        scene.say("reschedule");
        scene.say("held");
        scene.say("commit");
    }
    assert_eq!(scene.booking.history.len(), super::HISTORY);
    assert_eq!(scene.booking.sequence, 150);
}

#[test]
fn attempts_begin_above_those_of_a_forgotten_booking_of_the_same_id() {
    let mut scene = Scene::pending();
    let seen = Attempt::FIRST.next().next().next();
    let (_, next) = scene.drive(|b, d| b.next_attempt(d, Attempt::FIRST, seen));
    assert_eq!(next, Next::Seek(seen.next()));
}

#[test]
fn a_hold_that_ran_out_while_it_was_confirmed_is_called_so() {
    for (state, why) in [
        ("finalizing", Expiry::SlotTaken),
        ("finalizing too long", Expiry::Hold),
    ] {
        assert_eq!(
            scene(state).then("abort").booking.phase,
            Phase::Expired(why),
            "{state}"
        );
    }
}
