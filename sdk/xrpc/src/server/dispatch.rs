//! From an HTTP request to the method that it names, and back.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use http::{HeaderValue, Method, StatusCode, header};
use huddle_syntax::Nsid;

use super::body::Expected;
use super::caching::{self, Caching};
use super::endpoint::{Endpoint, Incoming, Verb};
use super::problem::Problem;
use super::{Answered, Authenticate, Cors, Fault, FaultCause, cors, etag};
use crate::{Generic, RateLimit};

/// A method with the settings of the router that it comes from.
#[derive(Clone)]
pub(super) struct Mounted {
    pub(super) endpoint: Endpoint,
    pub(super) authenticate: Option<Arc<dyn Authenticate>>,
    pub(super) on_fault: Arc<dyn Fn(&Fault) + Send + Sync>,
    pub(super) body_limit: usize,
    pub(super) caching: Caching,
}

/// All methods of a router, by name.
pub(super) struct Table {
    pub(super) methods: HashMap<&'static str, Mounted>,
    pub(super) cors: Cors,
}

impl Table {
    pub(super) async fn answer(&self, request: axum::extract::Request) -> axum::response::Response {
        // The router is at `/xrpc/`; what the application puts before that, it takes off again.
        let name = request
            .uri()
            .path()
            .strip_prefix("/xrpc/")
            .unwrap_or_default();
        let method = self.methods.get(name);
        let nsid = method.map(|method| method.endpoint.name);
        let mut response = if request.method() == Method::OPTIONS {
            self.options(method, &request)
        } else if let Some(method) = method {
            method.answer(request).await
        } else {
            unknown(name).into_response(|_| {})
        };
        let answered: &mut Answered = response.extensions_mut().get_or_insert_default();
        answered.nsid = nsid;
        if self.cors == Cors::AnyOrigin {
            cors::allow(response.headers_mut());
        }
        response
    }

    fn options(
        &self,
        method: Option<&Mounted>,
        request: &axum::extract::Request,
    ) -> axum::response::Response {
        let verbs = match method {
            Some(method) => method.endpoint.verb.allowed(),
            // The page is to read that there is no such method.
            None => "GET, HEAD, POST, OPTIONS",
        };
        let mut response = axum::response::Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::ALLOW, HeaderValue::from_static(verbs));
        if self.cors == Cors::AnyOrigin {
            cors::allow_preflight(request.headers(), verbs, headers);
        }
        response
    }
}

fn unknown(name: &str) -> Problem {
    match Nsid::from_str(name) {
        Ok(nsid) => Generic::MethodNotImplemented
            .because(format!("{nsid} is not implemented here"))
            .into(),
        Err(_) => {
            Problem::invalid("The path does not name a method: it must be /xrpc/ and an NSID")
        }
    }
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    fn allows(self, method: &Method) -> bool {
        match self {
            Self::Get => method == Method::GET || method == Method::HEAD,
            Self::Post => method == Method::POST,
        }
    }

    fn allowed(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD, OPTIONS",
            Self::Post => "POST, OPTIONS",
        }
    }
}

impl Mounted {
    async fn answer(&self, request: axum::extract::Request) -> axum::response::Response {
        let verb = self.endpoint.verb;
        if !verb.allows(request.method()) {
            let message = format!("{} takes {} only", self.endpoint.name, verb.name());
            let mut response = Problem::wrong_verb(message).into_response(|_| {});
            let allowed = HeaderValue::from_static(verb.allowed());
            response.headers_mut().insert(header::ALLOW, allowed);
            return response;
        }
        let mut rate_limit = None;
        let outcome = Unpanicked(Box::pin(self.outcome(request, &mut rate_limit))).await;
        let mut response = outcome
            .unwrap_or_else(|message| Err(Problem::Fault(FaultCause::Panic(message))))
            .unwrap_or_else(|problem| problem.into_response(self.reporter()));
        if let Some(rate_limit) = rate_limit {
            rate_limit.tell(response.headers_mut());
        }
        response
    }

    /// Reports faults, for as long as somebody is answered.
    fn reporter(&self) -> impl Fn(FaultCause) + Send + use<> {
        let (nsid, on_fault) = (self.endpoint.name, self.on_fault.clone());
        move |cause| {
            let fault = Fault { nsid, cause };
            // The fault is answered whatever becomes of the report, and nobody is left to hear of this.
            let _ = catch_unwind(AssertUnwindSafe(|| on_fault(&fault)));
        }
    }

    /// Cheap things first: what the headers say, then who is calling, and only then what they send. Whatever comes of
    /// it, `rate_limit` is what the caller has left.
    async fn outcome(
        &self,
        request: axum::extract::Request,
        rate_limit: &mut Option<RateLimit>,
    ) -> Result<axum::response::Response, Problem> {
        let (parts, body) = request.into_parts();
        let expected = Expected {
            encoding: self.endpoint.input,
            limit: self.body_limit,
        };
        expected.check(&parts.headers, &body)?;
        let caller = match &self.authenticate {
            Some(authenticate) => {
                let admitted = authenticate.authenticate(&self.endpoint.nsid, &parts).await;
                *rate_limit = match &admitted {
                    Ok(admitted) => admitted.rate_limit,
                    Err(error) => error.rate_limit(),
                };
                admitted?.caller
            }
            None => None,
        };
        let payload = expected.read(&parts.headers, body).await?;
        let held = etag::held(&parts.headers);
        let is_anonymous = caller.is_none();
        let incoming = Incoming {
            query: parts.uri.query().unwrap_or_default().to_owned(),
            payload,
            caller,
            headers: parts.headers,
            extensions: parts.extensions,
        };
        let (mut answer, rest) = self.endpoint.answer(incoming).await?;
        if let Some(rest) = rest {
            caching::keep_nowhere(answer.headers_mut());
            return Ok(answer.map(|beginning| rest.after(beginning, self.reporter())));
        }
        self.caching.mark(&mut answer, is_anonymous);
        if self.endpoint.verb == Verb::Get {
            etag::revalidate(&mut answer, &held);
        }
        Ok(answer.map(Body::from))
    }
}

/// A future whose panic is an error with the panic's message.
///
/// Nothing that the future borrowed is used after a panic, and what handlers share is theirs to poison, as it is with the
/// thread or task that a server would otherwise lose.
struct Unpanicked<F>(Pin<Box<F>>);

impl<F: Future> Future for Unpanicked<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(text(&*panic))),
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("not a text").to_owned()
}
