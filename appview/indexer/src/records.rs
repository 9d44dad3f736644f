//! What records say, as the index keeps it: each is checked against its lexicon, and one that is wrong is left out by
//! itself.

pub(crate) mod availability;

use huddle_core::index::offers::{self, Content, Kind};
use huddle_core::index::requests;
use huddle_core::index::services;
use huddle_firehose::ingest::{Change, Outcome};
use huddle_lexicon::com::huddle::booking_request::{BookingRequest, BookingRequestStatus};
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::com::huddle::service::Service;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_ports::Timestamp;
use huddle_syntax::data::{self, Map};
use huddle_syntax::schema::{Data as _, Record as _};
use huddle_syntax::{AtUri, Datetime, Did};

/// The collections whose records are of interest.
pub const COLLECTIONS: [&str; 5] = [
    SlotOffer::NSID,
    OfficeHours::NSID,
    Service::NSID,
    BookingRequest::NSID,
    availability::COLLECTION,
];

/// Those of what hosts offer.
pub(crate) const OFFERS: [&str; 3] = [SlotOffer::NSID, OfficeHours::NSID, availability::COLLECTION];

/// For what has no end: the last moment of the year 9999.
const NEVER: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// A record that is not in the index, as if it were not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its collection.
    pub collection: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is at some addresses of one account now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    pub(crate) offers: Vec<offers::Entry>,
    /// Whom the account has named to serve it; there is one address for that, at most.
    pub(crate) services: Vec<Option<services::Service>>,
    pub(crate) requests: Vec<requests::Entry>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Entries {
    /// Reads what has changed; a record of more than so many bytes is wrong.
    pub(crate) fn read(did: &Did, changes: &[Change], most_bytes: u32) -> Self {
        let mut entries = Self::default();
        for change in changes {
            if let Err(why) = entries.take(did, change, most_bytes) {
                let collection = change.collection.clone();
                entries.left_out.push(LeftOut { collection, why });
            }
        }
        entries
    }

    /// Takes a change. What is wrong with a record is told, and leaves nothing at its address.
    fn take(&mut self, did: &Did, change: &Change, most_bytes: u32) -> Result<(), String> {
        let uri = uri(did, change)?;
        let fits = |bytes: &[u8]| u32::try_from(bytes.len()).is_ok_and(|it| it <= most_bytes);
        let record = match &change.record {
            Outcome::Record { cid, bytes } if fits(bytes) => Ok(Some((cid.to_string(), &**bytes))),
            Outcome::Record { bytes, .. } => {
                Err(format!("{} bytes; the most is {most_bytes}", bytes.len()))
            }
            Outcome::Gone => Ok(None),
            Outcome::Refused { why, .. } => Err(why.to_string()),
        };
        match change.collection.as_str() {
            Service::NSID if change.rkey == "self" => {
                let (service, problem) = split(record, service);
                self.services.push(service);
                problem
            }
            Service::NSID => Ok(()),
            BookingRequest::NSID => {
                let (content, problem) = split(record, |_, bytes| request(did, bytes));
                let content = content.flatten();
                self.requests.push(requests::Entry { uri, content });
                problem
            }
            collection => {
                let read = match collection {
                    SlotOffer::NSID => slot_offer,
                    OfficeHours::NSID => office_hours,
                    availability::COLLECTION => imported,
                    // Nobody has asked for it.
                    _ => return Ok(()),
                };
                let (content, problem) = split(record, read);
                self.offers.push(offers::Entry { uri, content });
                problem
            }
        }
    }
}

/// The address of a record, checked: the index gives out only what can be read.
fn uri(did: &Did, change: &Change) -> Result<String, String> {
    let uri = format!("at://{did}/{}/{}", change.collection, change.rkey);
    match uri.parse::<AtUri>() {
        Ok(_) => Ok(uri),
        Err(error) => Err(error.to_string()),
    }
}

