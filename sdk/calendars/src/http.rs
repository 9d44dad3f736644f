//! Requests to a calendar's server, and where they may lead.

pub(crate) mod challenge;
pub(crate) mod date;
pub(crate) mod digest;
pub(crate) mod sign_in;

use std::borrow::Cow;
use std::time::Duration;

use huddle_ports::{
    Blocked, Fetch, FetchLimits, HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    StatusCode, Timestamp, Url, header,
};

use crate::credentials::Credentials;
use crate::error::CalendarError;
use sign_in::{Manner, Told};

/// How long one request may take, unless the [`Fetch`] that is brought gives it another time. Who has less time drops
/// what waits for it: that ends the request too.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes: a feed, or the events of a window; unless the [`Fetch`] that is brought
/// gives it other room, and [`BusyQuery::limits`](crate::BusyQuery::limits) too.
pub const MAX_ANSWER_BYTES: usize = 5 * 1024 * 1024;

/// How often an answer may lead elsewhere.
const MAX_REDIRECTS: u8 = 5;

/// How often at most a request is made once more to say otherwise who asks: a server that did not ask is told the
/// password, and one that does not want that either a digest.
const MAX_OTHER_MANNERS: u8 = 2;

/// Makes requests in one person's name, and says who that is [as their server wants it](sign_in).
pub(crate) struct Client<'a> {
    pub(crate) fetch: &'a dyn Fetch,
    credentials: Option<&'a Credentials>,
    pub(crate) now: Timestamp,
}

/// What has come of a request.
struct Answered {
    response: Response,
    /// The address that was asked, before any redirect.
    asked: Url,
    told: Told,
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
        }
    }
}

impl Client<'_> {
    /// Asks a question. The answer may be redirected, and may have any status but one that says what to do.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response, CalendarError> {
        let first = self.send(&request, MAX_REDIRECTS).await?;
        if !lost_something(&request.method, &first) {
            return Ok(first.response);
        }
        let url = first.response.final_url;
        if self.credentials.is_some() && !may_have_credentials(&request.url, &url) {
            return Err(elsewhere(&url));
        }
        let again = self.send(&Request { url, ..request }, 0).await?;
        Ok(again.response)
    }

    /// Gets what is at an address that needs no credentials.
    pub(crate) async fn get(&self, request: Request) -> Result<Response, CalendarError> {
        let answered = self.send(&request, MAX_REDIRECTS).await?;
        Ok(answered.response)
    }

    /// Changes something. It is not redirected, since a change may have become a question on the way.
    pub(crate) async fn change(&self, request: Request) -> Result<Response, CalendarError> {
        let answered = self.send(&request, 0).await?;
        Ok(answered.response)
    }

    /// Makes a request and says who asks, as the server is known to want that, and then as it turns out to want it.
    async fn send(&self, request: &Request, max_redirects: u8) -> Result<Answered, CalendarError> {
        let Some(credentials) = self.credentials else {
            let request = request.clone();
            return self
                .attempt(request, None, Told::Nothing, max_redirects)
                .await;
        };
        let sign_in = credentials.sign_in();
        let _turn = sign_in.turn().await;
        let (who, told) = sign_in.tell(credentials, request, self.now);
        let mut answered = self
            .attempt(request.clone(), who, told, max_redirects)
            .await?;
        for _ in 0..MAX_OTHER_MANNERS {
            let Some((url, mut manner)) = otherwise(request, &answered)? else {
                break;
            };
            let told = match manner {
                Manner::Digest(_) => Told::NewDigest,
                Manner::Unknown | Manner::Basic => Told::Basic,
            };
            let request = Request {
                url,
                ..request.clone()
            };
            let who = manner.tell(credentials, &request, self.now);
            answered = self.attempt(request, who, told, max_redirects).await?;
            if answered.response.status != StatusCode::UNAUTHORIZED {
                sign_in.learn(manner);
            }
        }
        Ok(answered)
    }

    async fn attempt(
        &self,
        mut request: Request,
        who: Option<HeaderValue>,
        told: Told,
        max_redirects: u8,
    ) -> Result<Answered, CalendarError> {
        request.limits = FetchLimits {
            timeout: REQUEST_TIMEOUT,
            max_response_bytes: MAX_ANSWER_BYTES,
            max_redirects,
        };
        if let Some(who) = who {
            request.headers.insert(header::AUTHORIZATION, who);
        }
        let asked = request.url.clone();
        let response = self.fetch.fetch(request).await?;
        Ok(Answered {
            response,
            asked,
            told,
        })
    }

    /// Whether requests say who asks, where there is something to say: before the server has been met, they do not.
    pub(crate) fn says_who(&self) -> bool {
        let sign_in = self.credentials.map(Credentials::sign_in);
        sign_in.is_none_or(sign_in::SignIn::is_known)
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

/// Where a request is to be made again, and how to say there who asks; `None` if its answer is one.
fn otherwise(
    request: &Request,
    answered: &Answered,
) -> Result<Option<(Url, Manner)>, CalendarError> {
    let answer = &answered.response;
    if !may_have_credentials(&request.url, &answer.final_url) {
        return Ok(None);
    }
    if answer.status == StatusCode::UNAUTHORIZED {
        let wanted = challenge::wanted(&answer.headers);
        let manner = wanted.and_then(|wanted| answered.told.instead(wanted));
        return Ok(manner.map(|manner| (answer.final_url.clone(), manner)));
    }
    let is_question = !matches!(request.method, Method::PUT | Method::DELETE);
    // A site at the root of a host may answer whatever it is asked; that it shows less to strangers is said by no such
    // answer, unless it has led to where people sign in.
    let is_dav = request.method.as_str() != "PROPFIND"
        || answer.status == StatusCode::MULTI_STATUS
        || !is_same(&request.url, &answer.final_url);
    let may_show_more =
        answer.status.is_success() && is_dav || answer.status == StatusCode::FORBIDDEN;
    match answered.told {
        // Some servers never ask, and show strangers less.
        Told::Nothing if is_question && may_show_more => {
            Ok(Some((request.url.clone(), Manner::Basic)))
        }
        // What a stranger is shown is not all that takes time.
        Told::NothingYet if is_question && answer.status.is_success() => Err(
            CalendarError::Broken(Cow::Borrowed("it does not ask any more who asks")),
        ),
        _ => Ok(None),
    }
}

/// Whether an answer may come from what a redirect left out, so that the place it leads to is to be asked itself.
///
/// On the way to another origin the credentials are left behind, a digest is for one address alone (RFC 7616 §3.4), and a
/// redirect with status 303 makes a plain GET of any question (RFC 9110 §15.4.4). Credentials that were sent and refused
/// are not sent again: that counts as two attempts, and may lock the account.
fn lost_something(method: &Method, answered: &Answered) -> bool {
    let (asked, answer) = (&answered.asked, &answered.response);
    if is_same(asked, &answer.final_url) {
        return false;
    }
    let left_credentials = asked.origin() != answer.final_url.origin() || answered.told.is_digest();
    match answer.status.as_u16() {
        207 => false,
        401 | 403 => left_credentials,
        200..300 | 404 | 405 | 501 => left_credentials || *method != Method::GET,
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
