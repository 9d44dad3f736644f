//! Invitations and cancellations, as they are mailed and put into calendars (RFC 5546).
//!
//! What people wrote goes in as text, in which nothing but text can be: see [`plain`](super::plain). What has a
//! meaning to programs (`UID`, addresses, links) is refused if it is not of its kind.

use super::component::{Component, Property};
use super::text::escape;
use super::vtimezone;
use crate::{Interval, Zone};
use huddle_ports::Timestamp;
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// It asks to come, or tells of a change: a higher `SEQUENCE` under the same UID.
    Request,
    /// It calls the event off.
    Cancel,
    /// It tells of an event without asking anything.
    Publish,
}

/// What an attendee has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Participation {
    /// Nothing yet.
    NeedsAction,
    /// Will come.
    Accepted,
    /// Will not come.
    Declined,
    /// May come.
    Tentative,
}

/// Where somebody is found: a mail address, or a page for those whose mail address is nobody's business.
///
/// ```
/// use huddle_schedule::icalendar::CalendarAddress;
///
/// let mail: CalendarAddress = "mailto:ada@example.com".parse()?;
/// assert_eq!(mail.as_str(), "mailto:ada@example.com");
/// assert!("ada@example.com\r\nX:1".parse::<CalendarAddress>().is_err());
/// assert!("javascript:alert(1)".parse::<CalendarAddress>().is_err());
/// # Ok::<(), huddle_schedule::icalendar::WriteError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CalendarAddress(String);

impl CalendarAddress {
    /// As a URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CalendarAddress {
    type Err = WriteError;

    /// Of `mailto:…`, `https://…` or `http://…`.
    fn from_str(uri: &str) -> Result<Self, WriteError> {
        let address = match uri.strip_prefix("mailto:") {
            Some(mail) => mail_uri(mail),
            None => link(uri).map(str::to_owned),
        };
        address.map(Self).ok_or(WriteError::Address)
    }
}

/// The most characters of an address or link that is written.
const MAX_ADDRESS: usize = 1024;

/// `mailto:` and the address, encoded as RFC 6068 asks for.
fn mail_uri(mail: &str) -> Option<String> {
    let (name, domain) = mail.rsplit_once('@')?;
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let valid = !name.is_empty()
        && !domain.is_empty()
        && mail.len() <= MAX_ADDRESS
        && name.chars().all(plain)
        && domain
            .chars()
            .all(|c| c.is_alphanumeric() || "-.".contains(c));
    if !valid {
        return None;
    }
    let mut uri = "mailto:".to_owned();
    for byte in mail.bytes() {
        if byte.is_ascii_alphanumeric() || b"!$'*+-._~@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").ok()?;
        }
    }
    Some(uri)
}

/// A web address, if it is one.
fn link(uri: &str) -> Option<&str> {
    let rest = uri
        .strip_prefix("https://")
        .or_else(|| uri.strip_prefix("http://"))?;
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    (!rest.is_empty() && uri.len() <= MAX_ADDRESS && rest.bytes().all(allowed)).then_some(uri)
}

/// One side of a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// As others call them.
    pub name: String,
    /// Where they are found.
    pub address: CalendarAddress,
}

/// Somebody who is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Who.
    pub person: Person,
    /// What they have answered.
    pub participation: Participation,
    /// Whether an answer is asked for.
    pub rsvp: bool,
}

/// An event to be written, without recurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// What the file is for.
    pub method: Method,
    /// The same for ever, whatever becomes of the event.
    pub uid: String,
    /// Higher with each change.
    pub sequence: u32,
    /// When this was written.
    pub stamp: Timestamp,
    /// When it is, to the second.
    pub interval: Interval,
    /// On whose clock it is told; [`Zone::UTC`] for none.
    pub zone: Zone,
    /// One line.
    pub summary: String,
    /// More about it, if there is more.
    pub description: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// A page about it: `https://…`.
    pub url: Option<String>,
    /// Who calls the meeting.
    pub organizer: Person,
    /// Who is to come.
    pub attendees: Vec<Attendee>,
}

/// What cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A UID with what would have to be escaped, or that is empty or longer than 255 characters.
    #[error(
        "a UID has up to 255 characters, none of them a space, control character, comma, semicolon or backslash"
    )]
    Uid,
    /// Neither a mail address nor a web address.
    #[error("a calendar address is mailto: and a mail address, or a web address (https://)")]
    Address,
    /// A link that does not lead into the web.
    #[error("a link is a web address (https://)")]
    Link,
    /// A time before the year 1, or some 7,000 years from now, where zones are not told any more.
    #[error("an invitation cannot tell a time that far away")]
    Time,
}

