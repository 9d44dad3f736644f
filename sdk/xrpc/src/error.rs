//! The error names that every XRPC method may answer with, and the shape of errors on the wire.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde::{Deserialize, Serialize};

/// The errors that no lexicon declares because every method has them.
///
/// Names and statuses are those of the reference implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Generic {
    /// 400: parameters or a body that break the lexicon.
    InvalidRequest,
    /// 401: the method needs a caller, and nobody is signed in.
    AuthenticationRequired,
    /// 403: the caller is known and may not.
    Forbidden,
    /// 404: no XRPC here.
    XrpcNotSupported,
    /// 406: the answer has no form that the request accepts.
    NotAcceptable,
    /// 413: the body is longer than the method takes.
    PayloadTooLarge,
    /// 415: a body of another type or in an encoding that is not understood.
    UnsupportedMediaType,
    /// 429: too many requests.
    RateLimitExceeded,
    /// 500: a fault of the server. Its text is fixed.
    InternalServerError,
    /// 501: the service has no such method.
    MethodNotImplemented,
    /// 502: a service behind this one failed.
    UpstreamFailure,
    /// 503: not now.
    NotEnoughResources,
    /// 504: a service behind this one was too slow.
    UpstreamTimeout,
}

impl Generic {
    const ALL: [Self; 13] = [
        Self::InvalidRequest,
        Self::AuthenticationRequired,
        Self::Forbidden,
        Self::XrpcNotSupported,
        Self::NotAcceptable,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RateLimitExceeded,
        Self::InternalServerError,
        Self::MethodNotImplemented,
        Self::UpstreamFailure,
        Self::NotEnoughResources,
        Self::UpstreamTimeout,
    ];

    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "InvalidRequest", "Invalid request"),
            Self::AuthenticationRequired => (
                StatusCode::UNAUTHORIZED,
                "AuthenticationRequired",
                "Authentication required",
            ),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Forbidden", "Forbidden"),
            Self::XrpcNotSupported => (
                StatusCode::NOT_FOUND,
                "XRPCNotSupported",
                "XRPC not supported",
            ),
            Self::NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "NotAcceptable",
                "Not acceptable",
            ),
            Self::PayloadTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "PayloadTooLarge",
                "Payload too large",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "Unsupported media type",
            ),
            Self::RateLimitExceeded => (
                StatusCode::TOO_MANY_REQUESTS,
                "RateLimitExceeded",
                "Rate limit exceeded",
            ),
            Self::InternalServerError => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "Internal server error",
            ),
            Self::MethodNotImplemented => (
                StatusCode::NOT_IMPLEMENTED,
                "MethodNotImplemented",
                "Method not implemented",
            ),
            Self::UpstreamFailure => (
                StatusCode::BAD_GATEWAY,
                "UpstreamFailure",
                "Upstream failure",
            ),
            Self::NotEnoughResources => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NotEnoughResources",
                "Not enough resources",
            ),
            Self::UpstreamTimeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "UpstreamTimeout",
                "Upstream timeout",
            ),
        }
    }

    /// The status that it goes with.
    pub const fn status(self) -> StatusCode {
        self.parts().0
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        self.parts().1
    }

    /// What it says where nothing more is known.
    pub const fn text(self) -> &'static str {
        self.parts().2
    }

    /// The error of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|generic| generic.name() == name)
    }

    /// What a status means where no name came with it.
    pub fn from_status(status: StatusCode) -> Option<Self> {
        let exact = Self::ALL
            .into_iter()
            .find(|generic| generic.status() == status);
        exact.or_else(|| match status.as_u16() {
            400..500 => Some(Self::InvalidRequest),
            500..600 => Some(Self::InternalServerError),
            _ => None,
        })
    }
}

impl fmt::Display for Generic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Generic {}

/// An error on the wire. Reading takes what others leave out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ErrorBody<'a> {
    #[serde(default, borrow)]
    pub(crate) error: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub(crate) message: Option<Cow<'a, str>>,
}

/// The most of a message that is sent or kept, in characters.
const MAX_MESSAGE_CHARS: usize = 1000;

/// The message without control characters, which terminals and logs obey, and not longer than anybody reads.
pub(crate) fn printable(message: &str) -> Cow<'_, str> {
    let is_safe = |c: char| !c.is_control();
    if message.len() <= MAX_MESSAGE_CHARS && message.chars().all(is_safe) {
        return Cow::Borrowed(message);
    }
    let mut chars = message.chars();
    let mut text: String = chars
        .by_ref()
        .take(MAX_MESSAGE_CHARS)
        .map(|c| {
            if is_safe(c) {
                c
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect();
    if chars.next().is_some() {
        text.push('…');
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_status_is_found_again() {
        for generic in Generic::ALL {
            assert_eq!(Generic::from_name(generic.name()), Some(generic));
            assert_eq!(Generic::from_status(generic.status()), Some(generic));
        }
    }

    #[test]
    fn a_status_without_a_name_of_its_own_is_of_its_class() {
        let of = |status| Generic::from_status(StatusCode::from_u16(status).unwrap());
        assert_eq!(of(409), Some(Generic::InvalidRequest));
        assert_eq!(of(599), Some(Generic::InternalServerError));
        assert_eq!(of(200), None);
        assert_eq!(of(304), None);
    }

    #[test]
    fn messages_are_bounded_and_printable() {
        #[track_caller]
        fn check(message: &str, expect: &str) {
            assert_eq!(printable(message), expect);
        }
        check("", "");
        check("Grüße, 世界", "Grüße, 世界");
        check("a\nb\u{1b}[31m", "a\u{fffd}b\u{fffd}[31m");
        check(&"é".repeat(1000), &"é".repeat(1000));
        check(&"é".repeat(1001), &format!("{}…", "é".repeat(1000)));
    }
}
