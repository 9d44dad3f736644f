//! Records, as a commit brings them.

use crate::Cid;
use crate::cbor::{self, CborError};
use crate::frame::Action;
use std::convert::Infallible;

/// What a commit does to one record.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Change<'a> {
    /// What it does.
    pub action: Action<'a>,
    /// The collection, an NSID.
    pub collection: &'a str,
    /// The record key.
    pub rkey: &'a str,
    /// The record before.
    pub prev: Option<Cid>,
    /// The record afterwards; `None` if it is gone.
    pub record: Option<Record<'a>>,
}

/// A record. A commit is none the worse for a record that is wrong.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Record<'a> {
    /// The collection, an NSID.
    pub collection: &'a str,
    /// The CID.
    pub cid: Cid,
    pub(super) block: Option<&'a [u8]>,
}

/// Why a record is not taken; `E` is what the caller's own check finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError<E = Infallible> {
    /// Its block is not among those of the commit: it has to be fetched.
    ///
    /// Hosts leave it out when the same commit takes away a record of the same CID.
    #[error("its block was left out: fetch it")]
    LeftOut,
    /// Not canonical DAG-CBOR of the data model.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Its `$type` is missing, or is not the collection.
    #[error("its `$type` is not the collection")]
    Type,
    /// The caller's check refuses it.
    #[error("{0}")]
    Refused(E),
}

impl<'a> Record<'a> {
    /// The bytes: canonical DAG-CBOR of a map whose `$type` is the collection.
    pub fn bytes(&self) -> Result<&'a [u8], RecordError> {
        self.check()
    }

    /// Reads the record as a type of the caller's, whose check comes after that of [`bytes`](Self::bytes).
    ///
    /// ```
    /// use huddle_firehose::{Record, RecordError};
    /// use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
    /// use huddle_lexicon::schema::{Data as _, Invalid};
    ///
    /// fn offer(record: &Record<'_>) -> Result<SlotOffer, RecordError<Invalid>> {
    ///     record.read(SlotOffer::from_cbor)
    /// }
    /// ```
    pub fn read<T, E>(
        &self,
        read: impl FnOnce(&'a [u8]) -> Result<T, E>,
    ) -> Result<T, RecordError<E>> {
        read(self.check()?).map_err(RecordError::Refused)
    }

    fn check<E>(&self) -> Result<&'a [u8], RecordError<E>> {
        let bytes = self.block.ok_or(RecordError::LeftOut)?;
        let is_named = cbor::type_of(bytes)? == Some(self.collection);
        is_named.then_some(bytes).ok_or(RecordError::Type)
    }
}