impl Invitation {
    /// As a file: lines of at most 75 octets, ended by CR LF.
    pub fn write(&self) -> Result<String, WriteError> {
        let mut calendar = Component::new("VCALENDAR");
        calendar.properties = vec![
            Property::new("VERSION", &[], "2.0"),
            Property::new("PRODID", &[], "-//Huddle//Huddle//EN"),
            Property::new("CALSCALE", &[], "GREGORIAN"),
            Property::new("METHOD", &[], self.method.name()),
        ];
        let event = self.event()?;
        if self.tells_local_time() {
            calendar
                .components
                .push(vtimezone::component(self.zone, self.interval));
        }
        calendar.components.push(event);
        Ok(calendar.to_string())
    }

    /// A local time that occurs twice is its first (RFC 5545 §3.3.5), and there are programs that take it for its
    /// second: such an event is told in UTC.
    fn tells_local_time(&self) -> bool {
        let ends = [self.interval.start(), self.interval.end()];
        self.zone != Zone::UTC
            && ends
                .into_iter()
                .all(|moment| occurs_once(self.zone, moment))
    }

    fn event(&self) -> Result<Component<'static>, WriteError> {
        let mut event = Component::new("VEVENT");
        let mut add = |name, parameters: &[(&str, &str)], value: &str| {
            event
                .properties
                .push(Property::new(name, parameters, value));
        };
        add("UID", &[], uid(&self.uid)?);
        add("SEQUENCE", &[], &self.sequence.to_string());
        add("DTSTAMP", &[], &utc(self.stamp)?);
        for (name, moment) in [
            ("DTSTART", self.interval.start()),
            ("DTEND", self.interval.end()),
        ] {
            if self.tells_local_time() {
                let local = local(self.zone, moment)?;
                add(name, &[("TZID", self.zone.name())], &local);
            } else {
                add(name, &[], &utc(moment)?);
            }
        }
        add("SUMMARY", &[], &escape(&self.summary));
        for (name, text) in [
            ("DESCRIPTION", &self.description),
            ("LOCATION", &self.location),
        ] {
            if let Some(text) = text {
                add(name, &[], &escape(text));
            }
        }
        if let Some(url) = &self.url {
            add("URL", &[], link(url).ok_or(WriteError::Link)?);
        }
        add("STATUS", &[], self.method.status());
        add("TRANSP", &[], "OPAQUE");
        let organizer = &self.organizer;
        add(
            "ORGANIZER",
            &[("CN", &organizer.name)],
            organizer.address.as_str(),
        );
        for Attendee {
            person,
            participation,
            rsvp,
        } in &self.attendees
        {
            let parameters = [
                ("CN", person.name.as_str()),
                ("ROLE", "REQ-PARTICIPANT"),
                ("PARTSTAT", participation.name()),
                ("RSVP", if *rsvp { "TRUE" } else { "FALSE" }),
            ];
            add("ATTENDEE", &parameters, person.address.as_str());
        }
        Ok(event)
    }
}

/// Whether a clock shows what it shows at a moment only then.
fn occurs_once(zone: Zone, moment: Timestamp) -> bool {
    let local = zone.local(moment);
    let day = Duration::from_hours(24);
    let set_back = zone.offset_millis(moment) - zone.offset_millis(moment + day);
    let again = Timestamp::from_millis(moment.as_millis().saturating_add(set_back));
    zone.instant(local) == moment && (set_back <= 0 || zone.local(again) != local)
}

fn uid(uid: &str) -> Result<&str, WriteError> {
    let length = uid.chars().count();
    let refused = |c: char| c.is_control() || c.is_whitespace() || ",;\\".contains(c);
    let valid = (1..=255).contains(&length) && !uid.contains(refused);
    valid.then_some(uid).ok_or(WriteError::Uid)
}

fn utc(moment: Timestamp) -> Result<String, WriteError> {
    local(Zone::UTC, moment).map(|time| time + "Z")
}

fn local(zone: Zone, moment: Timestamp) -> Result<String, WriteError> {
    use chrono::Datelike as _;
    let time = zone.local(moment);
    let told = Zone::EXACT.contains(moment) && (1..=9999).contains(&time.year());
    told.then(|| time.format("%Y%m%dT%H%M%S").to_string())
        .ok_or(WriteError::Time)
}

impl Method {
    /// As it stands in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
            Self::Publish => "PUBLISH",
        }
    }

    fn status(self) -> &'static str {
        match self {
            Self::Request | Self::Publish => "CONFIRMED",
            Self::Cancel => "CANCELLED",
        }
    }
}

impl Participation {
    fn name(self) -> &'static str {
        match self {
            Self::NeedsAction => "NEEDS-ACTION",
            Self::Accepted => "ACCEPTED",
            Self::Declined => "DECLINED",
            Self::Tentative => "TENTATIVE",
        }
    }
}
