//! What an event or a period says of itself, in the words of [`crate::busy`].

use super::component::{Component, Property};
use super::event::Event;
use crate::Interval;
use crate::busy::{Event as Marked, Response, ShownAs, Span, Status, Transparency};

/// The marks of an event whose owner is one of these mail addresses.
pub(super) fn of_event<'d>(event: &Event<'d>, owner: &[&str]) -> Marked<'d> {
    let component = event.component;
    let transparent = all(component, "TRANSP", &["TRANSPARENT"]);
    Marked {
        uid: Some(event.uid).filter(|uid| !uid.is_empty()),
        status: if event.is_canceled || all(component, "STATUS", &["CANCELLED"]) {
            Status::Cancelled
        } else if all(component, "STATUS", &["CANCELLED", "TENTATIVE"]) {
            Status::Tentative
        } else {
            Status::Confirmed
        },
        transparency: if transparent {
            Transparency::Transparent
        } else {
            Transparency::Opaque
        },
        response: response(component, owner),
        shown_as: value(component, "X-MICROSOFT-CDO-BUSYSTATUS").and_then(shown_as),
        ..Marked::new(Span::Timed(None))
    }
}

/// A period of a `VFREEBUSY`, by its `FBTYPE`; one that is not known is busy (RFC 5545 §3.2.9).
pub(super) fn of_period(interval: Interval, kind: Option<&str>) -> Marked<'static> {
    let is = |name: &str| kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(name));
    let shown_as = if is("FREE") {
        Some(ShownAs::Free)
    } else if is("BUSY-TENTATIVE") {
        Some(ShownAs::Tentative)
    } else {
        None
    };
    Marked {
        shown_as,
        ..Marked::new(Span::Timed(Some(interval)))
    }
}

/// Whether a property that may be there once says one of some words, and nothing else however often it is there.
fn all(component: &Component<'_>, name: &str, words: &[&str]) -> bool {
    let says_so = |property: &Property<'_>| {
        let value = property.value().trim();
        words.iter().any(|word| word.eq_ignore_ascii_case(value))
    };
    let mut properties = component.properties.iter().filter(|p| p.is(name));
    properties.next().is_some_and(says_so) && properties.all(says_so)
}

fn value<'d>(component: &'d Component<'d>, name: &str) -> Option<&'d str> {
    component
        .property(name)
        .map(|property| property.value().trim())
}

fn shown_as(value: &str) -> Option<ShownAs> {
    const VALUES: [(&str, ShownAs); 5] = [
        ("FREE", ShownAs::Free),
        ("TENTATIVE", ShownAs::Tentative),
        ("BUSY", ShownAs::Busy),
        ("OOF", ShownAs::OutOfOffice),
        ("WORKINGELSEWHERE", ShownAs::WorkingElsewhere),
    ];
    let known = VALUES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(value));
    known.map(|(_, shown_as)| *shown_as)
}

/// What the owner has answered, if invited; of several answers, the one that takes the most time.
fn response(component: &Component<'_>, owner: &[&str]) -> Option<Response> {
    if owner.is_empty() {
        return None;
    }
    let attendees = component
        .properties
        .iter()
        .filter(|property| property.is("ATTENDEE"));
    let own = attendees.filter(|attendee| is_one_of(attendee, owner));
    own.map(answer).max_by_key(|answer| match answer {
        Some(Response::Declined) => 0,
        Some(Response::NeedsAction) => 1,
        Some(Response::Tentative) => 2,
        Some(Response::Accepted) | None => 3,
    })?
}

/// `DELEGATED` has sent somebody else (RFC 5545 §3.2.12).
fn answer(attendee: &Property<'_>) -> Option<Response> {
    let answer = attendee.parameter("PARTSTAT")?;
    let is = |name: &str| answer.eq_ignore_ascii_case(name);
    if is("DECLINED") || is("DELEGATED") {
        Some(Response::Declined)
    } else if is("TENTATIVE") {
        Some(Response::Tentative)
    } else if is("NEEDS-ACTION") {
        Some(Response::NeedsAction)
    } else {
        Some(Response::Accepted)
    }
}

/// Known by `mailto:`, or by `EMAIL` (RFC 7986 §6.2) where the address is of another kind.
fn is_one_of(attendee: &Property<'_>, owner: &[&str]) -> bool {
    let address = attendee.value().trim();
    let mail = match address.split_at_checked(7) {
        Some((scheme, mail)) if scheme.eq_ignore_ascii_case("mailto:") => mail,
        _ => address,
    };
    let email = attendee.parameter("EMAIL");
    owner.iter().any(|own| {
        own.eq_ignore_ascii_case(mail)
            || email
                .as_ref()
                .is_some_and(|email| own.eq_ignore_ascii_case(email))
    })
}
