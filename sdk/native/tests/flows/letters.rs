//! Letters to one side alone: that an answer is waited for, what came of a request, and that a calendar is lost.

use std::time::Duration;

use huddle_core::ActorName;
use huddle_core::availability::{Found, Side};
use huddle_core::booking::{Booking, Mode};
use huddle_core::host_match::Role;
use huddle_core::mail::NoticeKind;
use huddle_core::outbox::Task;
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{
    Access, Connect, ConnectorId, EndReading, Problem, Provider, Read, Unread,
};
use huddle_core::user_connector::sealing::Sealed;
use huddle_ports::Clock as _;

use super::stage::{Posted, Stage, header, stage_of_two, with_two};
use super::world::{did, key, request_id, tomorrow};

impl Stage {
    /// To whom mail went, with which subject, since this was last asked.
    fn take_mail(&self) -> Vec<(String, String)> {
        let mail = std::mem::take(&mut *self.outside.mail.lock().unwrap());
        let sent = mail.iter().map(|message| {
            let text = String::from_utf8(message.bytes.clone()).unwrap();
            let (name, _) = message.to.as_str().split_once('@').unwrap();
            (name.to_owned(), header(&text, "Subject"))
        });
        sent.collect()
    }

    /// The first letter that went out since mail was last taken, its broken lines put together (RFC 2045 §6.7).
    fn first_letter(&self) -> String {
        let mail = self.outside.mail.lock().unwrap();
        let text = String::from_utf8(mail[0].bytes.clone()).unwrap();
        text.replace("=\r\n", "")
    }

    /// Runs all that is to be brought about twice.
    async fn bring_about_twice(&self) {
        for (_, task) in self.published().await {
            for _ in 0..2 {
                self.tasks.run(&task).await.unwrap();
            }
        }
        self.bring_about().await;
    }
}

/// A request that waits for the host's answer.
async fn asked(stage: &Stage) -> Booking {
    stage.world.say(|it| it.mode = Mode::Approve);
    stage.world.request("bob", "ada", "k").await.unwrap()
}

fn letter(to: &str, subject: &str) -> Vec<(String, String)> {
    vec![(to.to_owned(), subject.to_owned())]
}

const REQUEST: &str = "Request: meeting with did:web:bob.example.com";
const APP: &str = "https://app.example.com/hooks/ada";

#[tokio::test]
async fn the_first_letter_that_tells_of_somebody_has_their_name() {
    let stage = with_two(Stage::with_handles()).await;
    asked(&stage).await;
    stage.bring_about_twice().await;
    let subject = "Request: meeting with @bob.example.com";
    assert_eq!(stage.take_mail(), letter("ada", subject));
}

#[tokio::test]
async fn a_host_is_told_once_that_their_answer_is_waited_for() {
    let stage = stage_of_two().await;
    let booking = asked(&stage).await;
    stage.bring_about_twice().await;
    let mail = stage.outside.mail.lock().unwrap().clone();
    let text = String::from_utf8(mail[0].bytes.clone()).unwrap();
    // 72 hours after noon of the first of January.
    assert!(
        text.contains("Answer until: Sunday, 4 January 2026, 12:00 (UTC)"),
        "{text}"
    );
    assert!(
        !text.contains("When:") && !text.contains("text/calendar"),
        "{text}"
    );
    assert_eq!(stage.take_mail(), letter("ada", REQUEST));
    // The same request again is the same booking.
    asked(&stage).await;
    stage.bring_about_twice().await;
    assert_eq!(stage.take_mail(), []);
    let approve = key("ada", "approve", "k");
    let approved = stage.world.flows.approve(&booking.id, approve).await;
    assert_eq!(approved.unwrap().unwrap().phase.word(), "confirmed");
    stage.bring_about_twice().await;
    let to: Vec<_> = stage.take_mail().into_iter().map(|(to, _)| to).collect();
    assert_eq!(to, ["ada", "bob"]);
}

