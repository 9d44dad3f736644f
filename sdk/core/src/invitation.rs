//! A booking as a party's calendar takes it in.

use std::collections::BTreeMap;

use huddle_schedule::Zone;
use huddle_schedule::icalendar::{Attendee, Invitation, Method, Participation, Person, WriteError};
use huddle_syntax::Did;

use crate::booking::{Booking, Phase};
use crate::host_match::Role;
use crate::index::people::Names;

/// The invitation to a booking, or its cancellation, as one side has it; `None` if it was never confirmed.
///
/// People are found at their public profiles: no mail address is in it.
pub fn of(
    booking: &Booking,
    reader: Role,
    names: &BTreeMap<Did, Names>,
) -> Result<Option<Invitation>, WriteError> {
    let (method, place) = match &booking.phase {
        Phase::Confirmed { place, .. } => (Method::Request, place),
        Phase::Canceled { place: Some(place) } => (Method::Cancel, place),
        _ => return Ok(None),
    };
    let person = |did: &Did| {
        Ok(Person {
            name: called(did, names),
            address: profile(did).parse()?,
        })
    };
    let (host, guest) = (person(&booking.asked.host)?, person(&booking.asked.guest)?);
    let other = match reader {
        Role::Host => &guest,
        Role::Guest => &host,
    };
    Ok(Some(Invitation {
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
    }))
}

/// What somebody is called: by the name on their profile, else by their handle, else by their DID.
pub fn called(did: &Did, names: &BTreeMap<Did, Names>) -> String {
    let known = names.get(did);
    let name = known.and_then(|names| names.display_name.clone());
    name.or_else(|| handle(did, names))
        .unwrap_or_else(|| did.to_string())
}

/// Somebody's handle with its `@`, if one is known.
pub fn handle(did: &Did, names: &BTreeMap<Did, Names>) -> Option<String> {
    let handle = names.get(did)?.handle.as_ref()?;
    Some(format!("@{handle}"))
}

/// The page of somebody's public profile.
pub fn profile(did: &Did) -> String {
    format!("https://bsky.app/profile/{did}")
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
            called(&did, &BTreeMap::from([(did.clone(), names)]))
        };
        assert_eq!(named(Some("ana.test"), Some("Ana")), "Ana");
        assert_eq!(named(Some("ana.test"), None), "@ana.test");
        assert_eq!(named(None, None), did.as_str());
        assert_eq!(called(&did, &BTreeMap::new()), did.as_str());
        assert_eq!(
            profile(&did),
            "https://bsky.app/profile/did:plc:anaanaanaanaanaanaanaana"
        );
    }
}
