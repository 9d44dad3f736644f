//! Records in JSON, as the DAG-CBOR that they were: <https://atproto.com/specs/data-model>.

use data_encoding::BASE64_NOPAD;
use serde_json::{Map, Value};

use crate::Cid;
use crate::cbor::write;

/// The one encoding of a record; `None` for what the data model does not have. The parser bounds how deep it can be.
pub(super) fn to_cbor(record: &Value) -> Option<Vec<u8>> {
    let mut to = Vec::new();
    value(record, &mut to)?;
    Some(to)
}

fn value(from: &Value, to: &mut Vec<u8>) -> Option<()> {
    match from {
        Value::Null => write::nullable_cid(None, to),
        Value::Bool(value) => write::boolean(*value, to),
        Value::Number(value) => write::signed(value.as_i64()?, to),
        Value::String(value) => write::text(value, to),
        Value::Array(items) => {
            write::list(items.len() as u64, to);
            for item in items {
                value(item, to)?;
            }
        }
        Value::Object(entries) => object(entries, to)?,
    }
    Some(())
}

fn object(entries: &Map<String, Value>, to: &mut Vec<u8>) -> Option<()> {
    if let Some(link) = entries.get("$link") {
        let cid: Cid = alone(entries, link)?.parse().ok()?;
        write::cid(&cid, to);
        return Some(());
    }
    if let Some(bytes) = entries.get("$bytes") {
        let text = alone(entries, bytes)?.trim_end_matches('=');
        let bytes = BASE64_NOPAD.decode(text.as_bytes()).ok()?;
        write::bytes(&bytes, to);
        return Some(());
    }
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|(one, _), (other, _)| (one.len(), one).cmp(&(other.len(), other)));
    write::map(sorted.len() as u64, to);
    for (key, entry) in sorted {
        write::text(key, to);
        value(entry, to)?;
    }
    Some(())
}

/// The text of an entry that is the only one.
fn alone<'a>(entries: &Map<String, Value>, entry: &'a Value) -> Option<&'a str> {
    entry.as_str().filter(|_| entries.len() == 1)
}
