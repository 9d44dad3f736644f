//! Frames of Zstandard, decoded block by block, so that what they come to is known before it is too much.

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, Dictionary, FrameDecoder};

use super::{DictionaryError, MAX_MESSAGE_LEN, ZstdError};

/// The largest window: the least power of two into which a message fits. One that is as large as its content needs no
/// larger one (RFC 8878 §3.1.1.1.2).
const MAX_WINDOW_LEN: usize = MAX_MESSAGE_LEN.next_power_of_two();

pub(super) struct Decoder(FrameDecoder);

impl Decoder {
    pub(super) fn new(dictionary: &[u8]) -> Result<Self, DictionaryError> {
        let dictionary =
            Dictionary::decode_dict(dictionary).map_err(|_| DictionaryError::Malformed)?;
        // Frames do not name what has no number.
        if dictionary.id == 0 {
            return Err(DictionaryError::Malformed);
        }
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_LEN as u64);
        decoder
            .add_dict(dictionary)
            .map_err(|_| DictionaryError::Malformed)?;
        Ok(Self(decoder))
    }

    pub(super) fn decode(&mut self, mut frame: &[u8]) -> Result<Vec<u8>, ZstdError> {
        let decoder = &mut self.0;
        decoder.reset(&mut frame).map_err(|error| refusal(&error))?;
        let claimed = decoder.content_size();
        if claimed > MAX_MESSAGE_LEN as u64 {
            return Err(ZstdError::TooLarge);
        }
        let mut content = Vec::new();
        while !decoder.is_finished() {
            let block = decoder.decode_blocks(&mut frame, BlockDecodingStrategy::UptoBlocks(1));
            block.map_err(|error| refusal(&error))?;
            content.extend(decoder.collect().unwrap_or_default());
            if content.len() > MAX_MESSAGE_LEN {
                return Err(ZstdError::TooLarge);
            }
        }
        // Of no content, and of none that is claimed, the size is 0.
        let is_as_claimed = claimed == 0 || claimed == content.len() as u64;
        let checksum = decoder.get_checksum_from_data();
        let is_whole = checksum.is_none_or(|sum| decoder.get_calculated_checksum() == Some(sum));
        if frame.is_empty() && is_as_claimed && is_whole {
            Ok(content)
        } else {
            Err(ZstdError::Malformed)
        }
    }
}

fn refusal(error: &FrameDecoderError) -> ZstdError {
    match error {
        FrameDecoderError::DictNotProvided { dict_id } => ZstdError::OtherDictionary(*dict_id),
        FrameDecoderError::WindowSizeTooBig { .. } => ZstdError::TooLarge,
        _ => ZstdError::Malformed,
    }
}
