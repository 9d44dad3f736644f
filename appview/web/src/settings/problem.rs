//! Why nothing was changed, in words that say what to do.

use axum::http::StatusCode;
use axum::response::Response;
use huddle_core::transport::Unreachable;
use huddle_core::user_connector::ticket::BadTicket;

use crate::page::{Message, answer};

/// What is said.
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) text: &'static str,
    /// Whether there is nothing to show beside it.
    pub(super) is_final: bool,
}

impl Problem {
    pub(super) const UNREADABLE_FORM: Self = Self::last(
        StatusCode::BAD_REQUEST,
        "What was sent is not a form of this page. Go back, open the page again and fill it in there.",
    );
    pub(super) const UNREACHABLE: Self = Self::last(
        StatusCode::SERVICE_UNAVAILABLE,
        "Huddle cannot reach your settings right now. Nothing is lost: try again in a minute.",
    );
    pub(super) const LATER_VERSION: Self = Self::last(
        StatusCode::CONFLICT,
        "Your settings have something in them that this page does not know. Change them in the app that has set it.",
    );
    pub(super) const CHANGED: Self = Self::new(
        StatusCode::CONFLICT,
        "Your settings have changed since you opened the page. Below they are as they are now: change there what you want.",
    );
    pub(super) const URL: Self = Self::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "That is no address for a webhook: it begins with https://, has the name of a host that everybody can reach, and \
         has no port, user name or password in it.",
    );
    pub(super) const TOO_OFTEN: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "You have changed much in a short time. Wait a minute, then try again.",
    );

    const fn new(status: StatusCode, text: &'static str) -> Self {
        Self {
            status,
            text,
            is_final: false,
        }
    }

    const fn last(status: StatusCode, text: &'static str) -> Self {
        Self {
            status,
            text,
            is_final: true,
        }
    }

    /// A page that says only this.
    pub(super) fn page(&self) -> Response {
        let message = Message {
            title: "Nothing was changed",
            text: self.text,
        };
        answer(self.status, &message)
    }
}

impl From<BadTicket> for Problem {
    fn from(bad: BadTicket) -> Self {
        match bad {
            BadTicket::Expired => Self::last(
                StatusCode::GONE,
                "This link has expired: it is good for a quarter of an hour. Have the app make a new one.",
            ),
            BadTicket::Forged => Self::last(
                StatusCode::BAD_REQUEST,
                "This link is not complete. Open it from the app again, or have the app make a new one.",
            ),
        }
    }
}

impl From<Unreachable> for Problem {
    fn from(_: Unreachable) -> Self {
        Self::UNREACHABLE
    }
}
