//! Cross-origin requests (the Fetch standard's CORS protocol), so that web pages can be clients.

use http::{HeaderMap, HeaderValue, header};

/// Which web pages may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cors {
    /// Pages of any origin, which carry their credentials themselves: cookies are not sent, for the answers do not allow
    /// it.
    #[default]
    AnyOrigin,
    /// The router says nothing about it: a layer around it does, or no page may call.
    Unsaid,
}

/// What a page may send beside what is always allowed. All other `atproto-` headers are allowed too.
const ALLOWED_HEADERS: &str =
    "authorization, content-type, dpop, idempotency-key, if-none-match, x-request-id";

/// What a page may read beside what is always allowed.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "atproto-content-labelers, atproto-repo-rev, dpop-nonce, etag, ratelimit-limit, ratelimit-policy, \
     ratelimit-remaining, ratelimit-reset, retry-after, www-authenticate, x-request-id",
);

/// How long an answer to a preflight may be kept. Browsers have lower limits of their own.
const MAX_AGE_SECS: u32 = 24 * 60 * 60;

/// Of the names in one preflight that are looked at; no client has that many.
const MAX_ASKED: usize = 32;

/// Adds what every answer says.
pub(super) fn allow(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
}

/// Adds what the answer to a preflight says. `verbs` are what the method takes.
pub(super) fn allow_preflight(asked: &HeaderMap, verbs: &'static str, headers: &mut HeaderMap) {
    let mut names = ALLOWED_HEADERS.to_owned();
    let asked_names = asked
        .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .take(MAX_ASKED);
    for name in asked_names {
        let name = name.trim().to_ascii_lowercase();
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if name.starts_with("atproto-") && is_name && name.len() <= 64 {
            names.push_str(", ");
            names.push_str(&name);
        }
    }
    let names = HeaderValue::from_str(&names).expect("letters, digits, hyphens, commas");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(verbs),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECS.into());
    let vary = HeaderValue::from_static("access-control-request-headers");
    headers.insert(header::VARY, vary);
}