#[tokio::test]
async fn a_host_is_asked_once_more_where_there_was_no_time_for_their_yes() {
    let stage = stage_of_two().await;
    let booking = asked(&stage).await;
    stage.bring_about().await;
    stage.take_mail();
    stage.world.say(|it| it.hours.clear());
    let approve = key("ada", "approve", "k");
    let approved = stage.world.flows.approve(&booking.id, approve).await;
    assert_eq!(approved.unwrap().unwrap().phase.word(), "pending");
    stage.bring_about_twice().await;
    assert_eq!(stage.take_mail(), letter("ada", REQUEST));
}

/// What a host is told who has said yes, where the search then comes to this.
async fn told_after_a_yes(found: Found) -> String {
    let stage = stage_of_two().await;
    let booking = asked(&stage).await;
    stage.bring_about().await;
    stage.take_mail();
    stage.world.say(|it| it.instead = Some(found));
    let approve = key("ada", "approve", "k");
    let approved = stage.world.flows.approve(&booking.id, approve).await;
    assert_eq!(approved.unwrap().unwrap().phase.word(), "pending");
    stage.bring_about().await;
    let text = stage.first_letter();
    assert_eq!(stage.take_mail(), letter("ada", REQUEST));
    text
}

#[tokio::test]
async fn a_host_is_told_to_make_room_only_where_that_helps_and_never_whose_affair_it_is() {
    let nothing = told_after_a_yes(Found::Proposals(Vec::new())).await;
    assert!(nothing.contains("Make room"), "{nothing}");
    let passing = told_after_a_yes(Found::Unreadable(Side::Guest)).await;
    assert!(passing.contains("no time could be settled"), "{passing}");
    assert!(!passing.contains("Make room"), "{passing}");
    let later = tomorrow(0).start();
    for found in [
        Found::Unreadable(Side::Host { stranger: false }),
        Found::StrangersWait(later),
    ] {
        assert_eq!(told_after_a_yes(found.clone()).await, passing, "{found:?}");
    }
}

#[tokio::test]
async fn whoever_has_not_said_yes_yet_is_not_told_that_they_have() {
    let stage = stage_of_two().await;
    stage
        .world
        .say(|it| it.instead = Some(Found::Delayed(Side::Guest)));
    let booking = asked(&stage).await;
    for found in [Some(Found::Unreadable(Side::Guest)), None] {
        stage.world.say(|it| it.instead = found);
        stage.world.clock.step(Duration::from_mins(1));
        let resumed = stage.world.flows.resume(&booking.id).await.unwrap();
        assert_eq!(resumed.unwrap().phase.word(), "pending");
    }
    stage.bring_about().await;
    let text = stage.first_letter();
    assert!(text.contains("You are asked for this meeting"), "{text}");
}

#[tokio::test]
async fn a_host_who_was_asked_is_told_by_every_way_that_the_request_was_taken_back() {
    let stage = Stage::with_direct_messages();
    stage.confirm_address("ada").await;
    stage.confirm_address("bob").await;
    stage.hook("ada", APP).await.unwrap();
    let booking = asked(&stage).await;
    stage.bring_about().await;
    stage.take_mail();
    let (cancel, reason) = (key("bob", "cancel", "k"), Some("It is solved".to_owned()));
    let canceled = stage.world.flows.cancel(&booking.id, cancel, reason);
    canceled.await.unwrap().unwrap();
    stage.bring_about_twice().await;
    let text = stage.first_letter();
    for (part, is_there) in [
        ("The request for this meeting was taken back", true),
        ("> It is solved", true),
        ("text/calendar", false),
        ("When:", false),
        ("Answer until:", false),
    ] {
        assert_eq!(text.contains(part), is_there, "{part}: {text}");
    }
    let subject = "Canceled: meeting with did:web:bob.example.com";
    assert_eq!(stage.take_mail(), letter("ada", subject));
    let posted = stage.posted(APP);
    let kinds: Vec<_> = posted.iter().map(Posted::kind).collect();
    assert_eq!(kinds, ["booking.requested", "booking.canceled"]);
    let messages = stage.outside.messages.lock().unwrap();
    let told: Vec<_> = messages.iter().map(|it| (it.to.clone(), it.told)).collect();
    let withdrawn = NoticeKind::Withdrawn { by: Role::Guest };
    let expect = [NoticeKind::Requested, withdrawn].map(|kind| (did("ada"), kind));
    assert_eq!(told, expect);
}

