//! Messages of a Jetstream: what a stream of repositories says, as JSON, without anything to verify it by.
//!
//! A host makes them of the events that it has received. Records are turned back into DAG-CBOR, and taken if that has
//! the CID that the message says; whether the account has ever published it is the host's word alone.
//!
//! Messages may come compressed, which needs a dictionary of the host's program and the feature `jetstream-zstd`: a
//! [`Decompressor`] gives their JSON, and [`decode`] reads that.

mod json;
mod record;
mod zstd;

pub use self::zstd::{Decompressor, Dictionary, DictionaryError, ZstdError};

use self::json::{Json, Object};
use crate::frame::{AccountEvent, AccountStatus};
use crate::ingest::records::Records;
use crate::ingest::{Change, News, Outcome, RecordProblem};
use crate::{Account, Cid, Hosting, RecordError, Tid, syntax};

/// The most bytes of a message: more than any record takes.
pub const MAX_MESSAGE_LEN: usize = 2_000_000;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The account.
    pub did: String,
    /// The place in the stream, which a cursor names: microseconds since 1970 by the host's clock.
    pub time_us: i64,
    /// What it says, which may be nothing of interest or of a kind that this version does not know; or why that cannot
    /// be told. The place in the stream counts in any case.
    pub news: Result<Option<News>, JetstreamError>,
}

/// Why bytes are not a message, or not one that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JetstreamError {
    /// Longer than [`MAX_MESSAGE_LEN`].
    #[error("{0} bytes; the most is {MAX_MESSAGE_LEN}")]
    TooLarge(usize),
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// Without something that a message has, or with something else in its place.
    #[error("without `{0}` as it should be")]
    Field(&'static str),
    /// It is compressed, and cannot be read.
    #[error(transparent)]
    Zstd(#[from] ZstdError),
}

use JetstreamError::Field;

/// Decodes a message that is not compressed. It is one once it says whom it is about and where in the stream it stands.
///
/// ```
/// use huddle_firehose::ingest::News;
/// use huddle_firehose::jetstream;
///
/// let message = jetstream::decode(br#"{
///     "did": "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "time_us": 1725516665234703, "kind": "identity",
///     "identity": { "did": "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "handle": "alice.example.com", "seq": 1 }
/// }"#)?;
/// let handle = Some("alice.example.com".to_owned());
/// assert_eq!(message.news, Ok(Some(News::Identity { handle })));
/// # Ok::<(), jetstream::JetstreamError>(())
/// ```
pub fn decode(bytes: &[u8]) -> Result<Message, JetstreamError> {
    if bytes.len() > MAX_MESSAGE_LEN {
        return Err(JetstreamError::TooLarge(bytes.len()));
    }
    let message: Json = serde_json::from_slice(bytes).map_err(|_| JetstreamError::NotJson)?;
    let message = message.as_object().ok_or(JetstreamError::NotJson)?;
    let did = text(message, "did")?;
    if !syntax::is_did(did) {
        return Err(Field("did"));
    }
    let time_us = message.get("time_us").and_then(Json::as_integer);
    Ok(Message {
        did: did.to_owned(),
        time_us: time_us.filter(|time| *time >= 0).ok_or(Field("time_us"))?,
        news: news(did, message),
    })
}

fn news(did: &str, message: &Object) -> Result<Option<News>, JetstreamError> {
    match text(message, "kind")? {
        "commit" => commit(object(message, "commit")?).map(Some),
        "identity" => {
            let handle = text(object(message, "identity")?, "handle").ok();
            let handle = handle.map(str::to_owned);
            Ok(Some(News::Identity { handle }))
        }
        "account" => hosting(did, object(message, "account")?),
        _ => Ok(None),
    }
}

fn text<'a>(of: &'a Object, key: &'static str) -> Result<&'a str, JetstreamError> {
    of.get(key).and_then(Json::as_str).ok_or(Field(key))
}

fn object<'a>(of: &'a Object, key: &'static str) -> Result<&'a Object, JetstreamError> {
    of.get(key).and_then(Json::as_object).ok_or(Field(key))
}

fn commit(commit: &Object) -> Result<News, JetstreamError> {
    let rev: Tid = text(commit, "rev")?.parse().map_err(|_| Field("rev"))?;
    let (collection, rkey) = (text(commit, "collection")?, text(commit, "rkey")?);
    if !syntax::is_nsid(collection) {
        return Err(Field("collection"));
    }
    if !syntax::is_record_key(rkey) {
        return Err(Field("rkey"));
    }
    let record = match text(commit, "operation")? {
        "create" | "update" => put(collection, commit)?,
        "delete" => Outcome::Gone,
        _ => return Err(Field("operation")),
    };
    let change = Change {
        collection: collection.to_owned(),
        rkey: rkey.to_owned(),
        record,
    };
    Ok(News::Changes {
        rev,
        changes: vec![change],
    })
}

fn put(collection: &str, commit: &Object) -> Result<Outcome, JetstreamError> {
    let cid: Cid = text(commit, "cid")?.parse().map_err(|_| Field("cid"))?;
    let record = commit.get("record").ok_or(Field("record"))?;
    let refused = |why| {
        let why = RecordError::Refused(why);
        Ok(Outcome::Refused { cid, why })
    };
    let Some(bytes) = record::to_cbor(record) else {
        return refused(RecordProblem::DataModel);
    };
    if Cid::of_cbor(&bytes) != cid {
        return refused(RecordProblem::Cid);
    }
    Ok(Records::default().outcome(cid, collection, &bytes))
}

/// By the rules that hold for the event of which the message was made.
fn hosting(did: &str, account: &Object) -> Result<Option<News>, JetstreamError> {
    let event = AccountEvent {
        seq: 0,
        did,
        time: "",
        active: account
            .get("active")
            .and_then(Json::as_bool)
            .ok_or(Field("active"))?,
        status: text(account, "status").ok().map(AccountStatus::from),
    };
    // A word that leaves every account as it was is about the host, and no news.
    let [from_active, from_inactive] = [Hosting::Active, Hosting::Inactive].map(|hosting| {
        let mut account = Account {
            hosting,
            ..Account::new()
        };
        account.status(&event)
    });
    let is_news = from_active == from_inactive;
    Ok(is_news.then_some(News::Hosting(from_active)))
}

#[cfg(test)]
mod tests;
