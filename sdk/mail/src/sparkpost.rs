//! A mail API: `POST /api/v1/transmissions` of `SparkPost`, which takes a whole message (`content.email_rfc822`), so that it
//! arrives as it was written.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::mail::Delivery;
use huddle_ports::{
    Fetch, FetchError, FetchLimits, HeaderMap, HeaderValue, Request, Response, Url, header,
};
use serde::{Deserialize, Serialize};

use crate::{Mailer, Message};

/// Where it is, beneath the address of the API.
const PATH: &str = "api/v1/transmissions";

/// The longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// Longer than any answer takes.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends by the API of `SparkPost`.
#[derive(Clone)]
pub struct SparkPost {
    fetch: Arc<dyn Fetch>,
    url: Url,
    key: HeaderValue,
}

/// A key that cannot stand in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of the mail API is one line of visible ASCII")]
pub struct InvalidKey;

#[derive(Serialize)]
struct Transmission<'a> {
    options: Options,
    recipients: [Recipient<'a>; 1],
    content: Content<'a>,
    return_path: &'a str,
}

/// The message is to arrive as it was written: it fetches nothing, its links lead where they say, and what people wrote
/// is no template.
#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the API has a field for each"
)]
struct Options {
    transactional: bool,
    open_tracking: bool,
    click_tracking: bool,
    perform_substitutions: bool,
}

#[derive(Serialize)]
struct Recipient<'a> {
    address: Address<'a>,
}

#[derive(Serialize)]
struct Address<'a> {
    email: &'a str,
}

#[derive(Serialize)]
struct Content<'a> {
    email_rfc822: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    results: Results,
}

#[derive(Deserialize)]
struct Results {
    total_accepted_recipients: u32,
}

impl SparkPost {
    /// Sends with an account's key by the API at `api`, which is `https://api.sparkpost.com/` or its European sister.
    pub fn new(fetch: Arc<dyn Fetch>, api: &Url, key: &str) -> Result<Self, InvalidKey> {
        let mut url = api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(PATH.split('/'));
        }
        let mut key = HeaderValue::from_str(key).map_err(|_| InvalidKey)?;
        key.set_sensitive(true);
        Ok(Self { fetch, url, key })
    }

    fn request(&self, message: &Message) -> Result<Request, serde_json::Error> {
        // Everything that is no ASCII is encoded in it.
        let text = String::from_utf8_lossy(&message.bytes);
        let body = serde_json::to_vec(&Transmission {
            options: Options {
                transactional: true,
                open_tracking: false,
                click_tracking: false,
                perform_substitutions: false,
            },
            recipients: [Recipient {
                address: Address {
                    email: message.to.as_str(),
                },
            }],
            content: Content {
                email_rfc822: &text,
            },
            return_path: message.from.as_str(),
        })?;
        let json = HeaderValue::from_static("application/json");
        let limits = FetchLimits {
            timeout: TIMEOUT,
            max_response_bytes: MAX_ANSWER,
            max_redirects: 0,
        };
        let request = Request::post(self.url.clone(), body)
            .header(header::CONTENT_TYPE, json.clone())
            .header(header::ACCEPT, json)
            .header(header::AUTHORIZATION, self.key.clone())
            .limits(limits);
        Ok(request)
    }
}

#[async_trait]
impl Mailer for SparkPost {
    async fn send(&self, message: &Message) -> Delivery {
        let request = match self.request(message) {
            Ok(request) => request,
            Err(error) => return Delivery::Refused(error.to_string()),
        };
        match self.fetch.fetch(request).await {
            Ok(response) => read(&response),
            Err(error) => failed(&error),
        }
    }
}

/// What an answer comes to. Its text is not repeated: it may name the address.
fn read(response: &Response) -> Delivery {
    let problem = format!("the mail API answers {}", response.status.as_u16());
    match response.status.as_u16() {
        200..=299 => match serde_json::from_slice::<Answer>(&response.body) {
            Ok(answer) if answer.results.total_accepted_recipients > 0 => Delivery::Sent,
            Ok(_) => Delivery::Refused("the mail API does not take the address".into()),
            // It was taken by somebody whom we do not understand: rather once more than not at all.
            Err(_) => later(
                &response.headers,
                "the mail API does not say what it did".into(),
            ),
        },
        // 420 says that a limit of the account is reached.
        401 | 403 | 408 | 420 | 429 | 500..=599 => later(&response.headers, problem),
        _ => Delivery::Refused(problem),
    }
}

fn failed(error: &FetchError) -> Delivery {
    let problem = format!("the mail API cannot be reached: {error}");
    match error {
        FetchError::Blocked(_) => Delivery::Refused(problem),
        _ => Delivery::TryLater {
            after: None,
            problem,
        },
    }
}

fn later(headers: &HeaderMap, problem: String) -> Delivery {
    let seconds = headers.get(header::RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Delivery::TryLater {
        after: seconds.map(Duration::from_secs),
        problem,
    }
}

impl fmt::Debug for SparkPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparkPost")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}
