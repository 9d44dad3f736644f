//! Who is calling: verifying a token that another service sends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use huddle_ports::{Clock, StatusCode, Timestamp};
use huddle_syntax::{Did, Nsid, ServiceRef};
use sha2::{Digest, Sha256};

use super::claims::{Claims, Unverified};
use super::{MAX_LIFETIME, ReplayStore, ReplayStoreError};
use crate::crypto::PublicKey;
use crate::did_document::DocumentError;
use crate::resolver::{Freshness, IdentityError};

/// Where the keys of issuers come from: an [`IdentityResolver`](crate::IdentityResolver), or a
/// table in tests.
#[async_trait]
pub trait SigningKeys: Send + Sync {
    /// The key `#name` of `did`. Asked for a fresh one, it bounds by itself how often it looks;
    /// asked for what is known, it looks nowhere.
    async fn signing_key(
        &self,
        did: &Did,
        name: &str,
        freshness: Freshness,
    ) -> Result<PublicKey, IdentityError>;
}

/// What tokens a [`ServiceAuthVerifier`] takes.
#[derive(Clone, Debug)]
pub struct ServiceAuthConfig {
    audiences: Vec<String>,
    issuer_services: Vec<String>,
    max_lifetime: Duration,
    clock_skew: Duration,
}

impl ServiceAuthConfig {
    /// Tokens for `audience`, be they addressed to its DID alone, as personal data servers do when
    /// they proxy, or to its service. They live for five minutes at most; clocks may differ by
    /// thirty seconds.
    pub fn new(audience: &ServiceRef) -> Self {
        let config = Self {
            audiences: Vec::new(),
            issuer_services: Vec::new(),
            max_lifetime: MAX_LIFETIME,
            clock_skew: Duration::from_secs(30),
        };
        config.with_audience(audience)
    }

    /// Tokens for this audience too.
    #[must_use]
    pub fn with_audience(mut self, audience: &ServiceRef) -> Self {
        self.audiences.push(audience.did().to_string());
        self.audiences.push(audience.to_string());
        self
    }

    /// Tokens that services of this name issue too, for example `atproto_labeler`: `iss` is then
    /// the DID, `#` and the name. A service is not the account it belongs to, so who allows one
    /// looks at [`Caller::service`].
    #[must_use]
    pub fn with_issuer_service(mut self, name: &str) -> Self {
        self.issuer_services.push(name.to_owned());
        self
    }

    /// Tokens that live for this long at most.
    #[must_use]
    pub fn with_max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = max_lifetime;
        self
    }

    /// Clocks that differ by this much at most.
    #[must_use]
    pub fn with_clock_skew(mut self, clock_skew: Duration) -> Self {
        self.clock_skew = clock_skew;
        self
    }
}

/// Who is calling, as a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account whose key signed.
    pub did: Did,
    /// The service of that DID which calls on its own behalf and **not** as the account. Always
    /// `None` unless [`ServiceAuthConfig::with_issuer_service`] allows it.
    pub service: Option<String>,
    /// The method that the token is for.
    pub lxm: Nsid,
    /// When the token expires.
    pub expires: Timestamp,
}

/// Why a token is not accepted. The texts say nothing about the token that its sender does not
/// know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceAuthError {
    /// Not a JWT with the header and claims of service auth.
    #[error("poorly formed token")]
    Malformed,
    /// A token for something else by its `typ`.
    #[error("a token of another type")]
    Type,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// It is issued for later, or issued in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It lives for longer than is accepted.
    #[error("the token lives too long")]
    LifetimeTooLong,
    /// It is for another service.
    #[error("the token is for another audience")]
    Audience,
    /// It is for another method, or for none by name.
    #[error("the token is for another method")]
    LexiconMethod,
    /// Its issuer is not a DID that can call, or has no key.
    #[error("the token has an issuer that is not accepted")]
    Issuer,
    /// The issuer did not sign it.
    #[error("the signature of the token is not its issuer's")]
    Signature,
    /// It has been used.
    #[error("the token has been used before")]
    Replayed,
    /// It cannot be said now whether it is valid: the issuer's keys or the record of used tokens
    /// cannot be reached.
    #[error("the token cannot be verified now")]
    Unavailable,
}

