//! Requests that all have to be answered by one moment.

use async_trait::async_trait;
use huddle_ports::{Clock, Fetch, FetchError, Request, Response, Timestamp};

/// Gives each request no more time than is left.
pub(super) struct Hurry<'a> {
    fetch: &'a dyn Fetch,
    clock: &'a dyn Clock,
    deadline: Timestamp,
}

impl<'a> Hurry<'a> {
    pub(super) fn new(fetch: &'a dyn Fetch, clock: &'a dyn Clock, deadline: Timestamp) -> Self {
        Self {
            fetch,
            clock,
            deadline,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[async_trait]
impl Fetch for Hurry<'_> {
    async fn fetch(&self, mut request: Request) -> Result<Response, FetchError> {
        let left = self.deadline.since(self.clock.now());
        if left.is_zero() {
            return Err(FetchError::Timeout);
        }
        request.limits.timeout = request.limits.timeout.min(left);
        self.fetch.fetch(request).await
    }
}
