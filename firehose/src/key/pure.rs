//! Signatures by crates in Rust alone, which build for any target.

#![cfg_attr(
    feature = "native-crypto",
    expect(dead_code, reason = "only tests compare both ways")
)]

use super::Curve;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;

#[derive(Clone)]
pub(super) enum Key {
    K256(k256::ecdsa::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl Key {
    /// `None` if this is no point of the curve.
    pub(super) fn new(curve: Curve, point: &[u8; 33]) -> Option<Self> {
        match curve {
            Curve::K256 => k256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Self::K256),
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Self::P256),
        }
        .ok()
    }

    pub(super) const fn curve(&self) -> Curve {
        match self {
            Self::K256(_) => Curve::K256,
            Self::P256(_) => Curve::P256,
        }
    }

    pub(super) fn verify(&self, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        match self {
            Self::K256(key) => k256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
        }
    }
}
