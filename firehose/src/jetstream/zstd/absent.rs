//! Without the feature: there is no decoder, and so nothing that it does.

use super::{DictionaryError, ZstdError};

pub(super) enum Decoder {}

impl Decoder {
    pub(super) fn new(_dictionary: &[u8]) -> Result<Self, DictionaryError> {
        Err(DictionaryError::NoFeature)
    }

    pub(super) fn decode(&mut self, _frame: &[u8]) -> Result<Vec<u8>, ZstdError> {
        match *self {}
    }
}