#[tokio::test]
async fn a_guest_is_told_that_the_host_has_called_their_request_off() {
    for mode in [Mode::Approve, Mode::Auto] {
        let stage = stage_of_two().await;
        stage.world.say(|it| it.mode = mode);
        let booking = stage.world.request("bob", "ada", "k").await.unwrap();
        stage.bring_about().await;
        stage.take_mail();
        let cancel = key("ada", "cancel", "k");
        let canceled = stage.world.flows.cancel(&booking.id, cancel, None);
        canceled.await.unwrap().unwrap();
        stage.bring_about_twice().await;
        let text = stage.first_letter();
        assert!(
            text.contains("called off before it was confirmed"),
            "{text}"
        );
        assert!(!text.contains("text/calendar"), "{text}");
        let subject = "Canceled: meeting with did:web:ada.example.com";
        assert_eq!(stage.take_mail(), letter("bob", subject), "{mode:?}");
    }
}

#[tokio::test]
async fn a_host_hears_nothing_of_a_hold_that_its_guest_gives_up() {
    let stage = stage_of_two().await;
    let booking = stage.world.request("bob", "ada", "k").await.unwrap();
    stage.bring_about().await;
    let cancel = key("bob", "cancel", "k");
    let canceled = stage.world.flows.cancel(&booking.id, cancel, None);
    canceled.await.unwrap().unwrap();
    stage.bring_about_twice().await;
    assert_eq!(stage.take_mail(), []);
}

#[tokio::test]
async fn a_guest_is_told_once_that_their_request_was_declined() {
    let stage = stage_of_two().await;
    let booking = asked(&stage).await;
    stage.bring_about().await;
    stage.take_mail();
    let decline = key("ada", "decline", "k");
    let reason = Some("Next month, please".to_owned());
    let declined = stage.world.flows.decline(&booking.id, decline, reason);
    declined.await.unwrap().unwrap();
    stage.bring_about_twice().await;
    let text = stage.outside.mail.lock().unwrap()[0].bytes.clone();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("> Next month, please"), "{text}");
    let subject = "Declined: meeting with did:web:ada.example.com";
    assert_eq!(stage.take_mail(), letter("bob", subject));
}

#[tokio::test]
async fn a_guest_is_told_once_that_their_request_has_expired() {
    for (mode, wait) in [(Mode::Approve, 72 * 60), (Mode::Auto, 15)] {
        let stage = stage_of_two().await;
        stage.world.say(|it| it.mode = mode);
        stage.world.request("bob", "ada", "k").await.unwrap();
        stage.bring_about().await;
        stage.take_mail();
        stage.world.clock.step(Duration::from_mins(wait));
        let id = request_id("bob", "k");
        let expired = stage.world.flows.read(&id, None).await.unwrap();
        assert_eq!(expired.unwrap().phase.word(), "expired");
        stage.bring_about_twice().await;
        let subject = "Expired: meeting with did:web:ada.example.com";
        assert_eq!(stage.take_mail(), letter("bob", subject), "{mode:?}");
    }
}

