//! The events that a booking has in its parties' calendars.

use data_encoding::HEXLOWER;
use huddle_schedule::Interval;
use huddle_schedule::busy::Status;
use sha2::{Digest, Sha256};

/// Which event: the one of a booking in the calendar of one of its parties.
///
/// The name of its resource is made of both, and the same for ever: a request that is repeated meets the event that it
/// made before, and two parties may share one calendar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventKey {
    uid: String,
    resource: String,
}

impl EventKey {
    /// The event of the booking with the UID `uid`, which its invitations have too, in the calendar of `party`, by
    /// whatever name tells the parties of that booking apart.
    pub fn new(uid: &str, party: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"huddle calendar event\0");
        hash.update(uid.as_bytes());
        hash.update(b"\0");
        hash.update(party.as_bytes());
        let name = HEXLOWER.encode(&hash.finalize()[..16]);
        Self {
            uid: uid.to_owned(),
            resource: format!("{name}.ics"),
        }
    }

    /// The UID of the event (RFC 5545 §3.8.4.7).
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The name of the event's resource in its calendar, as [`Changes`](crate::Changes) give it.
    pub fn resource(&self) -> &str {
        &self.resource
    }
}

/// What is written into a calendar.
///
/// Attendees are left out: servers that know of them send invitations of their own (RFC 6638 §3), and those of the
/// booking are mailed by whoever writes this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookingEvent<'a> {
    /// When it is.
    pub time: Interval,
    /// [`Tentative`](Status::Tentative) for a hold, [`Confirmed`](Status::Confirmed) for what is settled.
    pub status: Status,
    /// How often it was changed; it never goes down (RFC 5545 §3.8.7.4).
    pub sequence: u32,
    /// Its title.
    pub summary: &'a str,
    /// Whom it is with, and whatever else is worth knowing.
    pub description: Option<&'a str>,
    /// Where it is.
    pub location: Option<&'a str>,
}

/// What a calendar has of an event of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventState {
    /// The version of it that the next change is to be made to.
    pub etag: String,
    /// When it is: `None` if its person made something of it that has no one time.
    pub time: Option<Interval>,
    /// Whether it is going to happen.
    pub status: Status,
    /// How often it was changed.
    pub sequence: u32,
}

impl EventState {
    /// Whether the calendar has what was to be written. iCalendar tells times to the second.
    pub fn is(&self, event: &BookingEvent<'_>) -> bool {
        let secs = |time: Interval| (time.start().as_secs(), time.end().as_secs());
        self.time.map(secs) == Some(secs(event.time))
            && self.status == event.status
            && self.sequence == event.sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_event_is_made_of_booking_and_party_and_never_changes() {
        let key = EventKey::new("b1@huddle.example", "did:plc:ana");
        assert_eq!(key, EventKey::new("b1@huddle.example", "did:plc:ana"));
        assert_eq!(key.uid(), "b1@huddle.example");
        // Stored by calendars: another name would be another event.
        assert_eq!(key.resource(), "e713dda57f306c859a9bd7d27631babd.ics");
        let others = [
            EventKey::new("b1@huddle.example", "did:plc:bob"),
            EventKey::new("b2@huddle.example", "did:plc:ana"),
        ];
        assert!(
            others
                .iter()
                .all(|other| other.resource() != key.resource())
        );
    }
}