impl ServiceAuthError {
    /// The error name on the wire. Those of the reference implementation where it has one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed | Self::NotYetValid | Self::LifetimeTooLong => "BadJwt",
            Self::Type => "BadJwtType",
            Self::Expired => "JwtExpired",
            Self::Audience => "BadJwtAudience",
            Self::LexiconMethod => "BadJwtLexiconMethod",
            Self::Issuer => "BadJwtIss",
            Self::Signature => "BadJwtSignature",
            Self::Replayed => "JwtReplayed",
            Self::Unavailable => "NotEnoughResources",
        }
    }

    /// The HTTP status: 401, or 503 when the caller should come again.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

impl From<ReplayStoreError> for ServiceAuthError {
    fn from(_: ReplayStoreError) -> Self {
        Self::Unavailable
    }
}

/// Verifies service-auth tokens.
///
/// In this order, so that what costs a look-up comes last and what is remembered was signed: form,
/// header, claims, key, signature, first use. A token whose signature does not fit the known key is
/// tried once more with a fresh one, for the key may have changed. Who wants to be paid before a
/// look-up asks [`verify_known`](Self::verify_known) first.
///
/// Every token is good once. One without a `jti`, which old servers send, is known by what was
/// signed instead.
#[derive(Clone)]
pub struct ServiceAuthVerifier {
    keys: Arc<dyn SigningKeys>,
    replays: Arc<dyn ReplayStore>,
    clock: Arc<dyn Clock>,
    config: ServiceAuthConfig,
}

impl ServiceAuthVerifier {
    /// A verifier of what `config` says.
    pub fn new(
        keys: Arc<dyn SigningKeys>,
        replays: Arc<dyn ReplayStore>,
        clock: Arc<dyn Clock>,
        config: ServiceAuthConfig,
    ) -> Self {
        Self {
            keys,
            replays,
            clock,
            config,
        }
    }

    /// Who sent `token` (the part after `Bearer `) to call the method `lxm`.
    pub async fn verify(&self, token: &str, lxm: &Nsid) -> Result<Caller, ServiceAuthError> {
        let (token, issuer) = self.read(token, lxm)?;
        self.check_signature(&token, &issuer).await?;
        self.accept(&token, issuer, lxm).await
    }

