//! Signing keys of accounts, and the signatures that they verify.

#[cfg(feature = "native-crypto")]
mod native;
mod pure;

#[cfg(feature = "native-crypto")]
use self::native as backend;
#[cfg(not(feature = "native-crypto"))]
use self::pure as backend;

use std::cmp::Ordering;
use std::fmt;

/// The public key that an account's commits are signed for.
///
/// The feature `native-crypto` makes it faster, with libsecp256k1 and AWS-LC; what is valid does not depend on it.
#[derive(Clone)]
pub struct VerifyingKey(backend::Key);

/// The curves that AT Protocol has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST K-256, secp256k1.
    K256,
    /// NIST P-256, secp256r1.
    P256,
}

/// Why a text or bytes are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `did:key:`.
    #[error("not a did:key")]
    NotDidKey,
    /// Not multibase in base58btc of a key's size.
    #[error("not base58btc multibase of a key's size")]
    Multibase,
    /// The multicodec of neither curve.
    #[error("neither a K-256 nor a P-256 key")]
    Codec,
    /// Not a point of the curve, in compressed form.
    #[error("not a compressed point of the curve")]
    Point,
}

/// A signature that is not the key's, or not in the one form that is accepted. It does not say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct BadSignature;

/// The length of a compressed point (SEC 1 §2.3.3).
const POINT_LEN: usize = 33;
/// How many base58 digits a multicodec and a compressed point take.
const MULTIBASE_LEN: std::ops::RangeInclusive<usize> = 40..=52;
const K256_CODEC: [u8; 2] = [0xe7, 0x01];
const P256_CODEC: [u8; 2] = [0x80, 0x24];

impl VerifyingKey {
    /// Reads a `did:key:z…`.
    ///
    /// ```
    /// use huddle_firehose::VerifyingKey;
    ///
    /// VerifyingKey::from_did_key("did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc")?;
    /// # Ok::<(), huddle_firehose::KeyError>(())
    /// ```
    pub fn from_did_key(text: &str) -> Result<Self, KeyError> {
        Self::from_multikey(text.strip_prefix("did:key:").ok_or(KeyError::NotDidKey)?)
    }

    /// Reads the `publicKeyMultibase` of a `Multikey`, as it stands in a DID document.
    pub fn from_multikey(text: &str) -> Result<Self, KeyError> {
        let digits = text.strip_prefix('z').ok_or(KeyError::Multibase)?;
        if !MULTIBASE_LEN.contains(&digits.len()) {
            return Err(KeyError::Multibase);
        }
        let (codec, point) = base58(digits).ok_or(KeyError::Multibase)?;
        match codec {
            K256_CODEC => Self::from_compressed(Curve::K256, &point),
            P256_CODEC => Self::from_compressed(Curve::P256, &point),
            _ => Err(KeyError::Codec),
        }
    }

    /// Reads a compressed point (SEC 1 §2.3.3).
    pub fn from_compressed(curve: Curve, point: &[u8; 33]) -> Result<Self, KeyError> {
        if !matches!(point[0], 2 | 3) {
            return Err(KeyError::Point);
        }
        let key = backend::Key::new(curve, point).ok_or(KeyError::Point)?;
        Ok(Self(key))
    }

    /// The curve that the key is on.
    pub fn curve(&self) -> Curve {
        self.0.curve()
    }

    /// Checks a signature over bytes that have this SHA-256.
    ///
    /// A signature is `r` and `s`, 32 bytes each, and `s` is the lower of the two that are possible
    /// (<https://atproto.com/specs/cryptography>).
    pub fn verify_digest(&self, digest: &[u8; 32], signature: &[u8]) -> Result<(), BadSignature> {
        let signature = signature.as_array().ok_or(BadSignature)?;
        let is_valid = is_low(self.curve(), signature) && self.0.verify(digest, signature);
        is_valid.then_some(()).ok_or(BadSignature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.curve()).finish()
    }
}

/// Half of the order of the group, rounded down.
const HALF_K256: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];
const HALF_P256: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Whether `s` is at most half of the order: no library is asked to do this, since they differ in it.
fn is_low(curve: Curve, signature: &[u8; 64]) -> bool {
    let half = match curve {
        Curve::K256 => &HALF_K256,
        Curve::P256 => &HALF_P256,
    };
    signature[32..].cmp(half) != Ordering::Greater
}

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A number in base58, as the multicodec and the point that it is made of.
fn base58(digits: &str) -> Option<([u8; 2], [u8; POINT_LEN])> {
    let mut bytes = [0_u8; 2 + POINT_LEN];
    for digit in digits.bytes() {
        let mut carry = BASE58.iter().position(|known| *known == digit)?;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    let (codec, point) = bytes.split_first_chunk()?;
    Some((*codec, *point.as_array()?))
}

#[cfg(test)]
mod tests;
