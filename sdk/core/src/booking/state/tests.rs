//! The table of `booking` state and command.

use std::fmt::Debug;
use std::time::Duration;

use huddle_ports::Timestamp;

use super::{
    Asked, Booking, Chosen, Constraints, Decision, Expiry, GuestSide, Mode, Next, NoMatch, Phase,
    Place, Terms, Waiting,
};
use crate::actor::{ActorName, Command};
use crate::availability::Side;
use crate::booking::Attempt;
use crate::booking::commands::{
    Abort, AwaitApproval, Commit, Held, NextAttempt, Postpone, Refuse, Suspend,
};
use crate::host_match::{self, Ending, Role};
use crate::limits::Limits;
use crate::outbox::Task;
use huddle_schedule::Interval;

const START: Timestamp = Timestamp::from_millis(1_767_268_800_000);

/// A booking, and the time at which it is asked.
#[derive(Clone)]
struct Scene {
    booking: Booking,
    now: Timestamp,
    limits: Limits,
    /// What was to be done outside, so far.
    tasks: Vec<Task>,
}

impl Scene {
    fn pending() -> Self {
        let limits = Limits::default();
        let asked = Asked::new(
            "did:web:ada.example.com".parse().unwrap(),
            "did:web:bob.example.com".parse().unwrap(),
        );
        let id = "3hq7n2k5x4d6m7p2r5t7".parse().unwrap();
        let booking = Booking::new(&mut Decision::new(START, &limits), id, asked, String::new());
        Self {
            booking,
            now: START,
            limits,
            tasks: Vec::new(),
        }
    }

