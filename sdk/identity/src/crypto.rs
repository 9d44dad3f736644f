//! Keys and signatures of the protocol: ECDSA over P-256 and K-256
//! (<https://atproto.com/specs/cryptography>).

use std::fmt;

use huddle_ports::Random;
use k256::ecdsa::signature::{Signer, Verifier};
use k256::elliptic_curve::zeroize::Zeroize;
use multibase::Base;

/// One of the two elliptic curves of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256, secp256r1.
    P256,
    /// NIST K-256, secp256k1.
    K256,
}

impl Curve {
    /// The name of the curve's signatures in a JWT's `alg` (RFC 7518 §3.4, RFC 8812 §3.2).
    pub fn jwt_alg(self) -> &'static str {
        match self {
            Self::P256 => "ES256",
            Self::K256 => "ES256K",
        }
    }

    /// The multicodec prefix of the curve's public keys, as an unsigned varint.
    fn multicodec(self) -> [u8; 2] {
        match self {
            Self::P256 => [0x80, 0x24],
            Self::K256 => [0xe7, 0x01],
        }
    }
}

/// A public key that verifies signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Point);

#[derive(Clone, PartialEq, Eq)]
enum Point {
    P256(p256::ecdsa::VerifyingKey),
    K256(k256::ecdsa::VerifyingKey),
}

/// Why a text or bytes are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `did:key:`.
    #[error("not a did:key")]
    NotDidKey,
    /// Not multibase in base58btc, or far too long to be a key.
    #[error("not base58btc multibase of a key's size")]
    BadMultibase,
    /// The multicodec prefix of neither curve.
    #[error("neither a P-256 nor a K-256 key")]
    WrongCodec,
    /// Not a point of the curve in the form that is wanted there.
    #[error("not a point of the curve")]
    BadPoint,
    /// Not the bytes of a private key.
    #[error("not a private key")]
    BadScalar,
}

/// A signature that is not the key's over the message, or not in the one form that is accepted. It
/// does not say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct BadSignature;

/// The longest multibase text that is looked at: an uncompressed point takes 90.
const MAX_MULTIBASE_LEN: usize = 128;

impl PublicKey {
    /// Reads a `did:key:z…` of a compressed point.
    ///
    /// ```
    /// use huddle_identity::crypto::{Curve, PublicKey};
    ///
    /// let text = "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc";
    /// let key = PublicKey::from_did_key(text)?;
    /// assert_eq!(key.curve(), Curve::K256);
    /// assert_eq!(key.to_did_key(), text);
    /// # Ok::<(), huddle_identity::crypto::KeyError>(())
    /// ```
    pub fn from_did_key(text: &str) -> Result<Self, KeyError> {
        Self::from_multikey(text.strip_prefix("did:key:").ok_or(KeyError::NotDidKey)?)
    }

    /// Reads a `publicKeyMultibase` of a `Multikey`: base58btc of the curve's multicodec prefix and
    /// a compressed point.
    pub fn from_multikey(text: &str) -> Result<Self, KeyError> {
        let bytes = base58btc(text)?;
        let (codec, point) = bytes.split_at_checked(2).ok_or(KeyError::WrongCodec)?;
        let curve = [Curve::P256, Curve::K256]
            .into_iter()
            .find(|curve| curve.multicodec() == codec)
            .ok_or(KeyError::WrongCodec)?;
        Self::from_compressed(curve, point)
    }

    /// Reads a `publicKeyMultibase` of the older verification method types, which name the curve
    /// outside: base58btc of the bare point, compressed or not.
    pub fn from_legacy_multibase(curve: Curve, text: &str) -> Result<Self, KeyError> {
        let bytes = base58btc(text)?;
        match bytes[..] {
            [4, ..] if bytes.len() == 65 => Self::from_sec1(curve, &bytes),
            _ => Self::from_compressed(curve, &bytes),
        }
    }

    /// Reads a compressed point (SEC 1 §2.3.3): 33 bytes.
    pub fn from_compressed(curve: Curve, bytes: &[u8]) -> Result<Self, KeyError> {
        match bytes {
            [2 | 3, ..] if bytes.len() == 33 => Self::from_sec1(curve, bytes),
            _ => Err(KeyError::BadPoint),
        }
    }

