//! The one place where requests are measured and logged.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use huddle_api::Arrived;
use huddle_ports::{Clock, Metrics, metrics};
use huddle_xrpc::server::Answered;

/// A name of one request, as an extension of it: for the runtime to put there. The answer says it in `x-request-id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// A request that was answered. Nothing here says who asked, from where, or for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The method; `unknown` if there is none of that name.
    pub nsid: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// `ok`, or the name of the error.
    pub outcome: &'static str,
    /// How long it took.
    pub time: Duration,
    /// Which request it was, where the runtime names them.
    pub request_id: Option<RequestId>,
}

/// Who hears of requests.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<dyn Metrics>,
    pub(crate) on_served: fn(&Served),
}

/// A layer that tells the observer of every request but the questions that browsers ask before them.
pub(crate) async fn observe(
    State(observer): State<Observer>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let request_id = request.extensions().get().cloned();
    let began = observer.clock.now();
    // Its caller waits since, however long it takes to find out who that is.
    request.extensions_mut().insert(Arrived(began));
    let mut response = next.run(request).await;
    let time = observer.clock.now().since(began);
    observer.tell(&Served::new(&response, time, request_id.clone()));
    name(&mut response, request_id);
    response
}

impl Served {
    fn new(response: &Response, time: Duration, request_id: Option<RequestId>) -> Self {
        let answered: Answered = response.extensions().get().copied().unwrap_or_default();
        Self {
            nsid: answered.nsid.unwrap_or("unknown"),
            status: response.status(),
            outcome: answered.error.unwrap_or("ok"),
            time,
            request_id,
        }
    }
}

impl Observer {
    fn tell(&self, served: &Served) {
        let nsid = served.nsid;
        self.metrics
            .count(&metrics::REQUESTS, &[nsid, served.outcome]);
        let seconds = served.time.as_secs_f64();
        self.metrics
            .record(&metrics::REQUEST_SECONDS, &[nsid], seconds);
        (self.on_served)(served);
    }
}

/// Tells the caller which request it was, for them to say when they complain.
fn name(response: &mut Response, request_id: Option<RequestId>) {
    const NAME: HeaderName = HeaderName::from_static("x-request-id");
    let value = request_id.and_then(|RequestId(id)| HeaderValue::try_from(id).ok());
    if let Some(value) = value {
        response.headers_mut().insert(NAME, value);
    }
}
