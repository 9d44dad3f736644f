//! Who is calling: the part of a request that is verified before anything else of it is read.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;
use http::{HeaderMap, header};
use huddle_identity::{Caller, ServiceAuthError, ServiceAuthVerifier};
use huddle_syntax::Nsid;

use super::problem::Problem;
use super::{BoxError, FaultCause, Refusal};
use crate::{Generic, RateLimit};

/// Verifies who makes a request.
#[async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// Who calls the method `nsid`, by the head of the request; nobody if it does not say so at all. Credentials that
    /// are there and are not valid are an error, also where nobody needs to be signed in.
    async fn authenticate(&self, nsid: &Nsid, request: &Parts) -> Result<Admitted, AuthError>;
}

/// A request that may go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Who makes it, if it says so.
    pub caller: Option<Caller>,
    /// How many more may follow, where that is counted: for the headers of whatever is answered.
    pub rate_limit: Option<RateLimit>,
}

impl From<Option<Caller>> for Admitted {
    fn from(caller: Option<Caller>) -> Self {
        Self {
            caller,
            rate_limit: None,
        }
    }
}

#[async_trait]
impl<T: Authenticate + ?Sized> Authenticate for Arc<T> {
    async fn authenticate(&self, nsid: &Nsid, request: &Parts) -> Result<Admitted, AuthError> {
        (**self).authenticate(nsid, request).await
    }
}

/// Why it is not known who is calling.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuthError {
    /// The credentials are not valid: 401.
    Refused {
        /// The error on the wire.
        name: &'static str,
        /// What it says to a person; nothing that the caller does not know.
        message: Cow<'static, str>,
    },
    /// Whoever it is asks too often: 429.
    Limited {
        /// After how many seconds the caller may come again.
        retry_after_secs: u64,
        /// What is left, where that is counted.
        rate_limit: Option<RateLimit>,
    },
    /// It cannot be said now: 503.
    Unavailable,
    /// It cannot be said because of a fault of ours: 500, and the detail goes to
    /// [`Router::on_fault`](super::Router::on_fault).
    Fault(BoxError),
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { name, message } => write!(f, "{name}: {message}"),
            Self::Limited {
                retry_after_secs, ..
            } => {
                write!(f, "the caller may come again in {retry_after_secs} s")
            }
            Self::Unavailable => f.write_str("the caller cannot be verified now"),
            Self::Fault(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AuthError {}

impl From<ServiceAuthError> for AuthError {
    fn from(error: ServiceAuthError) -> Self {
        match error {
            ServiceAuthError::Unavailable => Self::Unavailable,
            _ => Self::Refused {
                name: error.name(),
                message: error.to_string().into(),
            },
        }
    }
}

impl AuthError {
    /// How many more requests may follow, where that is counted.
    pub(super) fn rate_limit(&self) -> Option<RateLimit> {
        match self {
            Self::Limited { rate_limit, .. } => *rate_limit,
            Self::Refused { .. } | Self::Unavailable | Self::Fault(_) => None,
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused { name, message } => Self::bad_credentials(name, message),
            AuthError::Limited {
                retry_after_secs, ..
            } => Refusal::from(Generic::RateLimitExceeded)
                .with_retry_after(retry_after_secs)
                .into(),
            AuthError::Unavailable => Generic::NotEnoughResources
                .because("The caller cannot be verified now")
                .into(),
            AuthError::Fault(error) => Self::Fault(FaultCause::Error(error)),
        }
    }
}

/// The token of `Authorization: Bearer`, for implementations of [`Authenticate`]; `None` if there is no such header.
///
/// Another scheme, or several headers, is an error.
pub fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, AuthError> {
    let refused = |message: &'static str| AuthError::Refused {
        name: Generic::AuthenticationRequired.name(),
        message: message.into(),
    };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(refused("Several Authorization headers"));
    }
    // RFC 9110 §11.1: the scheme's case does not matter.
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_matches(' '))
        .filter(|token| !token.is_empty());
    token
        .map(Some)
        .ok_or_else(|| refused("Authorization must be a Bearer token"))
}

/// Service-auth tokens, each good for the one method that its `lxm` names.
///
/// Whoever sends a token has its issuer looked up. Who serves strangers has them pay for that first, from some allowance:
/// [`ServiceAuthVerifier::verify_known`] says when.
#[async_trait]
impl Authenticate for ServiceAuthVerifier {
    async fn authenticate(&self, nsid: &Nsid, request: &Parts) -> Result<Admitted, AuthError> {
        let caller = match bearer_token(&request.headers)? {
            Some(token) => Some(self.verify(token, nsid).await?),
            None => None,
        };
        Ok(caller.into())
    }
}
