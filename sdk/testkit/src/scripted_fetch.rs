//! The outside as a test has written it down.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use huddle_ports::{
    Bytes, Fetch, FetchError, HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    Url,
};

/// A response that a test has written down.
#[derive(Clone, Debug)]
pub struct ScriptedAnswer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    final_url: Option<Url>,
}

impl ScriptedAnswer {
    /// An answer without headers, from where the request was sent to.
    pub fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
            final_url: None,
        }
    }

    /// The same answer with this header in place of any of that name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same answer, from where redirects have led.
    #[must_use]
    pub fn redirected_to(mut self, url: Url) -> Self {
        self.final_url = Some(url);
        self
    }

    fn to(self, request: &Request) -> Result<Response, FetchError> {
        let limit = request.limits.max_response_bytes;
        if self.body.len() > limit {
            return Err(FetchError::TooLarge { limit });
        }
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body: self.body,
            final_url: self.final_url.unwrap_or_else(|| request.url.clone()),
        })
    }
}

type Outcome = Result<ScriptedAnswer, FetchError>;

/// Answers a request, or leaves it to others.
type Rule = Box<dyn Fn(&Request) -> Option<Outcome> + Send + Sync>;

/// Answers what it was told to, at once, and keeps what it was asked.
///
/// A request is answered by the latest [rule](Self::when) that has an answer; where none has, by the next of those that
/// are [expected](Self::expect) one after the other; and where none is, as [everything else](Self::otherwise).
///
/// # Panics
/// Where a request finds no answer: a test that has not thought of it fails, and says which it was.
#[derive(Default)]
pub struct ScriptedFetch(Mutex<Script>);

#[derive(Default)]
struct Script {
    rules: Vec<Rule>,
    expected: VecDeque<(String, Outcome)>,
    otherwise: Option<Outcome>,
    asked: Vec<Request>,
}

impl ScriptedFetch {
    /// Has `rule` answer, as often as it will.
    pub fn when(&self, rule: impl Fn(&Request) -> Option<Outcome> + Send + Sync + 'static) {
        self.script().rules.push(Box::new(rule));
    }

    /// Has every request to this URL answered so.
    pub fn on(&self, url: &str, outcome: Outcome) {
        let url = url.to_owned();
        self.when(move |request| (request.url.as_str() == url).then(|| outcome.clone()));
    }

    /// Has one request to this URL answered so, after those that were expected before.
    pub fn expect(&self, url: &str, outcome: Outcome) {
        let expected = (url.to_owned(), outcome);
        self.script().expected.push_back(expected);
    }

    /// Has everything else answered so from now on.
    pub fn otherwise(&self, outcome: Outcome) {
        self.script().otherwise = Some(outcome);
    }

    /// What was asked, the latest last.
    pub fn asked(&self) -> Vec<Request> {
        self.script().asked.clone()
    }

    /// What is still expected: URLs, the next first.
    pub fn still_expected(&self) -> Vec<String> {
        let script = self.script();
        script.expected.iter().map(|(url, _)| url.clone()).collect()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        // A request that finds no answer panics with the lock held, and leaves a script that is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    fn outcome(&mut self, request: &Request) -> Outcome {
        let mut rules = self.rules.iter().rev();
        if let Some(outcome) = rules.find_map(|rule| rule(request)) {
            return outcome;
        }
        let is_next = |(url, _): &(String, Outcome)| request.url.as_str() == url;
        if self.expected.front().is_some_and(is_next)
            && let Some((_, outcome)) = self.expected.pop_front()
        {
            return outcome;
        }
        let asked = format!("{} {}", request.method, request.url);
        match (&self.otherwise, self.expected.front()) {
            (Some(outcome), _) => outcome.clone(),
            (None, Some((next, _))) => panic!("{asked} was asked, and {next} is expected next"),
            (None, None) => panic!("{asked} was asked, for which the test has no answer"),
        }
    }
}

#[async_trait]
impl Fetch for ScriptedFetch {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let mut script = self.script();
        script.asked.push(request.clone());
        script.outcome(&request)?.to(&request)
    }
}

impl fmt::Debug for ScriptedFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = self.script().asked.len();
        f.debug_struct("ScriptedFetch")
            .field("asked", &asked)
            .finish_non_exhaustive()
    }
}
