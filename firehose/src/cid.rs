//! The CIDs of AT Protocol repositories.

use crate::hash;
use std::fmt;

/// Version 1, then the codec.
const VERSION: u8 = 1;
const DAG_CBOR: u8 = 0x71;
const RAW: u8 = 0x55;
/// SHA-256, and its 32 bytes.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// The CID of a block: version 1, of DAG-CBOR or raw bytes, by SHA-256. Repositories have no others.
///
/// Source: <https://atproto.com/specs/data-model#link-and-cid-formats>.
///
/// ```
/// use huddle_firehose::Cid;
///
/// let cid = Cid::of_cbor(b"\xa0");
/// assert_eq!(cid.to_string(), "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua");
/// assert_eq!(cid.to_string().parse(), Ok(cid));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    codec: Codec,
    digest: [u8; 32],
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Codec {
    DagCbor,
    Raw,
}

/// Not the CID of a block of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a CID of version 1 in base32, of DAG-CBOR or raw bytes by SHA-256")]
pub struct InvalidCid;

impl Cid {
    /// The length of the binary form.
    pub const LEN: usize = 36;

    /// The CID of these bytes of DAG-CBOR, whatever they are.
    pub fn of_cbor(bytes: &[u8]) -> Self {
        Self::from_digest(hash::sha256(bytes))
    }

    /// The CID of a block of DAG-CBOR that has this SHA-256.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self {
            codec: Codec::DagCbor,
            digest,
        }
    }

    /// Reads the binary form.
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidCid> {
        let (codec, digest) = parts(bytes)?;
        let digest = *digest;
        Ok(Self { codec, digest })
    }

    /// The SHA-256 in the binary form.
    #[inline]
    pub(crate) fn digest_in(bytes: &[u8]) -> Result<&[u8; 32], InvalidCid> {
        parts(bytes).map(|(_, digest)| digest)
    }

    /// The binary form.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let codec = match self.codec {
            Codec::DagCbor => DAG_CBOR,
            Codec::Raw => RAW,
        };
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&[VERSION, codec, SHA2_256[0], SHA2_256[1]]);
        bytes[4..].copy_from_slice(&self.digest);
        bytes
    }

    /// The SHA-256 of the block.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether the block is DAG-CBOR, as everything in a repository but the blobs is.
    pub fn is_cbor(&self) -> bool {
        self.codec == Codec::DagCbor
    }
}

#[inline]
fn parts(bytes: &[u8]) -> Result<(Codec, &[u8; 32]), InvalidCid> {
    let (head, digest) = bytes.split_first_chunk::<4>().ok_or(InvalidCid)?;
    let digest = digest.as_array().ok_or(InvalidCid)?;
    let [VERSION, codec, function, size] = *head else {
        return Err(InvalidCid);
    };
    let codec = match codec {
        DAG_CBOR => Codec::DagCbor,
        RAW => Codec::Raw,
        _ => return Err(InvalidCid),
    };
    if [function, size] != SHA2_256 {
        return Err(InvalidCid);
    }
    Ok((codec, digest))
}

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 36 bytes are 58 digits of five bits, the last of which has two to spare, and a `b` stands in front.
const TEXT_LEN: usize = 59;

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'b'; TEXT_LEN];
        let (mut bits, mut held, mut at) = (0_u32, 0, 1);
        let mut push = |value: u32| {
            text[at] = ALPHABET[(value & 31) as usize];
            at += 1;
        };
        for byte in self.to_bytes() {
            bits = bits << 8 | u32::from(byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                push(bits >> held);
            }
        }
        push(bits << (5 - held));
        f.write_str(str::from_utf8(&text).expect("base32 is ASCII"))
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Cid {
    type Err = InvalidCid;

    fn from_str(text: &str) -> Result<Self, InvalidCid> {
        let digits = text.strip_prefix('b').ok_or(InvalidCid)?;
        if text.len() != TEXT_LEN {
            return Err(InvalidCid);
        }
        let mut bytes = [0; Self::LEN];
        let (mut bits, mut held, mut at) = (0_u32, 0, 0);
        for digit in digits.bytes() {
            let value = match digit {
                b'a'..=b'z' => digit - b'a',
                b'2'..=b'7' => digit - b'2' + 26,
                _ => return Err(InvalidCid),
            };
            bits = bits << 5 | u32::from(value);
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes[at] = (bits >> held & 0xff) as u8;
                at += 1;
            }
        }
        if bits & ((1 << held) - 1) != 0 {
            return Err(InvalidCid);
        }
        Self::from_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cid, InvalidCid};

    #[test]
    fn both_forms_lead_back() {
        for text in [
            "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
            "bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity",
        ] {
            let cid: Cid = text.parse().unwrap();
            assert_eq!(cid.to_string(), text);
            assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
            assert_eq!(cid.is_cbor(), text.starts_with("bafy"));
        }
    }

    #[test]
    fn other_cids_are_refused() {
        #[track_caller]
        fn check(text: &str) {
            assert_eq!(text.parse::<Cid>(), Err(InvalidCid));
        }
        check("");
        check("bafyrei");
        check("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR");
        // dag-pb
        check("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi");
        // Bits that stand for nothing.
        check("bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2b");
        check("bAfyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a");
        for cut in 0..Cid::LEN {
            assert_eq!(
                Cid::from_bytes(&Cid::of_cbor(b"").to_bytes()[..cut]),
                Err(InvalidCid)
            );
        }
    }
}
