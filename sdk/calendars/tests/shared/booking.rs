//! A person and a booking of theirs, in any phase.

use huddle_core::ActorName;
use huddle_core::booking::{
    Asked, Attempt, Booking, BookingId, BookingIds, Create, GuestSide, Mode, Phase, Place, Terms,
};
use huddle_core::transport::ask;
use huddle_core::{ActorTransport, Interval};
use huddle_ports::Timestamp;
use huddle_syntax::Did;

pub(crate) fn ana() -> Did {
    "did:web:ana.example.com".parse().unwrap()
}

pub(crate) fn id(number: u32) -> BookingId {
    BookingIds::new(&[7; 32]).of_request(&ana(), "match", &number.to_string())
}

fn place(slot: Interval) -> Place {
    Place {
        slot,
        terms: Terms {
            offer: None,
            tz: "UTC".into(),
            mode: Mode::Auto,
            guest_side: GuestSide::Unchecked,
        },
    }
}

pub(crate) fn held(slot: Interval) -> Phase {
    Phase::Held {
        place: place(slot),
        until: Timestamp::MAX,
        accepted: false,
    }
}

pub(crate) fn confirmed(slot: Interval) -> Phase {
    Phase::Confirmed {
        attempt: Attempt::FIRST,
        place: place(slot),
        change: None,
    }
}

/// The first booking of Ana's, as a host.
pub(crate) async fn booking(actors: &dyn ActorTransport, phase: Phase) -> Booking {
    let create = Create {
        asked: Asked::new(ana(), "did:web:bob.example.com".parse().unwrap()),
        body_hash: String::new(),
    };
    let name = ActorName::booking(&id(1));
    let standing = ask(actors, &name, create).await.unwrap().unwrap();
    let mut booking = *standing.booking;
    booking.phase = phase;
    booking
}
