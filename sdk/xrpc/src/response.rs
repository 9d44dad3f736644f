//! An answer that is no error: what the lexicon describes, and the headers around it.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The output of a method, with headers.
///
/// A server makes one of its output alone (`Ok(output.into())`) and adds headers if it has any; a client gets the
/// headers that came.
#[derive(Debug)]
pub struct Response<O> {
    /// What the lexicon describes.
    pub output: O,
    /// Headers. On the server, those about type, length and encoding of the body are set by the router, and ignored
    /// here.
    pub headers: HeaderMap,
    /// What is sent after the output.
    #[cfg(feature = "server")]
    pub(crate) rest: Option<crate::server::Rest>,
}

impl<O> Response<O> {
    /// An output without headers.
    pub fn new(output: O) -> Self {
        Self {
            output,
            headers: HeaderMap::new(),
            #[cfg(feature = "server")]
            rest: None,
        }
    }

    /// The same with these pieces after the output, each made when there is room to send it: for what would take too
    /// much memory as a whole. An error cuts the answer off, and is a fault; nobody is to keep the answer.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn with_rest<S>(self, pieces: S) -> Self
    where
        S: futures_util::Stream<Item = Result<bytes::Bytes, crate::server::BoxError>>
            + Send
            + 'static,
    {
        Self {
            rest: Some(crate::server::Rest::new(pieces)),
            ..self
        }
    }

    /// The same with this header in place of any of that name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What the answer says about how many more requests are allowed.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        RateLimit::of(&self.headers)
    }
}

impl<O> From<O> for Response<O> {
    fn from(output: O) -> Self {
        Self::new(output)
    }
}

/// How many requests are allowed, as the `ratelimit-*` headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in the whole window.
    pub limit: u64,
    /// Requests left in it.
    pub remaining: u64,
    /// When the window ends, in seconds since 1970.
    pub reset_secs: u64,
    /// How many seconds the window has, where that is said.
    pub window_secs: Option<u64>,
}

impl RateLimit {
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Some(Self {
            limit: number(headers, "ratelimit-limit")?,
            remaining: number(headers, "ratelimit-remaining")?,
            reset_secs: number(headers, "ratelimit-reset")?,
            window_secs: window_secs(headers),
        })
    }

    /// Says it in headers, as the reference implementation does.
    #[cfg(feature = "server")]
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let mut tell =
            |name, value: HeaderValue| headers.insert(HeaderName::from_static(name), value);
        tell("ratelimit-limit", self.limit.into());
        tell("ratelimit-remaining", self.remaining.into());
        tell("ratelimit-reset", self.reset_secs.into());
        if let Some(secs) = self.window_secs {
            let policy = HeaderValue::from_str(&format!("{};w={secs}", self.limit));
            tell("ratelimit-policy", policy.expect("digits and signs"));
        }
    }
}

/// The `w` of a policy such as `100;w=60`.
fn window_secs(headers: &HeaderMap) -> Option<u64> {
    let policy = headers.get("ratelimit-policy")?.to_str().ok()?;
    let mut parameters = policy.split(';').map(str::trim);
    digits(parameters.find_map(|parameter| parameter.strip_prefix("w="))?)
}

/// The seconds of `Retry-After`. Its other form, a date, is not read: it needs a clock that agrees with the server's.
pub(crate) fn retry_after_secs(headers: &HeaderMap) -> Option<u64> {
    number(headers, header::RETRY_AFTER.as_str())
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    digits(headers.get(name)?.to_str().ok()?.trim())
}

fn digits(text: &str) -> Option<u64> {
    // `parse` alone would take a plus sign.
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}
