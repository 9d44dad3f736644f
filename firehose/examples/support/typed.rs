//! Records held against their lexicons.

use huddle_lexicon::registry::check_record;

use super::verdict::INDEXED;

/// Whether a record is what the lexicon of its collection says, if that is one of Huddle's.
pub(crate) fn typed(collection: &str, record: &[u8]) -> Result<(), String> {
    if !collection.starts_with(INDEXED) {
        return Ok(());
    }
    match check_record(collection, record) {
        Some(Err(invalid)) => Err(invalid.to_string()),
        Some(Ok(())) | None => Ok(()),
    }
}
