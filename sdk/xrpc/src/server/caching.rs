//! Who may keep an answer, and for how long (RFC 9111).

use http::{HeaderMap, HeaderValue, header};

use super::etag::{self, Answer};

/// What becomes of the answers of a method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Caching {
    /// Nobody keeps them.
    #[default]
    Never,
    /// Whoever gets one keeps it, and asks each time whether it has changed.
    Revalidated,
    /// Anybody keeps those that went to nobody in particular.
    Public { max_age_secs: u32 },
}

impl Caching {
    /// Says it in the headers, unless the handler has.
    pub(super) fn mark(self, answer: &mut Answer, is_anonymous: bool) {
        if self != Self::Never {
            etag::tag(answer);
        }
        let headers = answer.headers_mut();
        let is_tagged = headers.contains_key(header::ETAG);
        if is_tagged {
            // With credentials the answer may be another.
            headers.append(header::VARY, HeaderValue::from_static("authorization"));
        }
        if headers.contains_key(header::CACHE_CONTROL) {
            return;
        }
        match self {
            Self::Public { max_age_secs } if is_anonymous => {
                let value = HeaderValue::from_str(&format!("public, max-age={max_age_secs}"));
                headers.insert(header::CACHE_CONTROL, value.expect("letters and digits"));
            }
            _ if is_tagged => {
                let value = HeaderValue::from_static("private, no-cache");
                headers.insert(header::CACHE_CONTROL, value);
            }
            _ => keep_nowhere(headers),
        }
    }
}

/// Says that nobody is to keep an answer.
pub(super) fn keep_nowhere(headers: &mut HeaderMap) {
    let value = HeaderValue::from_static("private, no-store");
    headers.insert(header::CACHE_CONTROL, value);
}
