//! Why a calendar is not connected, in words that say what to do.

use axum::http::StatusCode;
use axum::response::Response;
use huddle_calendars::{CalendarError, NotConnected};
use huddle_core::user_connector::connector::ConnectRefused;
use huddle_core::user_connector::ticket::BadTicket;

use crate::page::{Message, answer};

/// What is said.
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) text: String,
    /// Whether to fill the form in again is of no use.
    pub(super) is_final: bool,
}

impl Problem {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            is_final: false,
        }
    }

    fn last(status: StatusCode, text: &str) -> Self {
        Self {
            is_final: true,
            ..Self::new(status, text)
        }
    }

    pub(super) fn unreadable_form() -> Self {
        Self::last(
            StatusCode::BAD_REQUEST,
            "What was sent is not the form of this page. Go back, open the page again and fill it in there.",
        )
    }

    /// A page that says only this.
    pub(super) fn page(&self) -> Response {
        let message = Message {
            title: "No calendar was connected",
            text: &self.text,
        };
        answer(self.status, &message)
    }
}

impl From<BadTicket> for Problem {
    fn from(bad: BadTicket) -> Self {
        match bad {
            BadTicket::Expired => over(),
            BadTicket::Forged => Self::last(
                StatusCode::BAD_REQUEST,
                "This link is not complete. Open it from the app again, or have the app make a new one.",
            ),
        }
    }
}

impl From<NotConnected> for Problem {
    fn from(why: NotConnected) -> Self {
        let mistaken = StatusCode::UNPROCESSABLE_ENTITY;
        match why {
            NotConnected::Address(_) => Self::new(
                mistaken,
                "That is not the address of a feed. Copy the whole address from your calendar’s settings: it begins \
                 with https:// or webcal://, and has no user name or password in it.",
            ),
            NotConnected::Credentials(_) => Self::new(
                mistaken,
                "A user name has no colon, and neither it nor a password has line breaks. Type both again.",
            ),
            NotConnected::TooManyCalendars => Self::new(
                mistaken,
                "The account has more calendars than Huddle reads. Give the address of the calendar that counts.",
            ),
            NotConnected::Calendar(error) => error.into(),
            NotConnected::Ticket(bad) => bad.into(),
            NotConnected::Refused(ConnectRefused::TicketUsed) => over(),
            NotConnected::Refused(ConnectRefused::TooMany) => Self::last(
                StatusCode::CONFLICT,
                "You have as many calendars connected as is possible. Disconnect one in the app first.",
            ),
            NotConnected::Refused(ConnectRefused::NotFound) => Self::last(
                StatusCode::NOT_FOUND,
                "The calendar was disconnected in the meantime. Have the app make a new link.",
            ),
            NotConnected::TooOften => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "You have tried often in a short time. Wait a minute, then try again.",
            ),
            NotConnected::Unreachable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Huddle could not store it. Nothing is lost: try again in a minute.",
            ),
        }
    }
}

impl From<CalendarError> for Problem {
    fn from(error: CalendarError) -> Self {
        let (status, text) = match error {
            CalendarError::Unauthorized => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The server does not accept this user name and password. Type both again; an account with sign-in in two \
                 steps needs an app password, which its settings make."
                    .into(),
            ),
            CalendarError::UnknownAuthentication { schemes } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                format!(
                    "The server lets nobody in by user name and password as Huddle sends them, which is by Basic or Digest, \
                     but only by {schemes}. Connect the calendar as a feed instead."
                ),
            ),
            CalendarError::Forbidden => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The server does not let this account, or anybody with this address, read the calendar. Share it first, \
                 or give another address."
                    .into(),
            ),
            CalendarError::NotACalendar | CalendarError::Gone => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "There is no calendar at that address. Copy the address from your calendar’s settings: that of the page \
                 on which you see your calendar is another one."
                    .into(),
            ),
            CalendarError::Elsewhere { host } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                format!(
                    "The calendar is at another host, {host}. If that host may have your password, give \
                     https://{host}/ as the address."
                ),
            ),
            CalendarError::Blocked(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Huddle does not ask that address: it needs https, and a host that everybody can reach.".into(),
            ),
            CalendarError::TooLarge => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "There is more in the calendar than Huddle reads. Give the address of a smaller one.".into(),
            ),
            CalendarError::ReadOnly => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Nothing can be written to that calendar by this account. Give one that can be written to, or have the \
                 app make a link for reading only."
                    .into(),
            ),
            CalendarError::Throttled { .. } | CalendarError::Locked => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The calendar’s server asks to wait. Try again in a few minutes.".into(),
            ),
            CalendarError::Unreachable(error) if !error.is_retryable() => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "There is no server at that address, or it cannot prove that it is that one. Look for a typing mistake."
                    .into(),
            ),
            CalendarError::Conflict | CalendarError::Broken(_) | CalendarError::Unreachable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The calendar’s server does not answer as it should. Try again in a few minutes; if that does not help, \
                 look for a typing mistake in the address."
                    .into(),
            ),
        };
        Self::new(status, text)
    }
}

fn over() -> Problem {
    Problem::last(
        StatusCode::GONE,
        "This link was used already, or has expired: it is good for one calendar and a quarter of an hour. Have the app \
         make a new one.",
    )
}
