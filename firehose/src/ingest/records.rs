//! Records of one commit or repository, as an event has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::{MAX_RECORD_LEN, Outcome, RecordProblem};
use crate::{Cid, RecordError, cbor};

/// Records by CID: each is checked once and held once, however many paths lead to it.
#[derive(Debug, Default)]
pub(crate) struct Records {
    by_cid: BTreeMap<Cid, Result<Typed, RecordError<RecordProblem>>>,
    len: usize,
}

/// A record, and the collection that it says it is of.
#[derive(Debug)]
struct Typed {
    collection: String,
    bytes: Arc<[u8]>,
}

impl Records {
    /// What the record of a collection is whose block is this.
    pub(crate) fn outcome(&mut self, cid: Cid, collection: &str, block: &[u8]) -> Outcome {
        let len = &mut self.len;
        let checked = self.by_cid.entry(cid).or_insert_with(|| {
            let checked = check(block);
            *len += checked.as_ref().map_or(0, |record| record.bytes.len());
            checked
        });
        match checked {
            Ok(record) if record.collection == collection => Outcome::Record {
                cid,
                bytes: Arc::clone(&record.bytes),
            },
            Ok(_) => Outcome::Refused {
                cid,
                why: RecordError::Type,
            },
            Err(why) => Outcome::Refused { cid, why: *why },
        }
    }

    /// How many bytes the records take that are held.
    pub(super) const fn len(&self) -> usize {
        self.len
    }
}

fn check(block: &[u8]) -> Result<Typed, RecordError<RecordProblem>> {
    if block.len() > MAX_RECORD_LEN {
        return Err(RecordError::Refused(RecordProblem::TooLarge(block.len())));
    }
    Ok(Typed {
        collection: cbor::type_of(block)?.ok_or(RecordError::Type)?.to_owned(),
        bytes: block.into(),
    })
}
