//! A booking as a party's calendar takes it in.

use huddle_core::booking::{Booking, Phase};
use huddle_core::host_match::Role;
use huddle_core::index::people::Names;
use huddle_schedule::Zone;
use huddle_schedule::icalendar::{Attendee, Invitation, Method, Participation, Person, WriteError};
use huddle_syntax::Did;

use super::Called;

/// The invitation to a booking, or its cancellation, as `reader` has it; `None` if it was never confirmed.
///
/// People are found at their public profiles: no mail address is in it.
pub(super) fn write(
    booking: &Booking,
    reader: &Did,
    called: &Called,
) -> Result<Option<String>, WriteError> {
    let (method, place) = match &booking.phase {
        Phase::Confirmed { place, .. } => (Method::Request, place),
        Phase::Canceled { place: Some(place) } => (Method::Cancel, place),
        _ => return Ok(None),
    };
    let person = |did| person(did, called.get(did).unwrap_or(&Names::default()));
    let (host, guest) = (person(&booking.asked.host)?, person(&booking.asked.guest)?);
    let other = match booking.role(reader) {
        Some(Role::Host) => &guest,
        _ => &host,
    };
    let invitation = Invitation {
        method,
        uid: booking.id.to_string(),
        sequence: booking.sequence,
        stamp: booking.updated_at,
        interval: place.slot,
        zone: place.terms.tz.parse().unwrap_or(Zone::UTC),
        summary: format!("Meeting with {}", other.name),
        description: booking.asked.note.clone(),
        location: None,
        url: Some(other.address.as_str().to_owned()),
        organizer: host,
        attendees: vec![Attendee {
            person: guest,
            participation: Participation::Accepted,
            rsvp: false,
        }],
    };
    invitation.write().map(Some)
}

fn person(did: &Did, names: &Names) -> Result<Person, WriteError> {
    let handle = names.handle.as_ref().map(|handle| format!("@{handle}"));
    let name = names.display_name.clone().or(handle);
    Ok(Person {
        name: name.unwrap_or_else(|| did.to_string()),
        address: format!("https://bsky.app/profile/{did}").parse()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_called_by_their_names_and_found_at_their_profiles() {
        let did: Did = "did:plc:anaanaanaanaanaanaanaana".parse().unwrap();
        let named = |handle: Option<&str>, display_name: Option<&str>| {
            let names = Names {
                handle: handle.map(|it| it.parse().unwrap()),
                display_name: display_name.map(str::to_owned),
            };
            person(&did, &names).unwrap()
        };
        assert_eq!(named(Some("ana.test"), Some("Ana")).name, "Ana");
        assert_eq!(named(Some("ana.test"), None).name, "@ana.test");
        let nameless = named(None, None);
        assert_eq!(nameless.name, did.as_str());
        assert_eq!(
            nameless.address.as_str(),
            "https://bsky.app/profile/did:plc:anaanaanaanaanaanaanaana"
        );
    }
}
