//! Why a call has no output.

use std::fmt;

use http::StatusCode;
use huddle_ports::FetchError;
use huddle_syntax::schema::{ErrorName, Invalid};

use crate::error::{ErrorBody, printable};
use crate::response::retry_after_secs;
use crate::{Generic, RateLimit};

/// Why a call has no output. `E` are the errors that the method's lexicon declares.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError<E> {
    /// The service answered with an error that the lexicon declares.
    Declared(ErrorResponse<E>),
    /// The service answered with any other error: one of those that every method has
    /// ([`ErrorResponse::generic`]), one of a later lexicon, or something that is no XRPC error at all.
    Undeclared(ErrorResponse<String>),
    /// The parameters or the input break the lexicon. Nothing was sent.
    InvalidRequest(Invalid),
    /// The service answered with something that breaks the lexicon.
    InvalidResponse(InvalidResponse),
    /// There is no answer.
    Transport(FetchError),
}

/// An error that a service answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse<N> {
    /// Which error.
    pub error: N,
    /// What it says to a person, if anything: the service's words, without control characters and at most 1,000
    /// characters of them.
    pub message: Option<String>,
    /// The HTTP status.
    pub status: StatusCode,
    /// After how many seconds to come again, if the service says so.
    pub retry_after_secs: Option<u64>,
    /// How many more requests are allowed, if the service says so.
    pub rate_limit: Option<RateLimit>,
}

impl ErrorResponse<String> {
    /// The error, if it is one that every method has.
    pub fn generic(&self) -> Option<Generic> {
        Generic::from_name(&self.error)
    }
}

/// What is wrong with an answer that should be an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidResponse {
    /// Its `Content-Type` is not what the lexicon says, or missing.
    ContentType {
        /// What the lexicon says.
        expected: &'static str,
    },
    /// Its body breaks the lexicon.
    Output(Invalid),
    /// A status that is neither success nor error.
    Status(StatusCode),
}

impl<E> ClientError<E> {
    /// Whether the same call may succeed later without anybody changing anything. Of a procedure this does not say that
    /// the first call had no effect.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Declared(response) => response.is_retryable(),
            Self::Undeclared(response) => response.is_retryable(),
            Self::Transport(error) => error.is_retryable(),
            Self::InvalidRequest(_) | Self::InvalidResponse(_) => false,
        }
    }
}

impl<N> ErrorResponse<N> {
    fn of(error: N, message: Option<&str>, response: &huddle_ports::Response) -> Self {
        Self {
            error,
            message: message.map(|message| printable(message).into_owned()),
            status: response.status,
            retry_after_secs: retry_after_secs(&response.headers),
            rate_limit: RateLimit::of(&response.headers),
        }
    }

    fn is_retryable(&self) -> bool {
        self.retry_after_secs.is_some()
            || self.status == StatusCode::TOO_MANY_REQUESTS
            || self.status.is_server_error() && self.status != StatusCode::NOT_IMPLEMENTED
    }
}

/// Reads an answer that is no success.
pub(super) fn read<E: ErrorName>(response: &huddle_ports::Response) -> ClientError<E> {
    let status = response.status;
    let Some(by_status) = Generic::from_status(status) else {
        return InvalidResponse::Status(status).into();
    };
    // Gateways answer with pages of their own: then the status says all.
    let body: ErrorBody<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
    let name = body.error.as_deref().filter(|name| !name.is_empty());
    let message = body.message.as_deref();
    // Only a name that the service gave: what a status stands for, no lexicon has declared.
    if let Some(error) = name.and_then(E::from_name) {
        return ClientError::Declared(ErrorResponse::of(error, message, response));
    }
    let name = name.map_or(by_status.name().into(), printable).into_owned();
    ClientError::Undeclared(ErrorResponse::of(name, message, response))
}

impl<E> From<Invalid> for ClientError<E> {
    fn from(invalid: Invalid) -> Self {
        Self::InvalidRequest(invalid)
    }
}

impl<E> From<InvalidResponse> for ClientError<E> {
    fn from(invalid: InvalidResponse) -> Self {
        Self::InvalidResponse(invalid)
    }
}

impl<E> From<FetchError> for ClientError<E> {
    fn from(error: FetchError) -> Self {
        Self::Transport(error)
    }
}

impl<E: ErrorName> fmt::Display for ClientError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(response) => response.fmt_named(response.error.name(), f),
            Self::Undeclared(response) => response.fmt_named(&response.error, f),
            Self::InvalidRequest(invalid) => write!(f, "invalid request: {invalid}"),
            Self::InvalidResponse(invalid) => invalid.fmt(f),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl<N> ErrorResponse<N> {
    fn fmt_named(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name} ({})", self.status.as_u16())?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for InvalidResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType { expected } => write!(f, "the answer is not of type {expected}"),
            Self::Output(invalid) => write!(f, "invalid answer: {invalid}"),
            Self::Status(status) => write!(f, "an answer with status {}", status.as_u16()),
        }
    }
}

impl<E: ErrorName> std::error::Error for ClientError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::InvalidRequest(invalid)
            | Self::InvalidResponse(InvalidResponse::Output(invalid)) => Some(invalid),
            Self::Transport(error) => Some(error),
            Self::Declared(_) | Self::Undeclared(_) | Self::InvalidResponse(_) => None,
        }
    }
}

impl std::error::Error for InvalidResponse {}