#[tokio::test]
async fn accounts_get_messages_only_where_there_is_a_way_to_send_them() {
    let without = Stage::new();
    without.meeting().await;
    assert!(without.outside.messages.lock().unwrap().is_empty());
    let stage = Stage::with_direct_messages();
    let booking = stage.confirmed().await;
    stage.bring_about_twice().await;
    let mut messages = stage.outside.messages.lock().unwrap().clone();
    messages.sort_by(|a, b| a.id.cmp(&b.id));
    let [to_bob, to_ada] = messages.try_into().unwrap();
    for (message, to, with, party) in [
        (to_bob, "bob", "ada", "guest"),
        (to_ada, "ada", "bob", "host"),
    ] {
        assert_eq!(message.told, NoticeKind::Confirmed);
        assert_eq!((message.to, message.with), (did(to), did(with).to_string()));
        assert_eq!(message.slot, Some(tomorrow(0)));
        assert!(message.id.starts_with(booking.id.as_str()));
        assert!(message.id.ends_with(party));
    }
}

/// Connects a calendar of Ada's, for the first time or anew.
async fn connect(stage: &Stage, nonce: &str, anew: bool) {
    let connect = Connect {
        nonce: nonce.into(),
        ticket_expires_at: stage.world.clock.now() + Duration::from_mins(15),
        id: ConnectorId::from("c1".to_owned()),
        anew,
        provider: Provider::CalDav,
        access: Access::Events,
        label: Some("Work".into()),
        credentials: Sealed::from("k.AAAA".to_owned()),
    };
    let ada = ActorName::user_connector(&did("ada"));
    let connected = ask(&*stage.world.store, &ada, connect).await;
    connected.unwrap().unwrap();
    // It is written down.
    stage.bring_about().await;
}

/// It turns out that her calendar cannot be read.
async fn unread(stage: &Stage, revision: u32, problem: Problem) {
    let end = EndReading {
        reader: None,
        outcomes: vec![Read {
            id: ConnectorId::from("c1".to_owned()),
            revision,
            outcome: Err(Unread {
                problem,
                retry_after_secs: None,
            }),
        }],
    };
    let ada = ActorName::user_connector(&did("ada"));
    ask(&*stage.world.store, &ada, end).await.unwrap();
}

#[tokio::test]
async fn somebody_is_told_once_each_time_that_a_calendar_lets_nobody_in() {
    let stage = stage_of_two().await;
    let lost = || letter("ada", "Your calendar is not connected any more");
    connect(&stage, "1", false).await;
    unread(&stage, 1, Problem::Failed).await;
    assert_eq!(stage.due(), [], "that passes by itself");
    for problem in [
        Problem::Unauthorized,
        Problem::Unauthorized,
        Problem::TimedOut,
        Problem::Unauthorized,
    ] {
        unread(&stage, 1, problem).await;
    }
    assert_eq!(stage.due().len(), 1);
    let (_, task) = stage.due().remove(0);
    assert!(matches!(task, Task::TellDisconnected { .. }), "{task:?}");
    stage.bring_about().await;
    let text = stage.outside.mail.lock().unwrap()[0].bytes.clone();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("CalDAV calendar"), "{text}");
    assert_eq!(stage.take_mail(), lost());
    // Connected anew, there is nothing to tell of the time before.
    connect(&stage, "2", true).await;
    stage.tasks.run(&task).await.unwrap();
    unread(&stage, 1, Problem::Unauthorized).await;
    stage.bring_about().await;
    assert_eq!(stage.take_mail(), []);
    unread(&stage, 2, Problem::Unauthorized).await;
    stage.bring_about_twice().await;
    assert_eq!(stage.messages().len(), 1, "two that are the same");
    assert_eq!(stage.take_mail()[0], lost()[0]);
}

#[tokio::test]
async fn a_lost_calendar_is_told_of_to_a_confirmed_address_alone() {
    let stage = Stage::new();
    connect(&stage, "1", false).await;
    unread(&stage, 1, Problem::Unauthorized).await;
    stage.bring_about().await;
    assert_eq!(stage.take_mail(), []);
}
