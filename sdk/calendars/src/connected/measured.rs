//! How long providers of calendars may take to answer, and how long they do.

use std::time::Duration;

use async_trait::async_trait;
use huddle_core::user_connector::connector::Provider;
use huddle_ports::metrics::{Metrics, PROVIDER_SECONDS};
use huddle_ports::{Clock, Fetch, FetchError, Request, Response, StatusCode};

use super::ConnectedCalendars;

/// Gives the requests that go to one kind of provider the time and room that this installation has for them, and
/// measures them.
pub(super) struct Measured<'a> {
    fetch: &'a dyn Fetch,
    timeout: Duration,
    max_response_bytes: usize,
    provider: Provider,
    clock: &'a dyn Clock,
    metrics: &'a dyn Metrics,
}

impl ConnectedCalendars {
    /// The way to a provider, by `fetch`.
    pub(super) fn to_provider<'a>(
        &'a self,
        provider: Provider,
        fetch: &'a dyn Fetch,
    ) -> Measured<'a> {
        Measured {
            fetch,
            timeout: self.0.request_timeout,
            max_response_bytes: self.0.reading.bytes,
            provider,
            clock: &*self.0.ports.clock,
            metrics: &*self.0.metrics,
        }
    }
}

#[async_trait]
impl Fetch for Measured<'_> {
    async fn fetch(&self, mut request: Request) -> Result<Response, FetchError> {
        request.limits.timeout = self.timeout;
        request.limits.max_response_bytes = self.max_response_bytes;
        let begun = self.clock.now();
        let answer = self.fetch.fetch(request).await;
        let took = self.clock.now().since(begun).as_secs_f64();
        let labels = [self.provider.as_str(), outcome(&answer)];
        self.metrics.record(&PROVIDER_SECONDS, &labels, took);
        answer
    }
}

/// One word for what a provider has answered.
fn outcome(answer: &Result<Response, FetchError>) -> &'static str {
    match answer.as_ref().map(|answer| answer.status) {
        Ok(StatusCode::TOO_MANY_REQUESTS) => "throttled",
        Ok(status) if status.is_client_error() => "refused",
        Ok(status) if status.is_server_error() => "failed",
        Ok(_) => "ok",
        Err(FetchError::Timeout) => "timeout",
        Err(_) => "unreachable",
    }
}
