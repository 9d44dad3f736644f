//! What a person's actor keeps of connected calendars, and for how long.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

#[expect(
    dead_code,
    reason = "the model takes rows out of it, which stay in it here"
)]
#[path = "model/sql.rs"]
mod sql;

use std::time::Duration;

use huddle_core::actor::{self, Ask};
use huddle_core::booking::{BookingId, BookingIds};
use huddle_core::idempotency::Key;
use huddle_core::index::audit::Deed;
use huddle_core::outbox::{self, Task};
use huddle_core::user_connector::addresses::{ConfirmAddress, ReadAddress, SetAddress};
use huddle_core::user_connector::connector::{
    Access, BeginReading, BeingRead, Connect, ConnectRefused, ConnectorId, Disconnect,
    DisconnectRefused, ForgetEvent, GetCalendars, MAX_CONNECTORS, NoteEvent, Provider, Reseal,
};
use huddle_core::user_connector::sealing::Sealed;
use huddle_core::user_connector::webhook::{ReadWebhook, RemoveWebhook, SetWebhook};
use huddle_core::user_connector::{Erase, GetPreferences, PutPreferences, sealed_otherwise};
use huddle_core::{ActorName, Limits};
use huddle_ports::Timestamp;
use huddle_syntax::Did;
use sql::Store;

const NOW: Timestamp = Timestamp::from_millis(1_796_083_200_000);

fn person(name: &str) -> ActorName {
    let did: Did = format!("did:web:{name}.example.com").parse().unwrap();
    ActorName::user_connector(&did)
}

fn ask<A: Ask>(store: &mut Store, who: &ActorName, at: Timestamp, question: A) -> A::Answer {
    ask_within(&Limits::default(), store, who, at, question)
}

fn ask_within<A: Ask>(
    limits: &Limits,
    store: &mut Store,
    who: &ActorName,
    at: Timestamp,
    question: A,
) -> A::Answer {
    let reply = actor::handle(store, who, at, limits, question.into());
    A::answer(reply.unwrap()).unwrap()
}

fn connect(number: u32, key: &str) -> Connect {
    Connect {
        nonce: number.to_string(),
        ticket_expires_at: NOW + Duration::from_mins(15),
        id: ConnectorId::from(format!("c{number}")),
        anew: false,
        provider: Provider::Ics,
        access: Access::FreeBusy,
        label: None,
        credentials: Sealed::from(format!("{key}.AAAA")),
    }
}

fn booking() -> BookingId {
    let did = "did:web:ana.example.com".parse().unwrap();
    BookingIds::new(&[7; 32]).of_request(&did, "match", "1")
}

#[test]
fn a_reader_of_calendars_is_left_alone_for_as_long_as_the_limits_say() {
    for secs in [20, 120] {
        let limits = Limits {
            calendar_lease_secs: secs,
            ..Limits::default()
        };
        let (mut store, ana) = (Store::new(&[]), person("ana"));
        assert_eq!(ask(&mut store, &ana, NOW, connect(1, "k1")), Ok(()));
        let mut begin = |reader: &str, at| {
            let reader = reader.to_owned();
            ask_within(&limits, &mut store, &ana, at, BeginReading { reader }).map(drop)
        };
        assert_eq!(begin("one", NOW), Ok(()));
        let end = NOW + Duration::from_secs(secs.into());
        let before = end - Duration::from_millis(1);
        assert_eq!(begin("another", before), Err(BeingRead));
        assert_eq!(begin("another", end), Ok(()));
    }
}

#[test]
fn that_a_booking_has_an_event_is_known_for_a_day_after_the_meeting() {
    let (mut store, ana) = (Store::new(&[]), person("ana"));
    let ends = NOW + Duration::from_hours(1);
    let id = ConnectorId::from("c1".to_owned());
    let note = NoteEvent {
        booking: booking(),
        id: id.clone(),
        ends,
    };
    ask(&mut store, &ana, NOW, note);
    let end = ends + Duration::from_hours(24);
    let event_at = |store: &mut Store, at| {
        actor::wake(store, &ana, at, &Limits::default()).unwrap();
        let event_of = Some(booking());
        ask(store, &ana, at, GetCalendars { event_of }).event_in
    };
    assert_eq!(
        event_at(&mut store, end - Duration::from_millis(1)),
        Some(id)
    );
    assert_eq!(event_at(&mut store, end), None);
    assert!(!actor::remembers(&mut store, &ana).unwrap());
}

