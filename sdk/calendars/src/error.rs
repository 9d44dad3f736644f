//! What went wrong with a calendar, by what is to be done about it.

use std::borrow::Cow;
use std::time::Duration;

use huddle_ports::{Blocked, FetchError, HeaderMap, StatusCode, Timestamp, header};

use crate::http::{challenge, date};

/// Why a calendar was not read or written.
///
/// None of them means "free": time of which nothing is known is not offered. No variant carries an address, a
/// credential or anything from a calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The credentials are wrong or no longer right. The person has to connect the calendar again; to repeat the
    /// request may lock their account.
    #[error("the calendar does not accept the credentials: connect it again")]
    Unauthorized,
    /// The server offers no way to sign in that Huddle knows, which are Basic authentication (RFC 7617) and Digest
    /// (RFC 7616). Whether the credentials are right is not known.
    #[error(
        "the calendar's server lets nobody in by Basic or Digest authentication, only by {schemes}: allow one of them, \
         or give the address of a feed instead"
    )]
    UnknownAuthentication {
        /// The names of what it offers.
        schemes: String,
    },
    /// The account may not do this. To repeat it does not help; the credentials are still good.
    #[error("the account is not allowed to do that in this calendar")]
    Forbidden,
    /// There is no such calendar or event, at least not any more.
    #[error("the calendar or event is not there any more")]
    Gone,
    /// Somebody else has changed, made or removed the event: read it, then decide.
    #[error("the event is not as it was when it was last read")]
    Conflict,
    /// Somebody else is writing there at the moment (RFC 4918 §11.3). It passes by itself.
    #[error("the calendar or event is locked for now")]
    Locked,
    /// The server wants to be left alone for a while.
    #[error("the calendar's server asks to wait")]
    Throttled {
        /// For how long, if it says so.
        retry_after: Option<Duration>,
    },
    /// The server failed, or answered what cannot be understood. It may work later.
    #[error("the calendar's server does not work as it should: {0}")]
    Broken(Cow<'static, str>),
    /// There was no complete answer. Whether to try again is for [`FetchError::is_retryable`] to say; a change that
    /// was asked for may have been made.
    #[error("the calendar's server cannot be reached: {0}")]
    Unreachable(FetchError),
    /// The address, or one that it leads to, is none that Huddle may ask.
    #[error("the calendar's address is not allowed: {0}")]
    Blocked(Blocked),
    /// The server works, and this is no calendar: another address is needed.
    #[error("there is no calendar at that address")]
    NotACalendar,
    /// The server leads to another host, which is not to have the credentials unless the person says so, by giving
    /// an address there.
    #[error("the calendar is at another host: give https://{host}/ if that may have the password")]
    Elsewhere {
        /// The name of that host, with its port if it is not the one of `https`.
        host: String,
    },
    /// The answer is longer than is read, or has more in it.
    #[error("the calendar is too large")]
    TooLarge,
    /// Nothing can be written to a feed, nor to a calendar that only says when somebody is busy.
    #[error("the calendar cannot be written to")]
    ReadOnly,
}

impl CalendarError {
    /// Whether the same request may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Locked | Self::Throttled { .. } | Self::Broken(_) => true,
            Self::Unreachable(error) => error.is_retryable(),
            Self::Unauthorized
            | Self::UnknownAuthentication { .. }
            | Self::Forbidden
            | Self::Gone
            | Self::Conflict
            | Self::Blocked(_)
            | Self::NotACalendar
            | Self::Elsewhere { .. }
            | Self::TooLarge
            | Self::ReadOnly => false,
        }
    }

    /// What the status of an answer to a question says, if it is not the one that was hoped for.
    pub(crate) fn from_status(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        let retry_after = retry_after(headers, now);
        match status.as_u16() {
            401 => match challenge::unknown_schemes(headers) {
                Some(schemes) => Self::UnknownAuthentication { schemes },
                None => Self::Unauthorized,
            },
            403 => Self::Forbidden,
            404 | 410 => Self::Gone,
            405 | 501 => Self::NotACalendar,
            423 => Self::Locked,
            429 => Self::Throttled { retry_after },
            503 if retry_after.is_some() => Self::Throttled { retry_after },
            other => Self::Broken(Cow::Owned(format!("status {other}"))),
        }
    }
}

impl From<FetchError> for CalendarError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Blocked(blocked) => Self::Blocked(blocked),
            FetchError::TooLarge { .. } => Self::TooLarge,
            FetchError::Redirect(_) => {
                Self::Broken(Cow::Borrowed("it redirects where it is not followed"))
            }
            other => Self::Unreachable(other),
        }
    }
}

/// The wait that a server asks for, in seconds or until a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(date::parse(value, now)?.since(now))
}

#[cfg(test)]
mod tests {
    use huddle_ports::HeaderValue;

    use super::*;

    /// 2026-11-21T12:00:00Z.
    const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

    #[track_caller]
    fn check(status: u16, retry_after: Option<&'static str>, expect: &CalendarError) {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(CalendarError::from_status(status, &headers, NOON), *expect);
    }

    fn throttled(secs: Option<u64>) -> CalendarError {
        CalendarError::Throttled {
            retry_after: secs.map(Duration::from_secs),
        }
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date() {
        check(429, None, &throttled(None));
        check(429, Some("120"), &throttled(Some(120)));
        check(
            429,
            Some("Sat, 21 Nov 2026 12:01:30 GMT"),
            &throttled(Some(90)),
        );
        check(
            429,
            Some("Saturday, 21-Nov-26 12:01:30 GMT"),
            &throttled(Some(90)),
        );
        check(429, Some("Sat Nov 21 12:01:30 2026"), &throttled(Some(90)));
        check(
            503,
            Some("Sat, 21 Nov 2026 11:00:00 GMT"),
            &throttled(Some(0)),
        );
        check(429, Some("soon"), &throttled(None));
        check(429, Some("-1"), &throttled(None));
        check(503, None, &CalendarError::Broken("status 503".into()));
    }

    #[test]
    fn what_a_redirect_leads_to_nowhere_is_broken_and_what_is_forbidden_is_blocked() {
        let from = |error: FetchError| CalendarError::from(error);
        let redirect = huddle_ports::RedirectError::TooMany;
        assert!(matches!(from(redirect.into()), CalendarError::Broken(_)));
        assert_eq!(
            from(Blocked::Scheme.into()),
            CalendarError::Blocked(Blocked::Scheme)
        );
        assert_eq!(
            from(FetchError::TooLarge { limit: 1 }),
            CalendarError::TooLarge
        );
    }

    #[test]
    fn only_what_may_pass_by_itself_is_worth_another_try() {
        for (error, expect) in [
            (CalendarError::Unauthorized, false),
            (CalendarError::Conflict, false),
            (CalendarError::Locked, true),
            (CalendarError::NotACalendar, false),
            (throttled(None), true),
            (CalendarError::Broken("".into()), true),
            (CalendarError::Unreachable(FetchError::Timeout), true),
            (CalendarError::Unreachable(FetchError::UnknownHost), false),
        ] {
            assert_eq!(error.is_retryable(), expect, "{error}");
        }
    }
}
