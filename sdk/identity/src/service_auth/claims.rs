//! Reading a token, before anything in it is believed.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use huddle_ports::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::ServiceAuthError;
use crate::crypto::{Curve, PublicKey};

/// The longest token that is looked at. Ordinary ones have about 400 bytes.
const MAX_TOKEN_LEN: usize = 8 * 1024;

/// The longest `jti`. A UUID has 36 characters.
const MAX_NONCE_LEN: usize = 256;

/// Types (RFC 8725 §3.11) of tokens that are signed with the same keys for something else: access
/// tokens, refresh tokens of a PDS, `DPoP` proofs, and what OAuth and its extensions sign.
const OTHER_TYPES: &[&str] = &[
    "at+jwt",
    "refresh+jwt",
    "dpop+jwt",
    "client-authentication+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
];

/// A token in its parts; nothing is verified.
pub(super) struct Unverified<'a> {
    /// What is signed.
    pub(super) signing_input: &'a str,
    pub(super) signature: [u8; 64],
    /// The curve that `alg` names.
    pub(super) curve: Curve,
    pub(super) claims: Claims,
}

/// The claims that matter, in their types.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) method: Option<String>,
    pub(super) expires: Timestamp,
    pub(super) issued: Option<Timestamp>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) nonce: Option<String>,
}

impl<'a> Unverified<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, ServiceAuthError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(ServiceAuthError::Malformed);
        }
        let (signing_input, signature) =
            token.rsplit_once('.').ok_or(ServiceAuthError::Malformed)?;
        let (header, payload) = signing_input
            .split_once('.')
            .ok_or(ServiceAuthError::Malformed)?;
        let curve = check_header(&decode_members(header)?)?;
        let claims = Claims::read(decode_members(payload)?)?;
        let signature = BASE64URL_NOPAD
            .decode(signature.as_bytes())
            .map_err(|_| ServiceAuthError::Malformed)?
            .try_into()
            .map_err(|_| ServiceAuthError::Signature)?;
        Ok(Self {
            signing_input,
            signature,
            curve,
            claims,
        })
    }

    pub(super) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let input = self.signing_input.as_bytes();
        key.curve() == self.curve && key.verify(input, &self.signature).is_ok()
    }
}

/// The members of a JSON object in unpadded base64url. No padding, no other alphabet, no stray
/// bits: one token has one text.
fn decode_members(part: &str) -> Result<BTreeMap<String, Value>, ServiceAuthError> {
    let json = BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| ServiceAuthError::Malformed)?;
    let Members(members) =
        serde_json::from_slice(&json).map_err(|_| ServiceAuthError::Malformed)?;
    Ok(members)
}

/// What the header promises about the signature.
fn check_header(header: &BTreeMap<String, Value>) -> Result<Curve, ServiceAuthError> {
    match header.get("typ") {
        None => {}
        Some(Value::String(kind)) => {
            let kind = kind.to_ascii_lowercase();
            // RFC 7515 §4.1.9: the prefix may be left out.
            let kind = kind.strip_prefix("application/").unwrap_or(&kind);
            if OTHER_TYPES.contains(&kind) {
                return Err(ServiceAuthError::Type);
            }
        }
        Some(_) => return Err(ServiceAuthError::Malformed),
    }
    // RFC 7515 §4.1.11: who does not understand an extension must refuse the token, and we
    // understand none.
    if header.contains_key("crit") {
        return Err(ServiceAuthError::Malformed);
    }
    let alg = header.get("alg").and_then(Value::as_str);
    [Curve::K256, Curve::P256]
        .into_iter()
        .find(|curve| alg == Some(curve.jwt_alg()))
        .ok_or(ServiceAuthError::Malformed)
}

impl Claims {
    fn read(mut members: BTreeMap<String, Value>) -> Result<Self, ServiceAuthError> {
        let mut text = |name| match members.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ServiceAuthError::Malformed),
        };
        let issuer = text("iss")?.ok_or(ServiceAuthError::Malformed)?;
        let audience = text("aud")?.ok_or(ServiceAuthError::Malformed)?;
        let method = text("lxm")?;
        let nonce = text("jti")?;
        if nonce
            .as_ref()
            .is_some_and(|nonce| !(1..=MAX_NONCE_LEN).contains(&nonce.len()))
        {
            return Err(ServiceAuthError::Malformed);
        }
        let date = |name| match members.get(name) {
            None => Ok(None),
            Some(date) => numeric_date(date)
                .map(Some)
                .ok_or(ServiceAuthError::Malformed),
        };
        Ok(Self {
            issuer,
            audience,
            method,
            nonce,
            expires: date("exp")?.ok_or(ServiceAuthError::Malformed)?,
            issued: date("iat")?,
            not_before: date("nbf")?,
        })
    }
}

/// Reads a `NumericDate` (RFC 7519 §2): seconds, a fraction allowed.
fn numeric_date(value: &Value) -> Option<Timestamp> {
    /// The year 9999, past which nobody means a date.
    const LATEST_SECS: i64 = 253_402_300_799;

    let Value::Number(number) = value else {
        return None;
    };
    let millis = if let Some(secs) = number.as_i64() {
        (0..=LATEST_SECS).contains(&secs).then(|| secs * 1000)?
    } else {
        #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
        let latest = LATEST_SECS as f64;
        let secs = number
            .as_f64()
            .filter(|secs| (0.0..=latest).contains(secs))?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "in range; fractions are dropped"
        )]
        let millis = (secs * 1000.0) as i64;
        millis
    };
    Some(Timestamp::from_millis(millis))
}

/// A JSON object that names no member twice: two readers could otherwise believe different claims.
struct Members(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member appears twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