#[test]
fn an_event_that_was_removed_is_forgotten_at_once() {
    let (mut store, ana) = (Store::new(&[]), person("ana"));
    let note = NoteEvent {
        booking: booking(),
        id: ConnectorId::from("c1".to_owned()),
        ends: NOW,
    };
    ask(&mut store, &ana, NOW, note);
    let booking = booking();
    ask(&mut store, &ana, NOW, ForgetEvent { booking });
    assert!(!actor::remembers(&mut store, &ana).unwrap());
}

#[test]
fn a_used_ticket_is_refused_until_it_has_ended_and_then_because_it_has() {
    let (mut store, ana) = (Store::new(&[]), person("ana"));
    let connect = connect(1, "k1");
    let end = connect.ticket_expires_at;
    let mut attempt = |at| {
        actor::wake(&mut store, &ana, at, &Limits::default()).unwrap();
        ask(&mut store, &ana, at, connect.clone())
    };
    assert_eq!(attempt(NOW), Ok(()));
    for at in [NOW, end - Duration::from_millis(1), end] {
        assert_eq!(attempt(at), Err(ConnectRefused::TicketUsed));
    }
}

#[test]
fn a_person_connects_few_accounts_and_none_anew_that_is_not_there() {
    let (mut store, ana) = (Store::new(&[]), person("ana"));
    for number in 0..MAX_CONNECTORS {
        let connected = ask(&mut store, &ana, NOW, connect(number, "k1"));
        assert_eq!(connected, Ok(()));
    }
    let one_more = connect(MAX_CONNECTORS, "k1");
    let refused = ask(&mut store, &ana, NOW, one_more.clone());
    assert_eq!(refused, Err(ConnectRefused::TooMany));
    let anew = Connect {
        anew: true,
        ..one_more
    };
    let refused = ask(&mut store, &ana, NOW, anew);
    assert_eq!(refused, Err(ConnectRefused::NotFound));
}

#[test]
fn whoever_has_something_under_another_key_is_named_in_pages() {
    let mut store = Store::new(&[]);
    for (name, key) in [("ana", "k1"), ("bob", "k2"), ("cy", "k1"), ("di", "k0")] {
        for number in [1, 2] {
            let connected = ask(&mut store, &person(name), NOW, connect(number, key));
            assert_eq!(connected, Ok(()));
        }
    }
    let first = sealed_otherwise(&mut store, "k2", "", 2).unwrap();
    assert_eq!(first, [person("ana"), person("cy")]);
    let rest = sealed_otherwise(&mut store, "k2", first[1].as_str(), 2).unwrap();
    assert_eq!(rest, [person("di")]);
}

#[test]
fn of_whose_account_is_deleted_nothing_is_left_but_that_their_tickets_are_used() {
    let (mut store, ana) = (Store::new(&[]), person("ana"));
    let key = |method: &str| Key {
        caller: "did:web:ana.example.com".parse().unwrap(),
        method: method.into(),
        key: "k".into(),
        body_hash: String::new(),
    };
    let put = PutPreferences {
        key: key("com.huddle.putPreferences"),
        document: r#"{"tz": "Europe/Madrid"}"#.into(),
        swap_revision: None,
    };
    ask(&mut store, &ana, NOW, put).unwrap();
    ask(&mut store, &ana, NOW, connect(1, "k1")).unwrap();
    let note = NoteEvent {
        booking: booking(),
        id: ConnectorId::from("c1".to_owned()),
        ends: NOW,
    };
    ask(&mut store, &ana, NOW, note);
    let address = SetAddress {
        key: key("com.huddle.requestEmailConfirmation"),
        expires: NOW + Duration::from_hours(24),
        sealed: Sealed::from("k1.AAAA".to_owned()),
        mark: "m".into(),
    };
    ask(&mut store, &ana, NOW, address).unwrap();
    let webhook = SetWebhook {
        key: key("com.huddle.putWebhook"),
        sealed: Sealed::from("k1.AAAA".to_owned()),
    };
    ask(&mut store, &ana, NOW, webhook).unwrap();
    for _ in 0..2 {
        ask(&mut store, &ana, NOW, Erase {});
    }
    assert_eq!(ask(&mut store, &ana, NOW, GetPreferences {}).document, "{}");
    let calendars = ask(
        &mut store,
        &ana,
        NOW,
        GetCalendars {
            event_of: Some(booking()),
        },
    );
    assert!(calendars.connectors.is_empty() && calendars.event_in.is_none());
    assert_eq!(ask(&mut store, &ana, NOW, ReadAddress {}), None);
    assert_eq!(ask(&mut store, &ana, NOW, ReadWebhook {}), None);
    let again = ask(&mut store, &ana, NOW, connect(1, "k1"));
    assert_eq!(again, Err(ConnectRefused::TicketUsed));
}