    /// Runs a command, and gives what the caller is to do next.
    fn run<T>(&mut self, command: impl FnOnce(&mut Booking, &mut Decision<'_>) -> T) -> (T, Next) {
        let mut decision = Decision::new(self.now, &self.limits);
        self.booking.tick(&mut decision);
        let answer = command(&mut self.booking, &mut decision);
        self.tasks.append(&mut decision.tasks);
        (answer, decision.next)
    }

    /// The same for a command that is never refused.
    fn drive(
        &mut self,
        command: impl FnOnce(&mut Booking, &mut Decision<'_>),
    ) -> (Option<String>, Next) {
        (None, self.run(command).1)
    }

    /// What the guest was told of attempts that are over, so far.
    fn told(&self) -> Vec<(Attempt, Ending)> {
        let guest = ActorName::host_match(&self.booking.asked.guest);
        let told = self.tasks.iter().filter_map(|task| match task {
            Task::Tell { to, command } if *to == guest => match &**command {
                Command::HostMatch(host_match::Command::Finish(it)) => {
                    Some((it.attempt, it.ending))
                }
                _ => None,
            },
            _ => None,
        });
        told.collect()
    }

    fn then(mut self, command: &str) -> Self {
        self.say(command);
        self
    }

    fn after(self, commands: &[&str]) -> Self {
        commands.iter().fold(self, |scene, it| scene.then(it))
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
            "held" => self.drive(|b, d| b.held(d, held(attempt, until))),
            "held late" => self.drive(|b, d| b.held(d, held(Attempt::FIRST, until))),
            "await approval" => {
                let terms = place(0).terms;
                self.drive(|b, d| b.await_approval(d, AwaitApproval { attempt, terms }))
            }
            "postpone" => {
                let postpone = Postpone {
                    attempt,
                    untried: true,
                    days: vec![],
                };
                self.drive(|b, d| b.postpone(d, postpone))
            }
            "no match" => self.drive(|b, d| b.refuse(d, refuse(attempt, NoMatch::NoSlot))),
            "unreadable" => {
                let why = NoMatch::CalendarUnavailable;
                self.drive(|b, d| b.refuse(d, refuse(attempt, why)))
            }
            "suspend" => {
                let side = Side::Host { stranger: false };
                self.drive(|b, d| b.suspend(d, Suspend { attempt, side }))
            }
            "suspend for the guest" => {
                let side = Side::Guest;
                self.drive(|b, d| b.suspend(d, Suspend { attempt, side }))
            }
            "commit" => self.drive(|b, d| b.commit(d, Commit { attempt })),
            "commit late" => {
                let attempt = Attempt::FIRST;
                self.drive(|b, d| b.commit(d, Commit { attempt }))
            }
            "abort" => self.drive(|b, d| b.abort(d, Abort { attempt })),
            "create" => self.drive(Booking::create_again),
            "resume" => self.drive(Booking::take_over),
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
            "reschedule as guest" => {
                let anything = Constraints::default();
                self.run(|b, d| refused(b.reschedule(d, Role::Guest, anything, None)))
            }
            "reschedule to a slot of before" => {
                let chosen = Constraints::from(Chosen {
                    offer: "at://did:web:ada.example.com/com.huddle.slotOffer/a"
                        .parse()
                        .unwrap(),
                    slot: place(60).slot,
                    expires: START,
                });
                self.run(|b, d| refused(b.reschedule(d, Role::Guest, chosen, None)))
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

fn held(attempt: Attempt, until: Timestamp) -> Held {
    let place = place(0);
    Held {
        attempt,
        place,
        until,
        days: vec![],
    }
}

fn refuse(attempt: Attempt, why: NoMatch) -> Refuse {
    Refuse {
        attempt,
        why,
        untried: true,
        days: vec![],
    }
}

fn place(minute: u64) -> Place {
    let start = START + Duration::from_hours(24) + Duration::from_mins(minute);
    Place {
        slot: Interval::new(start, start + Duration::from_mins(30)).unwrap(),
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
        "postponed" => pending.then("postpone"),
        "searched again" => scene("postponed")
            .later(Duration::from_secs(30))
            .then("resume"),
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
        "create",
        &[
            ("finalizing", "finalizing"),
            ("finalizing too long", "finalizing [confirm]"),
            ("confirmed", "confirmed"),
            ("declined", "declined"),
            ("canceled", "canceled"),
            ("expired", "expired"),
        ],
    );
    check(
        "finalize",
        &[
            ("pending", "NotHeld"),
            ("held", "finalizing [confirm]"),
            ("held too long", "expired"),
            ("finalizing", "finalizing"),
            ("finalizing too long", "finalizing [confirm]"),
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
            ("finalizing", "finalizing"),
            ("confirmed", "confirmed"),
            ("declined", "declined"),
            ("canceled", "canceled"),
            ("expired", "expired"),
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
            ("expired", "expired"),
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
            ("declined", "declined"),
            ("canceled", "canceled"),
            ("expired", "expired"),
        ],
    );
    check(
        "reschedule to a slot of before",
        &[
            ("held", "NotConfirmed"),
            ("confirmed", "ChosenTooLate"),
            ("moving", "InProgress"),
            ("canceled", "canceled"),
        ],
    );
}

#[test]
fn who_moves_a_meeting_in_vain_waits_before_they_try_again_and_the_other_side_does_not() {
    let mut scene = scene("moving").then("no match");
    assert_eq!(scene.say("reschedule"), "confirmed", "nothing is searched");
    let retry_at = scene.now + Duration::from_mins(1);
    let too_many = NoMatch::TooManyHolds { retry_at };
    assert_eq!(scene.booking.unmatched, Some(too_many));
    let mut other = scene.clone();
    assert_eq!(other.say("reschedule as guest"), "finalizing [seek]");
    let mut later = scene.later(Duration::from_mins(1));
    assert_eq!(later.say("reschedule"), "finalizing [seek]");
    // What passes is no answer.
    let mut passing = later.then("unreadable");
    assert_eq!(passing.say("reschedule"), "finalizing [seek]");
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
            ("declined", "declined"),
            ("canceled", "canceled"),
            ("expired", "expired"),
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
    let place_later = Held {
        place: place(60),
        ..held(attempt, until)
    };
    moved.run(|b, d| b.held(d, place_later));
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
        let next = NextAttempt {
            attempt,
            above: attempt,
            days: vec![],
        };
        match scene.run(|b, d| b.next_attempt(d, next)).1 {
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
    let next = NextAttempt {
        attempt: Attempt::FIRST,
        above: seen,
        days: vec![],
    };
    let (_, next) = scene.drive(|b, d| b.next_attempt(d, next));
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

#[test]
fn what_was_answered_to_nobody_comes_to_nothing_unseen() {
    for command in ["no match", "unreadable"] {
        let scene = Scene::pending().then(command);
        assert_eq!(scene.booking.phase, Phase::Unmatched);
        assert!(!scene.booking.is_known());
        assert_eq!(scene.tasks, [], "nobody hears of it");
    }
}

#[test]
fn what_was_answered_as_pending_expires_where_both_see_it() {
    let scene = scene("searched again").then("no match");
    assert_eq!(scene.booking.phase, Phase::Expired(Expiry::NoMatch));
    assert!(scene.booking.is_known());
}

#[test]
fn what_passes_by_itself_ends_no_pending_booking_before_its_time() {
    let mut scene = scene("searched again");
    let until = START + Duration::from_hours(1);
    for why in [
        NoMatch::CalendarUnavailable,
        NoMatch::TooManyHolds { retry_at: until },
    ] {
        let attempt = scene.booking.attempt;
        scene.run(|b, d| b.refuse(d, refuse(attempt, why)));
        let waiting = Waiting::Calendar;
        assert_eq!(scene.booking.phase, Phase::Pending { waiting, until });
        assert_eq!(scene.say("resume"), "pending", "the lease is not over");
        scene = scene.later(Duration::from_secs(30));
        assert_eq!(scene.say("resume"), "pending [seek]", "{why:?}");
    }
    let over = scene.later(Duration::from_hours(1)).then("resume");
    assert_eq!(over.booking.phase, Phase::Expired(Expiry::Unanswered));
}

#[test]
fn a_request_that_nobody_was_answered_does_not_expire_and_may_come_again() {
    let mut scene = Scene::pending().later(Duration::from_hours(1));
    assert_eq!(scene.say("resume"), "expired");
    assert_eq!(scene.booking.phase, Phase::Unmatched);
    let why = NoMatch::CalendarUnavailable;
    assert_eq!(scene.booking.unmatched, Some(why));
    assert!(!scene.booking.is_known());
    assert_eq!(
        scene.told(),
        [(Attempt::FIRST, Ending::Released)],
        "the driver may have had something held"
    );
    assert_eq!(scene.say("create"), "pending [seek]");
}

#[test]
fn a_yes_that_comes_to_nothing_is_asked_for_again() {
    for command in ["no match", "unreadable"] {
        let mut scene = scene("approved").then(command);
        let until = scene.now + Duration::from_hours(72);
        let waiting = Waiting::Approval;
        assert_eq!(scene.booking.phase, Phase::Pending { waiting, until });
        assert!(!scene.booking.approved);
        assert_eq!(scene.booking.terms(), Some(&place(0).terms));
        assert_eq!(scene.say("approve"), "pending [seek]");
    }
}

#[test]
fn a_request_is_in_flight_until_its_first_answer() {
    for (state, in_flight) in [
        ("pending", true),
        ("unmatched", false),
        ("postponed", false),
        ("searched again", false),
        ("awaiting approval", false),
        ("approved", false),
        ("held", false),
        ("moving", false),
    ] {
        let mut scene = scene(state);
        assert_eq!(scene.booking.in_flight().is_some(), in_flight, "{state}");
        let stands = scene.booking.phase.word();
        assert_eq!(scene.say("create"), stands, "{state}");
    }
}

#[test]
fn only_bookings_that_are_known_are_listed() {
    let listed = |state| {
        let mut tasks = scene(state).tasks.into_iter();
        tasks.any(|task| matches!(task, Task::Project(_)))
    };
    assert!(!listed("pending"));
    assert!(!listed("unmatched"));
    assert!(listed("postponed"));
    assert!(listed("awaiting approval"));
    assert!(listed("held"));
}

#[test]
fn the_terms_outlive_the_slot() {
    let terms = place(0).terms;
    for state in ["awaiting approval", "approved", "held too long", "expired"] {
        let mut scene = scene(state);
        assert_eq!(scene.booking.terms(), Some(&terms), "{state}");
        scene.say("decline");
        assert_eq!(scene.booking.terms(), Some(&terms), "{state}, declined");
    }
    assert_eq!(scene("pending").booking.terms(), None);
}

#[test]
fn a_hold_lapses_unless_it_was_accepted() {
    let late = Duration::from_mins(15);
    for (commands, ending) in [
        (&["held"][..], Ending::Lapsed),
        (&["held", "finalize", "suspend"], Ending::Released),
        (
            &["held", "finalize", "suspend for the guest"],
            Ending::Lapsed,
        ),
    ] {
        let scene = || Scene::pending().after(commands);
        assert_eq!(scene().booking.phase.word(), "held");
        let over = scene().later(late).then("resume");
        assert_eq!(over.booking.phase, Phase::Expired(Expiry::Hold));
        assert_eq!(over.told(), [(Attempt::FIRST, ending)], "{commands:?}");
        let canceled = scene().then("cancel");
        assert_eq!(canceled.told(), [(Attempt::FIRST, ending)], "{commands:?}");
    }
}

#[test]
fn nobody_hears_of_an_attempt_that_asked_nobody() {
    let first = Attempt::FIRST;
    for (commands, told) in [
        // The guest was noted as one who waits for the host.
        (&["await approval", "decline"][..], &[first][..]),
        (&["await approval", "cancel"], &[first]),
        (&["await approval", "approve", "no match"], &[first.next()]),
        // The driver has not come back: it may have had something held.
        (&["cancel"], &[first]),
        (&["no match"], &[]),
        (&["postpone", "cancel"], &[]),
        (&["held", "cancel"], &[first]),
    ] {
        let scene = Scene::pending().after(commands);
        let attempts: Vec<Attempt> = scene.told().iter().map(|it| it.0).collect();
        assert_eq!(attempts, told, "{commands:?}");
    }
}

#[test]
fn the_end_of_an_attempt_is_word_of_those_before_it() {
    let mut scene = scene("searched again");
    scene.now = scene.now + Duration::from_secs(30);
    // The second driver has not come back, and the third has found nothing without holding anything.
    scene.say("resume");
    scene.say("no match");
    let third = Attempt::FIRST.next().next();
    assert_eq!(scene.told(), [(third, Ending::Released)]);
}

/// A day of the host.
fn day(number: u32) -> ActorName {
    let name = format!("host-match/did:web:ada.example.com/2026-01-0{number}");
    name.parse().unwrap()
}

/// What days were told, so far.
fn told_to_days(scene: &Scene) -> Vec<(ActorName, u32, Ending)> {
    let told = scene.tasks.iter().filter_map(|task| match task {
        Task::Tell { to, command } if to.is_day() => match &**command {
            Command::HostMatch(host_match::Command::Finish(it)) => {
                let attempt = serde_json::to_value(it.attempt).unwrap();
                let attempt = attempt.as_u64().unwrap().try_into().unwrap();
                Some((to.clone(), attempt, it.ending))
            }
            _ => None,
        },
        _ => None,
    });
    told.collect()
}

#[test]
fn days_hear_what_becomes_of_the_attempts_that_they_hold() {
    let mut scene = Scene::pending();
    let failed = NextAttempt {
        attempt: scene.booking.attempt,
        above: scene.booking.attempt,
        days: vec![day(1), day(2)],
    };
    scene.run(|b, d| b.next_attempt(d, failed));
    let mut told = vec![(day(1), 1, Ending::Released), (day(2), 1, Ending::Released)];
    assert_eq!(
        told_to_days(&scene),
        told,
        "at once: they may not be asked again"
    );
    let hold = |scene: &mut Scene, days: &[u32]| {
        let until = scene.now + Duration::from_mins(15);
        let held = Held {
            days: days.iter().map(|number| day(*number)).collect(),
            ..held(scene.booking.attempt, until)
        };
        scene.run(|b, d| b.held(d, held));
    };
    hold(&mut scene, &[1, 2]);
    scene = scene.after(&["finalize", "commit", "reschedule"]);
    hold(&mut scene, &[2, 3]);
    scene.say("commit");
    told.extend([
        (day(1), 2, Ending::Confirmed),
        (day(2), 2, Ending::Confirmed),
        (day(2), 3, Ending::Confirmed),
        (day(3), 3, Ending::Confirmed),
        (day(1), 2, Ending::Released),
        (day(2), 2, Ending::Released),
    ]);
    assert_eq!(told_to_days(&scene), told);
    scene.say("cancel");
    told.extend([(day(2), 3, Ending::Released), (day(3), 3, Ending::Released)]);
    assert_eq!(told_to_days(&scene), told);
}

#[test]
fn a_day_counts_no_lapses() {
    let mut scene = Scene::pending();
    let guests: ActorName = "host-match/did:web:bob.example.com/2026-01-01"
        .parse()
        .unwrap();
    let held = Held {
        days: vec![guests.clone()],
        ..held(scene.booking.attempt, scene.now + Duration::from_mins(15))
    };
    scene.run(|b, d| b.held(d, held));
    scene.say("cancel");
    assert_eq!(scene.told(), [(Attempt::FIRST, Ending::Lapsed)]);
    assert_eq!(told_to_days(&scene), [(guests, 1, Ending::Released)]);
}
