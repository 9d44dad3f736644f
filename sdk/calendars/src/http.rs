//! Requests to a calendar's server, and where they may lead.

pub(crate) mod challenge;
pub(crate) mod date;
pub(crate) mod digest;

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use huddle_ports::{
    Blocked, Fetch, FetchLimits, HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    StatusCode, Timestamp, Url, header,
};

use crate::credentials::Credentials;
use crate::error::CalendarError;

/// How long one request may take. Who has less time drops what waits for it: that ends the request too.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes: a feed, or the events of a window.
pub const MAX_ANSWER_BYTES: usize = 5 * 1024 * 1024;

/// How often an answer may lead elsewhere.
const MAX_REDIRECTS: u8 = 5;

/// Makes requests in one person's name.
///
/// It says who that is by Basic authentication, unasked, since some servers never ask. One that wants a digest instead is
/// given that from then on.
pub(crate) struct Client<'a> {
    pub(crate) fetch: &'a dyn Fetch,
    credentials: Option<&'a Credentials>,
    pub(crate) now: Timestamp,
    digest: Mutex<Option<digest::Session>>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        fetch: &'a dyn Fetch,
        credentials: Option<&'a Credentials>,
        now: Timestamp,
    ) -> Self {
        Self {
            fetch,
            credentials,
            now,
            digest: Mutex::default(),
        }
    }
}

impl Client<'_> {
    /// Asks a question. The answer may be redirected, and may have any status but one that says what to do.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response, CalendarError> {
        let first = self.send(request.clone(), MAX_REDIRECTS).await?;
        if !lost_something(&request, &first) {
            return Ok(first);
        }
        if self.credentials.is_some() && !may_have_credentials(&request.url, &first.final_url) {
            return Err(elsewhere(&first.final_url));
        }
        let url = first.final_url;
        self.send(Request { url, ..request }, 0).await
    }

    /// Gets what is at an address that needs no credentials.
    pub(crate) async fn get(&self, request: Request) -> Result<Response, CalendarError> {
        self.send(request, MAX_REDIRECTS).await
    }

    /// Changes something. It is not redirected, since a change may have become a question on the way.
    pub(crate) async fn change(&self, request: Request) -> Result<Response, CalendarError> {
        self.send(request, 0).await
    }

    async fn send(&self, request: Request, max_redirects: u8) -> Result<Response, CalendarError> {
        let first = self.attempt(request.clone(), max_redirects).await?;
        if !self.is_to_digest(&request, &first) {
            return Ok(first);
        }
        let url = first.final_url;
        self.attempt(Request { url, ..request }, 0).await
    }

    /// Whether an answer asks for a digest, which is then given with every request. One that was refused is not given
    /// again: that counts as two attempts, and may lock the account.
    fn is_to_digest(&self, request: &Request, answer: &Response) -> bool {
        let is_ours =
            self.credentials.is_some() && may_have_credentials(&request.url, &answer.final_url);
        if answer.status != StatusCode::UNAUTHORIZED || !is_ours {
            return false;
        }
        let Some(challenge) = challenge::digest(&answer.headers) else {
            return false;
        };
        let mut digest = self.digest();
        // Another realm of the same server has not been told anything yet.
        let was_told = digest
            .as_ref()
            .is_some_and(|it| it.realm() == challenge.realm);
        let was_refused = was_told && is_same(&request.url, &answer.final_url);
        if was_refused && !challenge.is_stale {
            return false;
        }
        *digest = Some(digest::Session::new(challenge));
        true
    }

    fn digest(&self) -> MutexGuard<'_, Option<digest::Session>> {
        self.digest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn authorization(&self, request: &Request) -> Option<HeaderValue> {
        let credentials = self.credentials?;
        match &mut *self.digest() {
            Some(session) => credentials.digest(session, (&request.method, &request.url), self.now),
            None => Some(credentials.authorization()),
        }
    }

    async fn attempt(
        &self,
        mut request: Request,
        max_redirects: u8,
    ) -> Result<Response, CalendarError> {
        request.limits = FetchLimits {
            timeout: REQUEST_TIMEOUT,
            max_response_bytes: MAX_ANSWER_BYTES,
            max_redirects,
        };
        if let Some(value) = self.authorization(&request) {
            request.headers.insert(header::AUTHORIZATION, value);
        }
        Ok(self.fetch.fetch(request).await?)
    }

    /// The error that a response stands for.
    pub(crate) fn refusal(&self, response: &Response) -> CalendarError {
        CalendarError::from_status(response.status, &response.headers, self.now)
    }
}