/// What is at an address, and what is wrong if that is nothing.
fn split<T>(
    record: Result<Option<(String, &[u8])>, String>,
    read: impl FnOnce(String, &[u8]) -> Result<T, String>,
) -> (Option<T>, Result<(), String>) {
    let read = |record: Option<(String, &[u8])>| record.map(|(cid, it)| read(cid, it)).transpose();
    match record.and_then(read) {
        Ok(content) => (content, Ok(())),
        Err(why) => (None, Err(why)),
    }
}

fn invalid(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn service(cid: String, bytes: &[u8]) -> Result<services::Service, String> {
    let appview = Service::from_cbor(bytes).map_err(invalid)?.did;
    Ok(services::Service { cid, appview })
}

fn slot_offer(cid: String, bytes: &[u8]) -> Result<Content, String> {
    let offer = SlotOffer::from_cbor(bytes).map_err(invalid)?;
    let (starts, ends) = (moment(&offer.start), moment(&offer.end));
    if ends <= starts {
        return Err("end: is not after start".to_owned());
    }
    Ok(Content {
        cid,
        kind: Kind::SlotOffer,
        starts,
        ends,
        policy: offer.policy.to_string(),
        mode: offer.mode_or_default().to_string(),
        note: offer.note.clone(),
        record: json(&offer.to_json().map_err(invalid)?),
    })
}

fn office_hours(cid: String, bytes: &[u8]) -> Result<Content, String> {
    hours(cid, &OfficeHours::from_cbor(bytes).map_err(invalid)?)
}

fn imported(cid: String, bytes: &[u8]) -> Result<Content, String> {
    let record: Map = data::from_cbor(bytes).map_err(invalid)?;
    hours(cid, &availability::office_hours(&record))
}

fn hours(cid: String, hours: &OfficeHours) -> Result<Content, String> {
    let day = |date: &Option<String>, name: &str| match date {
        None => Ok(None),
        Some(date) => midnight(date).map(Some).ok_or(format!("{name}: no date")),
    };
    // The first and the last moment at which it can be a date, wherever that is: from UTC+14 to UTC-12.
    let starts = day(&hours.valid_from, "validFrom")?.map(|day| day - hours_of(14));
    let ends = day(&hours.valid_until, "validUntil")?.map(|day| day + hours_of(24 + 12));
    Ok(Content {
        cid,
        kind: Kind::OfficeHours,
        starts: starts.unwrap_or(Timestamp::UNIX_EPOCH),
        ends: ends.unwrap_or(NEVER),
        policy: hours.policy.to_string(),
        mode: hours.mode_or_default().to_string(),
        note: hours.note.clone(),
        record: json(&hours.to_json().map_err(invalid)?),
    })
}

const fn hours_of(hours: u64) -> std::time::Duration {
    std::time::Duration::from_hours(hours)
}

/// When a date begins in UTC.
fn midnight(date: &str) -> Option<Timestamp> {
    let datetime: Datetime = format!("{date}T00:00:00Z").parse().ok()?;
    Some(moment(&datetime))
}

fn moment(datetime: &Datetime) -> Timestamp {
    Timestamp::from_millis(datetime.timestamp_millis())
}

fn json(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a record asks for; nothing, if it is withdrawn.
fn request(did: &Did, bytes: &[u8]) -> Result<Option<requests::Content>, String> {
    let request = BookingRequest::from_cbor(bytes).map_err(invalid)?;
    if request.host_did == *did {
        return Err("hostDid: is the guest".to_owned());
    }
    if request.status_or_default() == BookingRequestStatus::Withdrawn {
        return Ok(None);
    }
    Ok(Some(requests::Content {
        version: version(bytes)?,
        host: request.host_did.to_string(),
        record: json(&request.to_json().map_err(invalid)?),
    }))
}

/// The CID of what a record asks for: another note, or a status that is ignored, makes no other request.
fn version(bytes: &[u8]) -> Result<String, String> {
    let mut asked: Map = data::from_cbor(bytes).map_err(invalid)?;
    asked.remove("note");
    asked.remove("status");
    let bytes = data::to_cbor(&asked).map_err(invalid)?;
    Ok(data::cid_for_cbor(&bytes).to_string())
}

#[cfg(test)]
mod tests;
