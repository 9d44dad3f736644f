//! Messages that come compressed: a frame of Zstandard each (RFC 8878), made with a dictionary of the host's program.

#[cfg(not(feature = "jetstream-zstd"))]
mod absent;
#[cfg(feature = "jetstream-zstd")]
mod frame;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

#[cfg(not(feature = "jetstream-zstd"))]
use self::absent as backend;
#[cfg(feature = "jetstream-zstd")]
use self::frame as backend;
use super::MAX_MESSAGE_LEN;

/// What a frame begins with (RFC 8878 §3.1.1), and JSON does not.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The dictionary that a host compresses with: a file of its program.
///
/// Jetstream's own is `zstd_dictionary` in its repository, number 1612007021.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictionary(Arc<[u8]>);

impl Dictionary {
    /// What is in the file. Whether that is a dictionary is seen when it is used.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dictionary({} bytes)", self.0.len())
    }
}

/// Why a dictionary is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DictionaryError {
    /// It is none of Zstandard (RFC 8878 §5).
    #[error("not a dictionary of Zstandard")]
    Malformed,
    /// Nothing can be decompressed by what is built without the feature.
    #[error("compressed messages take the feature `jetstream-zstd`")]
    NoFeature,
}

/// Why a compressed message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZstdError {
    /// It is compressed, though nobody has asked for that.
    #[error("it is compressed, and there is no dictionary to read it with")]
    NoDictionary,
    /// It takes another dictionary than the one there is.
    #[error("it takes the dictionary {0}, which is not the one there is")]
    OtherDictionary(u32),
    /// More than [`MAX_MESSAGE_LEN`] once it is decompressed, or a window of more than a message takes.
    #[error("more than {MAX_MESSAGE_LEN} bytes once it is decompressed")]
    TooLarge,
    /// Not one whole frame of Zstandard, and nothing else; or not what its checksum is of.
    #[error("not one whole frame of Zstandard")]
    Malformed,
}

/// Decompresses one message after the other, with the same memory: at most 16 MiB, whatever they claim.
///
/// It takes the feature `jetstream-zstd`. Without a dictionary there is nothing to decompress:
///
/// ```
/// use huddle_firehose::jetstream::{Decompressor, ZstdError};
///
/// let mut decompressor = Decompressor::default();
/// assert_eq!(*decompressor.json(b"{}")?, *b"{}");
/// let compressed = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x02, 0x11, 0, 0, b'{', b'}'];
/// assert_eq!(decompressor.json(&compressed), Err(ZstdError::NoDictionary));
/// # Ok::<(), ZstdError>(())
/// ```
#[derive(Default)]
pub struct Decompressor(Option<backend::Decoder>);

impl Decompressor {
    /// One for messages that are made with this dictionary.
    pub fn new(dictionary: &Dictionary) -> Result<Self, DictionaryError> {
        Ok(Self(Some(backend::Decoder::new(&dictionary.0)?)))
    }

    /// The JSON of a message: the message itself, where it is not compressed.
    pub fn json<'m>(&mut self, message: &'m [u8]) -> Result<Cow<'m, [u8]>, ZstdError> {
        if !message.starts_with(&MAGIC) {
            return Ok(Cow::Borrowed(message));
        }
        let decoder = self.0.as_mut().ok_or(ZstdError::NoDictionary)?;
        decoder.decode(message).map(Cow::Owned)
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_dictionary = self.0.is_some();
        f.debug_struct("Decompressor")
            .field("has_dictionary", &has_dictionary)
            .finish_non_exhaustive()
    }
}