    /// The same without a look-up: `None` if it would take one to say, because the issuer is not
    /// known, or its key has changed, or the token is forged.
    pub async fn verify_known(
        &self,
        token: &str,
        lxm: &Nsid,
    ) -> Result<Option<Caller>, ServiceAuthError> {
        let (token, issuer) = self.read(token, lxm)?;
        match self.key(&issuer, Freshness::Known).await {
            Ok(Some(key)) if token.is_signed_by(&key) => {
                self.accept(&token, issuer, lxm).await.map(Some)
            }
            Ok(_) | Err(IdentityError::NotKnown) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    /// What a token says of itself, if there is nothing against that.
    fn read<'a>(
        &self,
        token: &'a str,
        lxm: &Nsid,
    ) -> Result<(Unverified<'a>, Issuer), ServiceAuthError> {
        let token = Unverified::parse(token)?;
        let issuer = self.issuer(&token.claims)?;
        self.check_claims(&token.claims, lxm, self.clock.now())?;
        Ok((token, issuer))
    }

    /// Takes a token that its issuer has signed.
    async fn accept(
        &self,
        token: &Unverified<'_>,
        issuer: Issuer,
        lxm: &Nsid,
    ) -> Result<Caller, ServiceAuthError> {
        // Looking keys up took time, and what has expired by now may be forgotten as used.
        let now = self.clock.now();
        self.check_claims(&token.claims, lxm, now)?;
        self.check_first_use(token, &issuer.did, now).await?;
        Ok(Caller {
            did: issuer.did,
            service: issuer.service.map(String::from),
            lxm: lxm.clone(),
            expires: token.claims.expires,
        })
    }

    fn issuer(&self, claims: &Claims) -> Result<Issuer, ServiceAuthError> {
        let issuer: ServiceRef = claims
            .issuer
            .parse()
            .map_err(|_| ServiceAuthError::Issuer)?;
        let is_accepted = issuer
            .service()
            .is_none_or(|service| self.config.issuer_services.iter().any(|s| s == service));
        if !is_accepted {
            return Err(ServiceAuthError::Issuer);
        }
        let (did, service) = issuer.into_parts();
        Ok(Issuer { did, service })
    }

    fn check_claims(
        &self,
        claims: &Claims,
        lxm: &Nsid,
        now: Timestamp,
    ) -> Result<(), ServiceAuthError> {
        let (skew, max_lifetime) = (self.config.clock_skew, self.config.max_lifetime);
        if claims.expires + skew <= now {
            return Err(ServiceAuthError::Expired);
        }
        if !self.config.audiences.contains(&claims.audience) {
            return Err(ServiceAuthError::Audience);
        }
        if claims.method.as_deref() != Some(lxm.as_str()) {
            return Err(ServiceAuthError::LexiconMethod);
        }
        let starts = claims.issued.max(claims.not_before);
        if starts.is_some_and(|starts| starts > now + skew) {
            return Err(ServiceAuthError::NotYetValid);
        }
        if starts.is_some_and(|starts| starts > claims.expires) {
            return Err(ServiceAuthError::Malformed);
        }
        // Without a date of issue it may have been issued just now, by a clock that is ahead of
        // ours.
        let issued = claims.issued.unwrap_or(now + skew);
        if claims.expires.since(issued) > max_lifetime {
            return Err(ServiceAuthError::LifetimeTooLong);
        }
        Ok(())
    }

    async fn check_signature(
        &self,
        token: &Unverified<'_>,
        issuer: &Issuer,
    ) -> Result<(), ServiceAuthError> {
        let cached = self.key(issuer, Freshness::Cached).await.map_err(refused)?;
        if cached.as_ref().is_some_and(|key| token.is_signed_by(key)) {
            return Ok(());
        }
        let fresh = self
            .keys
            .signing_key(&issuer.did, issuer.key_name(), Freshness::Fresh);
        let fresh = fresh.await.map_err(refused)?;
        if cached.as_ref() != Some(&fresh) && token.is_signed_by(&fresh) {
            Ok(())
        } else {
            Err(ServiceAuthError::Signature)
        }
    }

    /// The key of an issuer. A document that has none that can be read is worth a second look, as
    /// one is whose key does not fit: the key may be new.
    async fn key(
        &self,
        issuer: &Issuer,
        freshness: Freshness,
    ) -> Result<Option<PublicKey>, IdentityError> {
        let key = self
            .keys
            .signing_key(&issuer.did, issuer.key_name(), freshness);
        match key.await {
            Err(IdentityError::Document(DocumentError::NoKey | DocumentError::BadKey)) => Ok(None),
            key => key.map(Some),
        }
    }

    async fn check_first_use(
        &self,
        token: &Unverified<'_>,
        did: &Did,
        now: Timestamp,
    ) -> Result<(), ServiceAuthError> {
        let nonce = token.claims.nonce.clone();
        let nonce = nonce.unwrap_or_else(|| HEXLOWER.encode(&Sha256::digest(token.signing_input)));
        let forget = token.claims.expires + self.config.clock_skew;
        if self.replays.first_use(did, &nonce, forget, now).await? {
            Ok(())
        } else {
            Err(ServiceAuthError::Replayed)
        }
    }
}

impl fmt::Debug for ServiceAuthVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAuthVerifier")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Whose token it says it is.
struct Issuer {
    did: Did,
    service: Option<Box<str>>,
}

impl Issuer {
    /// The key that a service signs with: a labeler has its own, every other service the account's.
    fn key_name(&self) -> &'static str {
        match self.service.as_deref() {
            Some("atproto_labeler") => "atproto_label",
            _ => "atproto",
        }
    }
}

fn refused(error: IdentityError) -> ServiceAuthError {
    if error.is_retryable() {
        ServiceAuthError::Unavailable
    } else {
        ServiceAuthError::Issuer
    }
}
