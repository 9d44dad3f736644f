//! Requests to a calendar's server, and where they may lead.

use std::borrow::Cow;
use std::time::Duration;

use huddle_ports::{
    Fetch, FetchLimits, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    Timestamp, Url, header,
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
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) fetch: &'a dyn Fetch,
    pub(crate) credentials: Option<&'a Credentials>,
    pub(crate) now: Timestamp,
}

impl Client<'_> {
    /// Asks a question. The answer may be redirected, and may have any status but one that says what to do.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response, CalendarError> {
        let asked = request.url.clone();
        let first = self.send(request.clone(), MAX_REDIRECTS).await?;
        if is_same(&asked, &first.final_url) || !lost_something(first.status) {
            return Ok(first);
        }
        // On the way to another origin the credentials are left behind, and a redirect with status 303 turns
        // any question into a plain GET (RFC 9110 §15.4.4): so the place it leads to is asked itself.
        if self.credentials.is_some() && !may_have_credentials(&asked, &first.final_url) {
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

    async fn send(
        &self,
        mut request: Request,
        max_redirects: u8,
    ) -> Result<Response, CalendarError> {
        request.limits = FetchLimits {
            timeout: REQUEST_TIMEOUT,
            max_response_bytes: MAX_ANSWER_BYTES,
            max_redirects,
        };
        if let Some(credentials) = self.credentials {
            let value = credentials.authorization();
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

/// Whether a status may come from what a redirect left out.
fn lost_something(status: StatusCode) -> bool {
    match status.as_u16() {
        207 => false,
        401 | 403 | 404 | 405 => true,
        other => (200..300).contains(&other),
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
    let host = url.host_str().unwrap_or_default().to_owned();
    CalendarError::Elsewhere { host }
}

/// Whether credentials that `from` was given may be sent to `to`, where `from` says that things are.
///
/// That is so at the same origin; and in the same scheme, on the same port or the one of `https`, at a host below,
/// above or beside it, as iCloud's `p42-caldav.icloud.com` is beside `caldav.icloud.com`.
fn may_have_credentials(from: &Url, to: &Url) -> bool {
    if from.origin() == to.origin() {
        return true;
    }
    let port = to.port_or_known_default();
    if to.scheme() != from.scheme() || (port != from.port_or_known_default() && port != Some(443)) {
        return false;
    }
    let (Some(from), Some(to)) = (from.domain(), to.domain()) else {
        return false;
    };
    let above = |host: &str| host.split_once('.').map(|(_, above)| above.to_owned());
    let beside = above(from).filter(|parent| above(to).as_ref() == Some(parent));
    is_within(to, from)
        || is_within(from, to) && has_one_owner(to)
        || beside.is_some_and(|parent| has_one_owner(&parent))
}

fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a domain is somebody's own, as far as its form tells: under `co.uk` and its like live strangers.
fn has_one_owner(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    match labels.as_slice() {
        [] | [_] => false,
        [name, _] => name.len() > 3,
        _ => true,
    }
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
    fn credentials_go_to_hosts_of_the_same_owner_only() {
        for (from, to, expect) in [
            ("https://a.example.com/", "https://a.example.com/x", true),
            ("https://example.com/", "https://dav.example.com/", true),
            ("https://dav.example.com/", "https://example.com/", true),
            (
                "https://caldav.icloud.com/",
                "https://p42-caldav.icloud.com/1/",
                true,
            ),
            ("https://example.com/", "https://example.com:8443/", false),
            ("https://example.com:8443/", "https://example.com/", true),
            ("https://example.com/", "http://example.com/", false),
            ("http://127.0.0.1:1/", "http://127.0.0.1:2/", false),
            ("https://good.co.uk/", "https://evil.co.uk/", false),
            ("https://good.com/", "https://evil.com/", false),
            ("https://example.com/", "https://badexample.com/", false),
            (
                "https://example.com/",
                "https://example.com.evil.org/",
                false,
            ),
            ("https://gmx.net/", "https://caldav.gmx.net/", true),
            ("https://a.good.co.uk/", "https://b.good.co.uk/", true),
            ("https://good.co.uk/", "https://co.uk/", false),
            ("https://8.8.8.8/", "https://8.8.4.4/", false),
        ] {
            check(from, to, expect);
        }
    }
}
