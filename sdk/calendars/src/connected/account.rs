//! How a connected account is reached: what is sealed of it.

use huddle_ports::Url;
use huddle_schedule::Zone;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::caldav::{Access, CalDav};
use crate::calendar::Calendar;
use crate::credentials::Credentials;
use crate::feed::Feed;

/// Longer than what is sealed of nearly every account, in bytes, so that it does not move and leave a copy behind.
const LONGEST: usize = 64 * 1024;

/// What a person has given, and what was found with it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "lowercase")]
pub(super) enum Account {
    /// A published file, whose address is the secret.
    Ics { address: Zeroizing<String> },
    /// An account on a CalDAV server.
    CalDav {
        credentials: Credentials,
        calendars: Vec<Collection>,
    },
}

/// A calendar of an account on a CalDAV server.
#[derive(Serialize, Deserialize)]
pub(super) struct Collection {
    pub(super) url: Zeroizing<String>,
    pub(super) access: Access,
    pub(super) zone: Option<Zone>,
}

/// A calendar of an account, and what there is to know before it is asked.
pub(super) struct Source<'a> {
    pub(super) calendar: Calendar,
    pub(super) zone: Option<Zone>,
    /// The person's own mail address, if it is known.
    pub(super) address: Option<&'a str>,
}

impl Account {
    /// What was sealed; `None` of what a later version has sealed in another form.
    pub(super) fn read(plain: &[u8]) -> Option<Self> {
        serde_json::from_slice(plain).ok()
    }

    pub(super) fn write(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST));
        serde_json::to_writer(&mut *text, self)
            .expect("it has no map, whose keys may not be texts");
        text
    }

    /// The calendars of the account, in an order that does not change; `None` if one cannot be asked any more.
    pub(super) fn sources(&self) -> Option<Vec<Source<'_>>> {
        match self {
            Self::Ics { address } => Some(vec![Source {
                calendar: Calendar::Feed(Feed::new(address).ok()?),
                zone: None,
                address: None,
            }]),
            Self::CalDav {
                credentials,
                calendars,
            } => calendars
                .iter()
                .map(|collection| {
                    let url = Url::parse(&collection.url).ok()?;
                    let calendar = CalDav::new(url, credentials.clone(), collection.access);
                    Some(Source {
                        calendar: Calendar::CalDav(calendar),
                        zone: collection.zone,
                        address: credentials.address(),
                    })
                })
                .collect(),
        }
    }

    /// The calendar that events of bookings are written to, if there is one.
    pub(super) fn writable(&self) -> Option<Calendar> {
        let mut sources = self.sources()?.into_iter();
        let writable = sources.find(|source| source.calendar.is_writable());
        writable.map(|source| source.calendar)
    }
}