    fn from_sec1(curve: Curve, bytes: &[u8]) -> Result<Self, KeyError> {
        match curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Point::P256),
            Curve::K256 => k256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Point::K256),
        }
        .map(Self)
        .map_err(|_| KeyError::BadPoint)
    }

    /// The curve that the key is a point of.
    pub fn curve(&self) -> Curve {
        match self.0 {
            Point::P256(_) => Curve::P256,
            Point::K256(_) => Curve::K256,
        }
    }

    /// The key as the `publicKeyMultibase` of a `Multikey`.
    pub fn to_multikey(&self) -> String {
        let mut bytes = self.curve().multicodec().to_vec();
        match &self.0 {
            Point::P256(key) => bytes.extend_from_slice(key.to_sec1_point(true).as_bytes()),
            Point::K256(key) => bytes.extend_from_slice(key.to_sec1_point(true).as_bytes()),
        }
        multibase::encode(Base::Base58Btc, bytes)
    }

    /// The key as a `did:key`.
    pub fn to_did_key(&self) -> String {
        format!("did:key:{}", self.to_multikey())
    }

    /// Whether `signature` is this key's over the SHA-256 of `message`.
    ///
    /// Only the compact form of 64 bytes (r, s) with a low s is accepted, so that nobody can turn
    /// one signature into another: no DER, no high s.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match &self.0 {
            Point::P256(key) => {
                let signature = p256::ecdsa::Signature::from_slice(signature)
                    .ok()
                    .filter(|signature| signature.normalize_s() == *signature)
                    .ok_or(BadSignature)?;
                key.verify(message, &signature).map_err(|_| BadSignature)
            }
            Point::K256(key) => {
                let signature = k256::ecdsa::Signature::from_slice(signature)
                    .ok()
                    .filter(|signature| signature.normalize_s() == *signature)
                    .ok_or(BadSignature)?;
                key.verify(message, &signature).map_err(|_| BadSignature)
            }
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_did_key())
    }
}

fn base58btc(text: &str) -> Result<Vec<u8>, KeyError> {
    // Decoding base58 takes time quadratic in its length.
    if text.len() > MAX_MULTIBASE_LEN || !text.starts_with('z') {
        return Err(KeyError::BadMultibase);
    }
    multibase::decode(text)
        .map(|(_, bytes)| bytes)
        .map_err(|_| KeyError::BadMultibase)
}

/// A private key that makes signatures. Its bytes are wiped from memory when it is dropped.
#[derive(Clone)]
pub struct SigningKey(Scalar);

#[derive(Clone)]
enum Scalar {
    P256(p256::ecdsa::SigningKey),
    K256(k256::ecdsa::SigningKey),
}

impl SigningKey {
    /// Reads a private key: 32 bytes, big-endian, neither zero nor past the order of the curve.
    pub fn from_bytes(curve: Curve, bytes: &[u8]) -> Result<Self, KeyError> {
        // The libraries would take fewer, and pad them.
        if bytes.len() != 32 {
            return Err(KeyError::BadScalar);
        }
        match curve {
            Curve::P256 => p256::ecdsa::SigningKey::from_slice(bytes).map(Scalar::P256),
            Curve::K256 => k256::ecdsa::SigningKey::from_slice(bytes).map(Scalar::K256),
        }
        .map(Self)
        .map_err(|_| KeyError::BadScalar)
    }

    /// A new key from bytes that nobody can predict.
    ///
    /// # Panics
    /// When `random` is broken, for example gives zeros only.
    pub fn generate(curve: Curve, random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        let key = (0..16).find_map(|_| {
            random.fill(&mut bytes);
            Self::from_bytes(curve, &bytes).ok()
        });
        bytes.zeroize();
        key.expect("fewer than one in 2³¹ strings of 32 bytes is not a key")
    }

    /// The curve of the key.
    pub fn curve(&self) -> Curve {
        match self.0 {
            Scalar::P256(_) => Curve::P256,
            Scalar::K256(_) => Curve::K256,
        }
    }

    /// The public key that verifies what this one signs.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Scalar::P256(key) => Point::P256(*key.verifying_key()),
            Scalar::K256(key) => Point::K256(*key.verifying_key()),
        })
    }

    /// The signature over the SHA-256 of `message`: compact, with a low s, the same for the same
    /// message (RFC 6979).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        match &self.0 {
            Scalar::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.normalize_s().to_bytes().into()
            }
            Scalar::K256(key) => {
                let signature: k256::ecdsa::Signature = key.sign(message);
                signature.normalize_s().to_bytes().into()
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    /// Names the curve and the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public_key().to_did_key())
    }
}
