//! The Internet as far as these tests need it: one server that works, and what can go wrong with it.
//!
//! It is a transport under the real `GuardedFetch`, so that redirects, addresses and limits are the real ones.

use std::future::pending;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use huddle_ports::{
    Bytes, FetchError, FetchPolicy, GuardedFetch, HeaderMap, HeaderName, HeaderValue, Hop,
    HopResponse, ResponseBody, StatusCode, Transport,
};

/// An answer of a server.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A multistatus with these responses.
    pub(crate) fn multistatus(responses: &str) -> Self {
        Self::new(
            207,
            format!(
                r#"<?xml version="1.0" encoding="utf-8"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/">{responses}</D:multistatus>"#
            ),
        )
    }

    /// Properties of one resource.
    pub(crate) fn properties(href: &str, properties: &str) -> Self {
        Self::multistatus(&found(href, properties))
    }
}

/// A response of a multistatus: properties that were found.
pub(crate) fn found(href: &str, properties: &str) -> String {
    format!(
        "<D:response><D:href>{href}</D:href><D:propstat><D:prop>{properties}</D:prop>\
         <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
}

/// What goes wrong, from one request on.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Another answer comes instead.
    Answers(Answer),
    /// The answer has another body.
    Says(&'static str),
    /// The answer ends in its middle.
    Truncated,
    /// The connection breaks in the middle of the answer.
    Drops,
    /// No connection can be made, or none that may be used.
    Fails(FetchError),
    /// No answer ever comes.
    Hangs,
    /// The answer never ends, and next to nothing of it comes.
    Trickles,
    /// The answer has 20 MB.
    Endless,
    /// The name leads to this address.
    ResolvesTo(&'static str),
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Sent {
    /// `METHOD URL`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Serve = dyn Fn(&Sent) -> Answer + Send + Sync;

/// The server and what was asked of it.
#[derive(Clone)]
pub(crate) struct Script(Arc<Mutex<State>>);

struct State {
    serve: Arc<Serve>,
    fault: Option<(usize, Fault)>,
    sent: Vec<Sent>,
    stuck: bool,
}

impl Script {
    /// A server that works.
    pub(crate) fn new(serve: impl Fn(&Sent) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(Mutex::new(State {
            serve: Arc::new(serve),
            fault: None,
            sent: Vec::new(),
            stuck: false,
        })))
    }

    /// The same, but for what goes wrong from the `n`th request on, the first being 0.
    pub(crate) fn failing(self, n: usize, fault: Fault) -> Self {
        self.state().fault = Some((n, fault));
        self
    }

    pub(crate) fn fetch(&self) -> GuardedFetch<Self> {
        GuardedFetch::new(self.clone(), FetchPolicy::public())
    }

    /// What was asked since this was last asked.
    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state().sent)
    }

    pub(crate) fn take_lines(&self) -> Vec<String> {
        self.take_sent().iter().map(Sent::line).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn stick(&self) {
        self.state().stuck = true;
    }
}

#[async_trait]
impl Transport for Script {
    async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, FetchError> {
        let state = self.state();
        match &state.fault {
            Some((n, Fault::ResolvesTo(address))) if state.sent.len() >= *n => {
                Ok(vec![address.parse().unwrap()])
            }
            _ => Ok(vec!["93.184.215.14".parse().unwrap()]),
        }
    }

    async fn send(&self, hop: Hop<'_>) -> Result<HopResponse, FetchError> {
        let sent = Sent {
            method: hop.method.to_string(),
            url: hop.url.to_string(),
            headers: hop.headers.clone(),
            body: String::from_utf8(hop.body.to_vec()).unwrap(),
        };
        let (serve, fault) = {
            let mut state = self.state();
            let active = state.fault.clone().filter(|(n, _)| state.sent.len() >= *n);
            state.sent.push(sent.clone());
            (Arc::clone(&state.serve), active.map(|(_, fault)| fault))
        };
        // Elsewhere nobody knows the account, and strangers are not to.
        if !sent.url.starts_with("https://dav.example.com/") {
            let authorization = sent.header("authorization");
            assert_eq!(authorization, None, "{}", sent.line());
            return Ok(self.respond(Answer::new(401, ""), None));
        }
        match fault {
            Some(Fault::Answers(answer)) => Ok(self.respond(answer, None)),
            Some(Fault::Fails(error)) => Err(error),
            Some(Fault::Hangs) => {
                self.stick();
                pending().await
            }
            fault => Ok(self.respond(serve(&sent), fault)),
        }
    }

    /// No time passes until something is stuck.
    async fn sleep(&self, _: Duration) {
        std::future::poll_fn(|_| {
            if self.state().stuck {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl Script {
    fn respond(&self, answer: Answer, fault: Option<Fault>) -> HopResponse {
        let mut headers = HeaderMap::new();
        for (name, value) in &answer.headers {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::try_from(value).unwrap(),
            );
        }
        HopResponse {
            status: StatusCode::from_u16(answer.status).unwrap(),
            headers,
            body: Box::new(Body {
                script: self.clone(),
                text: answer.body,
                fault,
                chunks: 0,
            }),
        }
    }
}

struct Body {
    script: Script,
    text: String,
    fault: Option<Fault>,
    chunks: usize,
}

#[async_trait]
impl ResponseBody for Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let first = self.chunks == 0;
        self.chunks += 1;
        let middle = self.text.floor_char_boundary(self.text.len() / 2);
        let half = Bytes::from(self.text[..middle].to_owned());
        match &self.fault {
            Some(Fault::Says(text)) if first => Ok(Some(Bytes::from_static(text.as_bytes()))),
            Some(Fault::Truncated | Fault::Drops | Fault::Trickles) if first => Ok(Some(half)),
            Some(Fault::Drops) => Err(FetchError::Broken("reset".to_owned())),
            Some(Fault::Trickles) => {
                self.script.stick();
                pending().await
            }
            Some(Fault::Endless) if self.chunks <= 20 => Ok(Some(Bytes::from(vec![b' '; 1 << 20]))),
            None if first => Ok(Some(Bytes::from(self.text.clone()))),
            _ => Ok(None),
        }
    }
}
