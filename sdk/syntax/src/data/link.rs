//! Links: content identifiers where they point from one block to another.

use super::value::only_field;
use ::cid::serde::CID_SERDE_PRIVATE_IDENTIFIER;
use ::cid::{Cid, Version};
use multihash::Multihash;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

const DAG_CBOR: u64 = 0x71;
const RAW: u64 = 0x55;
const SHA2_256: u64 = 0x12;

/// The version, codec and hash code with up to 10 bytes each, the length and 64 bytes of a digest.
const MAX_BINARY_SIZE: usize = 96;

/// A link by content: in DAG-CBOR tag 42, in JSON `{"$link": "bafy…"}`.
///
/// Always a `CIDv1`, in text always in lower-case base32. Codec and hash may be others than those
/// that AT Protocol writes today ([`of_cbor`](Self::of_cbor), [`of_raw`](Self::of_raw)), as the
/// specification expects to see more of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CidLink(Cid);

/// Something that is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidLink;

impl CidLink {
    /// The link to a block of DAG-CBOR: codec `dag-cbor`, SHA-256.
    pub fn of_cbor(cbor: &[u8]) -> Self {
        Self::sha256(DAG_CBOR, cbor)
    }

    /// The link to a blob: codec `raw`, SHA-256.
    pub fn of_raw(bytes: &[u8]) -> Self {
        Self::sha256(RAW, bytes)
    }

    fn sha256(codec: u64, bytes: &[u8]) -> Self {
        let hash = Multihash::wrap(SHA2_256, &Sha256::digest(bytes))
            .expect("a multihash has room for 64 bytes");
        Self(Cid::new_v1(codec, hash))
    }

    /// The multicodec of what is linked to: `0x71` for DAG-CBOR, `0x55` for the bytes of a blob.
    pub const fn codec(&self) -> u64 {
        self.0.codec()
    }

    /// The link in the type of the `cid` crate.
    pub const fn to_cid(&self) -> Cid {
        self.0
    }

    /// The binary form, without the zero byte that DAG-CBOR puts in front of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Reads the binary form, which must be the whole of `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidLink> {
        let cid = Cid::try_from(bytes).map_err(|_| InvalidLink)?;
        // The parser ignores what follows the hash.
        if cid.encoded_len() != bytes.len() {
            return Err(InvalidLink);
        }
        Self::try_from(cid)
    }
}

/// Whether `cid` is a link in binary form.
pub(super) fn is_binary(cid: &[u8]) -> bool {
    match cid {
        // What nearly all links are.
        [1, 0x71 | 0x55, 0x12, 32, digest @ ..] if digest.len() == 32 => true,
        _ => CidLink::from_bytes(cid).is_ok(),
    }
}

impl TryFrom<Cid> for CidLink {
    type Error = InvalidLink;

    /// Fails for a `CIDv0`.
    fn try_from(cid: Cid) -> Result<Self, InvalidLink> {
        if cid.version() == Version::V1 {
            Ok(Self(cid))
        } else {
            Err(InvalidLink)
        }
    }
}

impl From<CidLink> for Cid {
    fn from(link: CidLink) -> Self {
        link.0
    }
}

impl FromStr for CidLink {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        let base32 = text.strip_prefix('b').ok_or(InvalidLink)?;
        if !base32
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
        {
            return Err(InvalidLink);
        }
        let cid = Cid::try_from(text).map_err(|_| InvalidLink)?;
        if cid.encoded_len() != base32.len() * 5 / 8 {
            return Err(InvalidLink);
        }
        Self::try_from(cid)
    }
}

impl fmt::Display for CidLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CidLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CidLink({self})")
    }
}

impl fmt::Display for InvalidLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a link must be a CIDv1, in text in base32")
    }
}

impl std::error::Error for InvalidLink {}

impl Serialize for CidLink {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            // The form in which the `cid` crate hands a CID to DAG-CBOR, without its allocation.
            let mut buffer = [0; MAX_BINARY_SIZE];
            let length = self
                .0
                .write_bytes(buffer.as_mut_slice())
                .expect("the buffer is large enough");
            return serializer.serialize_newtype_struct(
                CID_SERDE_PRIVATE_IDENTIFIER,
                &Binary(&buffer[..length]),
            );
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("$link", &self.to_string())?;
        map.end()
    }
}

struct Binary<'a>(&'a [u8]);

impl Serialize for Binary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de> Deserialize<'de> for CidLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(LinkVisitor)
        } else {
            deserializer.deserialize_newtype_struct(CID_SERDE_PRIVATE_IDENTIFIER, LinkVisitor)
        }
    }
}

pub(super) struct LinkVisitor;

impl<'de> Visitor<'de> for LinkVisitor {
    type Value = CidLink;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a link")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, cid: D) -> Result<CidLink, D::Error> {
        struct BinaryVisitor;

        impl Visitor<'_> for BinaryVisitor {
            type Value = CidLink;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a link")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<CidLink, E> {
                CidLink::from_bytes(bytes).map_err(E::custom)
            }
        }

        cid.deserialize_bytes(BinaryVisitor)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CidLink, A::Error> {
        from_text(&only_field(map, "$link")?)
    }
}

/// Reads the text that stands under `$link`.
pub(super) fn from_text<E: Error>(text: &str) -> Result<CidLink, E> {
    text.parse().map_err(E::custom)
}
