//! The contract of `Fetch`.

mod bodies;
mod exchange;
mod faults;
mod hosts;
mod play;
mod redirects;

use std::time::Duration;

use huddle_ports::{Fetch, FetchError, FetchLimits, Request, Response, Url};

use super::{Broken, broken};

pub use play::{Asked, IDLE, PAUSE_MILLIS, Play, Then, echo};

/// More time and more redirects than anything takes that succeeds, however slow the machine is.
const LIMITS: FetchLimits = FetchLimits {
    timeout: Duration::from_secs(20),
    max_response_bytes: 1024 * 1024,
    max_redirects: 3,
};

/// In the query of each URL: no error may tell of it.
const SECRET: &str = "secret=token";

/// Checks a `Fetch` that asks under the rules for development (`FetchPolicy::development`), and finds hosts by a
/// resolver that answers as [`zone`](super::zone) has it.
///
/// `server` is `http://localhost` and the port of a server at 127.0.0.1, which does as each request [asks](Asked).
///
/// What a runtime cannot tell apart, or has no way to do, is left to the tests of those that can: why there is no
/// connection, certificates, and that the connection goes to an address that was vetted.
pub async fn fetch(fetch: &dyn Fetch, server: &Url) -> Result<(), Broken> {
    let asking = Asking { fetch, server };
    exchange::check(&asking).await?;
    bodies::check(&asking).await?;
    redirects::check(&asking).await?;
    hosts::check(&asking).await?;
    faults::check(&asking).await
}

/// Who is asked, and by whom.
struct Asking<'a> {
    fetch: &'a dyn Fetch,
    server: &'a Url,
}

impl Asking<'_> {
    /// Where the server does what a path asks.
    fn url(&self, path: &str) -> Result<Url, Broken> {
        let url = self.server.join(&format!("{path}?{SECRET}"));
        url.map_err(|error| broken(path, error))
    }

    /// Where the server sends these pieces.
    fn plays(&self, pieces: &[&[u8]], then: Then) -> Result<Url, Broken> {
        self.url(&Play::new(pieces, then).path())
    }

    /// What a request is answered, which it has to be.
    async fn answered(&self, what: &str, request: Request) -> Result<Response, Broken> {
        let answer = self.fetch.fetch(request).await;
        answer.map_err(|error| broken(what, format!("it should be answered, and is not: {error}")))
    }

    /// Why a request is not answered, which it must not be.
    async fn refused(&self, what: &str, request: Request) -> Result<FetchError, Broken> {
        match self.fetch.fetch(request).await {
            Ok(response) => {
                let Response { status, body, .. } = response;
                let text = format!("it is answered {status}, with {} bytes", body.len());
                Err(broken(what, text))
            }
            Err(error) => {
                let told = format!("{error} {error:?}");
                if told.contains("secret") || told.contains("token") {
                    return Err(broken(what, format!("it tells a secret: {told}")));
                }
                Ok(error)
            }
        }
    }

    /// Asks for a URL within the usual limits, which has to be answered.
    async fn got(&self, what: &str, url: Url) -> Result<Response, Broken> {
        self.answered(what, Request::get(url).limits(LIMITS)).await
    }
}

/// A request, as its server got it.
struct Heard {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Heard {
    /// Has the server tell what it heard.
    async fn ask(asking: &Asking<'_>, what: &str, request: Request) -> Result<Self, Broken> {
        let response = asking.answered(what, request).await?;
        Self::read(&response.body).ok_or_else(|| broken(what, "what came is no request"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
        let (head, body) = bytes.split_at_checked(end + 4)?;
        let mut lines = std::str::from_utf8(head).ok()?.lines();
        let line = lines.next()?.to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        Some(Self {
            line,
            headers: headers.collect(),
            body: body.to_vec(),
        })
    }

    /// The values of all headers of a name, as if they were in one (RFC 9110 §5.3).
    fn header(&self, name: &str) -> Option<String> {
        let of_name = self.headers.iter().filter(|(it, _)| it == name);
        let values: Vec<&str> = of_name.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}
