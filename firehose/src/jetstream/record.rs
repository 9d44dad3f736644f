//! Records in JSON, as the DAG-CBOR that they were: <https://atproto.com/specs/data-model>.

use data_encoding::BASE64_NOPAD;

use super::json::{Json, Object};
use crate::Cid;
use crate::cbor::write;

/// The one encoding of a record; `None` for what the data model does not have. The parser bounds how deep it can be.
pub(super) fn to_cbor(record: &Json) -> Option<Vec<u8>> {
    let mut to = Vec::new();
    value(record, &mut to)?;
    Some(to)
}

fn value(from: &Json, to: &mut Vec<u8>) -> Option<()> {
    match from {
        Json::Null => write::nullable_cid(None, to),
        Json::Bool(value) => write::boolean(*value, to),
        Json::Integer(value) => write::signed(*value, to),
        Json::OtherNumber => return None,
        Json::Text(value) => write::text(value, to),
        Json::List(items) => {
            write::list(items.len() as u64, to);
            for item in items {
                value(item, to)?;
            }
        }
        Json::Object(entries) => object(entries, to)?,
    }
    Some(())
}

fn object(from: &Object, to: &mut Vec<u8>) -> Option<()> {
    let entries = from.sorted();
    if let Some(link) = from.get("$link") {
        let cid: Cid = alone(&entries, link)?.parse().ok()?;
        write::cid(&cid, to);
        return Some(());
    }
    if let Some(bytes) = from.get("$bytes") {
        let text = alone(&entries, bytes)?.trim_end_matches('=');
        let bytes = BASE64_NOPAD.decode(text.as_bytes()).ok()?;
        write::bytes(&bytes, to);
        return Some(());
    }
    write::map(entries.len() as u64, to);
    for (key, entry) in entries {
        write::text(key, to);
        value(entry, to)?;
    }
    Some(())
}

/// The text of an entry that is the only one.
fn alone<'a>(entries: &[(&str, &Json)], entry: &'a Json) -> Option<&'a str> {
    entry.as_str().filter(|_| entries.len() == 1)
}
