//! Saying who we are: minting tokens for other services.

use std::fmt;
use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use huddle_ports::{Random, Timestamp};
use huddle_syntax::{Nsid, ServiceRef};
use serde::Serialize;

use super::MAX_LIFETIME;
use crate::crypto::SigningKey;

/// Mints tokens in the name of one DID or one service of it.
///
/// ```
/// use huddle_identity::{ServiceAuthMinter, crypto::{Curve, SigningKey}};
/// # use huddle_ports::{Random, Timestamp};
/// # struct Seven;
/// # impl Random for Seven { fn fill(&self, bytes: &mut [u8]) { bytes.fill(7) } }
/// # let (random, now) = (Seven, Timestamp::from_millis(1_767_268_800_000));
///
/// let key = SigningKey::generate(Curve::K256, &random);
/// let minter = ServiceAuthMinter::new("did:web:example.com".parse()?, key);
/// let token = minter.mint(
///     &"did:web:calendar.example#huddle_appview".parse()?,
///     &"com.huddle.listOffers".parse()?,
///     now,
///     &random,
/// );
/// assert_eq!(token.as_str().split('.').count(), 3);
/// assert_eq!(format!("{token:?}"), "ServiceToken(…)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ServiceAuthMinter {
    issuer: ServiceRef,
    key: SigningKey,
    lifetime: Duration,
}

/// A token that lets whoever holds it make one call. Never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceToken(String);

impl ServiceToken {
    /// The token as it goes after `Bearer `.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceToken(…)")
    }
}

/// A token of that lifetime would be refused, or be worth stealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a service token lives for one second to five minutes")]
pub struct TokenLifetimeError;

#[derive(Serialize)]
struct Header {
    typ: &'static str,
    alg: &'static str,
}

#[derive(Serialize)]
struct Payload<'a> {
    iat: i64,
    iss: &'a str,
    aud: &'a str,
    exp: i64,
    lxm: &'a str,
    jti: &'a str,
}

impl ServiceAuthMinter {
    /// Tokens of `issuer`, whose document names the public half of `key`; each lives for sixty
    /// seconds.
    pub fn new(issuer: ServiceRef, key: SigningKey) -> Self {
        Self {
            issuer,
            key,
            lifetime: Duration::from_mins(1),
        }
    }

    /// The same, but for this lifetime: one second to five minutes.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Result<Self, TokenLifetimeError> {
        if !(Duration::from_secs(1)..=MAX_LIFETIME).contains(&lifetime) {
            return Err(TokenLifetimeError);
        }
        self.lifetime = lifetime;
        Ok(self)
    }

    /// A token for one call of the method `lxm` at `audience`.
    pub fn mint(
        &self,
        audience: &ServiceRef,
        lxm: &Nsid,
        now: Timestamp,
        random: &dyn Random,
    ) -> ServiceToken {
        let mut nonce = [0; 16];
        random.fill(&mut nonce);
        let header = Header {
            typ: "JWT",
            alg: self.key.curve().jwt_alg(),
        };
        let payload = Payload {
            iat: now.as_secs(),
            iss: &self.issuer.to_string(),
            aud: &audience.to_string(),
            exp: (now + self.lifetime).as_secs(),
            lxm: lxm.as_str(),
            jti: &HEXLOWER.encode(&nonce),
        };
        let mut token = encode(&header);
        token.push('.');
        token.push_str(&encode(&payload));
        let signature = self.key.sign(token.as_bytes());
        token.push('.');
        BASE64URL_NOPAD.encode_append(&signature, &mut token);
        ServiceToken(token)
    }
}

fn encode(part: &impl Serialize) -> String {
    let json = serde_json::to_vec(part).expect("strings and numbers always serialise");
    BASE64URL_NOPAD.encode(&json)
}
