//! Signatures by libraries in C and assembly: libsecp256k1, and AWS-LC for P-256.

use super::Curve;
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use secp256k1::{Message, PublicKey, ecdsa};

#[derive(Clone)]
pub(super) enum Key {
    K256(PublicKey),
    P256(ParsedPublicKey),
}

impl Key {
    /// `None` if this is no point of the curve.
    pub(super) fn new(curve: Curve, point: &[u8; 33]) -> Option<Self> {
        match curve {
            Curve::K256 => PublicKey::from_slice(point).ok().map(Self::K256),
            Curve::P256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .ok()
                .map(Self::P256),
        }
    }

    pub(super) const fn curve(&self) -> Curve {
        match self {
            Self::K256(_) => Curve::K256,
            Self::P256(_) => Curve::P256,
        }
    }

    pub(super) fn verify(&self, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        match self {
            Self::K256(key) => ecdsa::Signature::from_compact(signature).is_ok_and(|signature| {
                ecdsa::verify(&signature, Message::from_digest(*digest), key).is_ok()
            }),
            Self::P256(key) => Digest::import_less_safe(digest, &digest::SHA256)
                .is_ok_and(|digest| key.verify_digest_sig(&digest, signature).is_ok()),
        }
    }
}
