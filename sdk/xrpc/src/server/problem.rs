//! Everything that ends a request without an output, in the form that it leaves in.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderValue, StatusCode, header};
use huddle_syntax::schema::ErrorName;

use super::caching::keep_nowhere;
use super::{Answered, Failure, FaultCause, Refusal};
use crate::Generic;
use crate::error::{ErrorBody, printable};

/// What is answered instead of an output.
#[derive(Debug)]
pub(super) enum Problem {
    Refused {
        status: StatusCode,
        name: &'static str,
        message: Cow<'static, str>,
        retry_after_secs: Option<u64>,
        /// The value of `WWW-Authenticate`, if a 401 says more than that there were no credentials.
        challenge: Option<&'static str>,
    },
    Fault(FaultCause),
}

impl Problem {
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Generic::InvalidRequest.because(message).into()
    }

    pub(super) fn wrong_verb(message: String) -> Self {
        Self::Refused {
            status: StatusCode::METHOD_NOT_ALLOWED,
            name: Generic::InvalidRequest.name(),
            message: message.into(),
            retry_after_secs: None,
            challenge: None,
        }
    }

    pub(super) fn bad_credentials(name: &'static str, message: Cow<'static, str>) -> Self {
        Self::Refused {
            status: StatusCode::UNAUTHORIZED,
            name,
            message,
            retry_after_secs: None,
            // RFC 6750 §3.1
            challenge: Some(r#"Bearer error="invalid_token""#),
        }
    }

    /// The answer. A fault is handed to `on_fault`, and nothing of it is in the answer.
    pub(super) fn into_response(
        self,
        on_fault: impl FnOnce(FaultCause),
    ) -> axum::response::Response {
        match self {
            Self::Refused {
                status,
                name,
                message,
                retry_after_secs,
                challenge,
            } => {
                let mut response = error_response(status, name, &message);
                let headers = response.headers_mut();
                if let Some(secs) = retry_after_secs {
                    headers.insert(header::RETRY_AFTER, secs.into());
                }
                if status == StatusCode::UNAUTHORIZED {
                    let challenge = HeaderValue::from_static(challenge.unwrap_or("Bearer"));
                    headers.insert(header::WWW_AUTHENTICATE, challenge);
                }
                if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
                    // RFC 9110 §15.5.16
                    headers.insert(
                        header::ACCEPT_ENCODING,
                        HeaderValue::from_static("identity"),
                    );
                }
                response
            }
            Self::Fault(cause) => {
                on_fault(cause);
                let fixed = Generic::InternalServerError;
                error_response(fixed.status(), fixed.name(), fixed.text())
            }
        }
    }
}

impl From<Refusal<Generic>> for Problem {
    fn from(refusal: Refusal<Generic>) -> Self {
        let error = refusal.error();
        if error == Generic::InternalServerError {
            return Self::Fault(FaultCause::Error(refusal.into_message().into()));
        }
        Self::Refused {
            status: refusal.status(),
            name: error.name(),
            retry_after_secs: refusal.retry_after_secs(),
            message: refusal.into_message(),
            challenge: None,
        }
    }
}

impl<E: ErrorName> From<Failure<E>> for Problem {
    fn from(failure: Failure<E>) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Refused {
                status: refusal.status(),
                name: refusal.error().name(),
                retry_after_secs: refusal.retry_after_secs(),
                message: refusal.into_message(),
                challenge: None,
            },
            Failure::Generic(refusal) => refusal.into(),
            Failure::Fault(error) => Self::Fault(FaultCause::Error(error)),
        }
    }
}

/// The error alone, with its own text: for the fallbacks of an application around an XRPC router.
impl IntoResponse for Generic {
    fn into_response(self) -> axum::response::Response {
        error_response(self.status(), self.name(), self.text())
    }
}

fn error_response(
    status: StatusCode,
    name: &'static str,
    message: &str,
) -> axum::response::Response {
    let body = ErrorBody {
        error: Some(name.into()),
        message: Some(printable(message)),
    };
    let body = serde_json::to_vec(&body).expect("two strings always serialise");
    let mut response = axum::response::Response::new(Body::from(body));
    *response.status_mut() = status;
    response.extensions_mut().insert(Answered {
        nsid: None,
        error: Some(name),
    });
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    keep_nowhere(headers);
    response
}
