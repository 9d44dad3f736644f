//! Links: content identifiers where they point from one block to another.

use super::value::only_field;
use ::cid::serde::CID_SERDE_PRIVATE_IDENTIFIER;
use ::cid::{Cid, Version};
use data_encoding::BASE32_NOPAD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

const VERSION_1: u8 = 1;
const RAW: u8 = 0x55;
const DAG_CBOR: u8 = 0x71;
const SHA2_256: u8 = 0x12;
const SHA2_256_SIZE: u8 = 32;

/// A link by content: in DAG-CBOR tag 42, in JSON `{"$link": "bafy…"}`.
///
/// Always a `CIDv1`, in text always in lower-case base32. Codec and hash may be others than the two
/// that AT Protocol writes today ([`of_cbor`](Self::of_cbor) and [`of_raw`](Self::of_raw)): its
/// specification expects more of them, and a record with one of those must keep its bytes.
///
/// ```
/// use huddle_syntax::CidLink;
///
/// let link: CidLink = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua".parse()?;
/// assert_eq!(link, CidLink::of_cbor(b"\xa0"));
/// # Ok::<(), huddle_syntax::data::InvalidLink>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CidLink(
    /// The binary form: as it is read and written, and a third of the size of a [`Cid`].
    Box<[u8]>,
);

/// Text or bytes that are no [`CidLink`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidLink;

impl CidLink {
    /// The link to a block of DAG-CBOR: codec `dag-cbor`, SHA-256.
    pub fn of_cbor(cbor: &[u8]) -> Self {
        Self::of(DAG_CBOR, cbor)
    }

    /// The link to a blob: codec `raw`, SHA-256.
    pub fn of_raw(bytes: &[u8]) -> Self {
        Self::of(RAW, bytes)
    }

    fn of(codec: u8, bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self(
            [
                &[VERSION_1, codec, SHA2_256, SHA2_256_SIZE],
                digest.as_slice(),
            ]
            .concat()
            .into(),
        )
    }

    /// Reads the binary form, which must be the whole of `cid`.
    pub fn from_bytes(cid: &[u8]) -> Result<Self, InvalidLink> {
        if is_binary(cid) {
            Ok(Self(cid.into()))
        } else {
            Err(InvalidLink)
        }
    }

    /// The binary form, without the zero byte that DAG-CBOR puts in front of it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The link in the type of the `cid` crate, which takes it apart.
    ///
    /// # Panics
    /// Never: every link has been accepted by the parser of that crate.
    pub fn to_cid(&self) -> Cid {
        Cid::try_from(&*self.0).expect("a link is a CID")
    }
}

/// Whether `cid` is a link in binary form.
pub(super) fn is_binary(cid: &[u8]) -> bool {
    match cid {
        // Nearly every link there is.
        [
            VERSION_1,
            RAW | DAG_CBOR,
            SHA2_256,
            SHA2_256_SIZE,
            digest @ ..,
        ] if digest.len() == 32 => true,
        // The parser ignores what follows the hash.
        _ => Cid::try_from(cid).is_ok_and(|parsed| {
            parsed.version() == Version::V1 && parsed.encoded_len() == cid.len()
        }),
    }
}

impl TryFrom<Cid> for CidLink {
    type Error = InvalidLink;

    /// Fails for a `CIDv0`.
    fn try_from(cid: Cid) -> Result<Self, InvalidLink> {
        Self::from_bytes(&cid.to_bytes())
    }
}

impl FromStr for CidLink {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        let base32 = text.strip_prefix('b').ok_or(InvalidLink)?;
        if base32.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidLink);
        }
        let base32 = base32.to_ascii_uppercase();
        let cid = BASE32_NOPAD
            .decode(base32.as_bytes())
            .map_err(|_| InvalidLink)?;
        Self::from_bytes(&cid)
    }
}

impl fmt::Display for CidLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut base32 = BASE32_NOPAD.encode(&self.0);
        base32.make_ascii_lowercase();
        write!(f, "b{base32}")
    }
}

impl fmt::Debug for CidLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CidLink({self})")
    }
}

impl fmt::Display for InvalidLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a link must be a CIDv1, in text in lower-case base32")
    }
}

impl std::error::Error for InvalidLink {}

impl Serialize for CidLink {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            // The form in which the `cid` crate hands a CID to an encoder.
            return serializer
                .serialize_newtype_struct(CID_SERDE_PRIVATE_IDENTIFIER, &Binary(&self.0));
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

/// Takes a link in either form, since serde's own buffers (as of tagged enums) call all formats
/// human-readable.
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

            fn visit_bytes<E: Error>(self, cid: &[u8]) -> Result<CidLink, E> {
                CidLink::from_bytes(cid).map_err(E::custom)
            }
        }

        cid.deserialize_bytes(BinaryVisitor)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<CidLink, A::Error> {
        from_text(&only_field(fields, "$link")?)
    }
}

/// Reads the text that stands under `$link`.
pub(super) fn from_text<E: Error>(text: &str) -> Result<CidLink, E> {
    text.parse().map_err(E::custom)
}