/// A request with a body of this type.
pub(crate) fn with_body(
    method: Method,
    url: Url,
    content_type: &'static str,
    body: String,
) -> Request {
    let mut request = Request::new(method, url);
    request.body = body.into();
    request.header(header::CONTENT_TYPE, HeaderValue::from_static(content_type))
}

/// A header's value, if there is one and it is plain text.
pub(crate) fn text_header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A value for a header, of what a server gave earlier.
pub(crate) fn header_value(text: &str) -> Result<HeaderValue, CalendarError> {
    let broken = |_| CalendarError::Broken(Cow::Borrowed("what it gave earlier is no header"));
    HeaderValue::try_from(text).map_err(broken)
}

/// Whether an answer may come from what a redirect left out, so that the place it leads to is to be asked itself.
///
/// On the way to another origin the credentials are left behind, and a redirect with status 303 makes a plain GET of
/// any question (RFC 9110 §15.4.4). Credentials that were sent and refused are not sent again: that counts as two
/// attempts, and may lock the account.
fn lost_something(request: &Request, answer: &Response) -> bool {
    let (asked, answered) = (&request.url, &answer.final_url);
    if is_same(asked, answered) {
        return false;
    }
    let left_credentials = asked.origin() != answered.origin();
    match answer.status.as_u16() {
        207 => false,
        401 | 403 => left_credentials,
        200..300 | 404 | 405 | 501 => left_credentials || request.method != Method::GET,
        _ => false,
    }
}

fn is_same(asked: &Url, answered: &Url) -> bool {
    let mut asked = asked.clone();
    asked.set_fragment(None);
    asked == *answered
}

/// Where a link of the server at `from` leads, if whoever is there may have the credentials too.
pub(crate) fn trusted(from: &Url, to: Url) -> Result<Url, CalendarError> {
    if may_have_credentials(from, &to) {
        Ok(to)
    } else {
        Err(elsewhere(&to))
    }
}

fn elsewhere(url: &Url) -> CalendarError {
    if url.scheme() != "https" {
        return CalendarError::Blocked(Blocked::Scheme);
    }
    let name = url.host_str().unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    CalendarError::Elsewhere { host }
}

/// Whether credentials that `from` was given may be sent to `to`, where `from` says that things are.
///
/// That is so at the same host, on the same port or the one of `https`. Any other name may be a stranger's, however
/// alike: at `github.io` each has an owner of its own, and only a list of such suffixes tells.
fn may_have_credentials(from: &Url, to: &Url) -> bool {
    let port = to.port_or_known_default();
    to.scheme() == from.scheme()
        && to.host() == from.host()
        && (port == from.port_or_known_default() || port == Some(443))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, expect: bool) {
        let (from, to) = (Url::parse(from).unwrap(), Url::parse(to).unwrap());
        assert_eq!(may_have_credentials(&from, &to), expect, "{from} {to}");
    }

    #[test]
    fn credentials_go_to_the_same_host_only() {
        for (from, to, expect) in [
            ("https://a.example.com/", "https://a.example.com/x", true),
            ("https://example.com:8443/", "https://example.com/", true),
            ("https://example.com/", "https://example.com:8443/", false),
            ("https://example.com/", "http://example.com/", false),
            ("http://127.0.0.1:1/", "http://127.0.0.1:1/x", true),
            ("http://127.0.0.1:1/", "http://127.0.0.1:2/", false),
            ("https://8.8.8.8/", "https://8.8.4.4/", false),
            ("https://example.com/", "https://dav.example.com/", false),
            ("https://dav.example.com/", "https://example.com/", false),
            ("https://a.example.com/", "https://b.example.com/", false),
            ("https://ana.github.io/", "https://eve.github.io/", false),
            ("https://ana.asso.fr/", "https://eve.asso.fr/", false),
            ("https://good.com/", "https://evil.com/", false),
            ("https://example.com/", "https://badexample.com/", false),
        ] {
            check(from, to, expect);
        }
    }

    #[test]
    fn an_error_says_which_address_is_to_be_given() {
        let error = |url: &str| elsewhere(&Url::parse(url).unwrap());
        for (url, host) in [
            ("https://dav.example.com/ana/", "dav.example.com"),
            ("https://dav.example.com:8443/", "dav.example.com:8443"),
        ] {
            let text = error(url).to_string();
            assert!(text.contains(&format!("give https://{host}/")), "{text}");
        }
        let unsafe_scheme = error("http://dav.example.com/");
        assert_eq!(unsafe_scheme, CalendarError::Blocked(Blocked::Scheme));
    }
}