/// A request of Ana's, by its name.
fn key(name: &str) -> Key {
    Key {
        caller: "did:web:ana.example.com".parse().unwrap(),
        method: "com.huddle.test".into(),
        key: name.into(),
        body_hash: String::new(),
    }
}

/// What is to be written down of Ana.
fn deeds(store: &mut Store) -> Vec<Deed> {
    let entries = outbox::due(store, "project", NOW, 100).unwrap();
    let deeds = entries.into_iter().filter_map(|entry| match entry.task {
        Task::Record { person, at, deed } => {
            assert_eq!((person.as_str(), at), ("did:web:ana.example.com", NOW));
            Some(deed)
        }
        Task::List { .. } => None,
        other => panic!("{other:?}"),
    });
    deeds.collect()
}

#[test]
fn whether_somebody_is_found_follows_their_latest_preferences_whatever_comes_again() {
    let (mut store, ana) = (Store::new(&[]), person("ana"));
    for (listing, name) in [("listed", "a"), ("unlisted", "b"), ("listed", "a")] {
        let put = PutPreferences {
            key: key(name),
            document: format!(r#"{{"listing": "{listing}"}}"#),
            swap_revision: None,
        };
        ask(&mut store, &ana, NOW, put).unwrap();
    }
    let entries = outbox::due(&mut store, "project", NOW, 100).unwrap();
    let listings = entries.into_iter().filter_map(|entry| match entry.task {
        Task::List {
            listed, revision, ..
        } => Some((revision, listed)),
        _ => None,
    });
    assert_eq!(listings.collect::<Vec<_>>(), [(1, true), (2, false)]);
}

#[test]
fn what_somebody_does_with_what_is_theirs_is_to_be_written_down_and_what_is_refused_is_not() {
    let (mut store, ana) = (Store::new(&[]), person("ana"));
    let put = |document: &str, name: &str| PutPreferences {
        key: key(name),
        document: document.into(),
        swap_revision: None,
    };
    for document in ["{}", "{}"] {
        ask(&mut store, &ana, NOW, put(document, "put")).unwrap();
    }
    let nowhere = r#"{"tz": "Nowhere/Land"}"#;
    ask(&mut store, &ana, NOW, put(nowhere, "bad")).unwrap_err();
    ask(&mut store, &ana, NOW, connect(1, "k1")).unwrap();
    ask(&mut store, &ana, NOW, connect(1, "k1")).unwrap_err();
    let sealed = |text: &str| Sealed::from(text.to_owned());
    let reseal = || Reseal {
        id: ConnectorId::from("c1".to_owned()),
        before: sealed("k1.AAAA"),
        after: sealed("k2.AAAA"),
    };
    assert!(ask(&mut store, &ana, NOW, reseal()));
    assert!(!ask(&mut store, &ana, NOW, reseal()));
    let disconnect = |name: &str| Disconnect {
        key: key(name),
        id: ConnectorId::from("c1".to_owned()),
    };
    ask(&mut store, &ana, NOW, disconnect("gone")).unwrap();
    let refused = ask(&mut store, &ana, NOW, disconnect("again"));
    assert_eq!(refused, Err(DisconnectRefused::NotFound));
    let address = SetAddress {
        key: key("address"),
        expires: NOW + Duration::from_hours(24),
        sealed: sealed("k1.AAAA"),
        mark: "m".into(),
    };
    ask(&mut store, &ana, NOW, address).unwrap();
    let confirm = |mark: &str| ConfirmAddress {
        key: key(mark),
        mark: mark.into(),
    };
    ask(&mut store, &ana, NOW, confirm("other")).unwrap_err();
    ask(&mut store, &ana, NOW, confirm("m")).unwrap();
    let webhook = SetWebhook {
        key: key("webhook"),
        sealed: sealed("k1.AAAA"),
    };
    ask(&mut store, &ana, NOW, webhook).unwrap();
    for name in ["remove", "remove", "none is left"] {
        let remove = RemoveWebhook { key: key(name) };
        ask(&mut store, &ana, NOW, remove).unwrap();
    }
    assert_eq!(
        deeds(&mut store),
        [
            Deed::PreferencesPut,
            Deed::CalendarConnected(Provider::Ics),
            Deed::Resealed,
            Deed::CalendarRemoved(Provider::Ics),
            Deed::AddressConfirmed,
            Deed::WebhookSet,
            Deed::WebhookRemoved,
        ]
    );
}
