//! Tells the metrics how the outbox stands.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use huddle_native::{Backlog, SystemClock};
use huddle_ports::metrics::{QUEUE_AGE_SECONDS, QUEUE_DEPTH};
use huddle_ports::{Clock as _, Metrics, Timestamp};
use tokio::task::spawn_blocking;
use tracing::warn;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(15);

/// Looks at the outbox in a folder, for as long as it is asked to.
pub(crate) async fn measure(folder: PathBuf, metrics: Arc<dyn Metrics>) {
    loop {
        let place = folder.clone();
        match spawn_blocking(move || Backlog::read(&place)).await {
            Ok(Ok(backlog)) => tell(backlog, SystemClock.now(), &*metrics),
            Ok(Err(error)) => warn!(%error, "the outbox is not measured"),
            Err(error) => warn!(%error, "the outbox is not measured"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn tell(backlog: Backlog, now: Timestamp, metrics: &dyn Metrics) {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2⁵³ tasks")]
    let count = |tasks: u64| tasks as f64;
    metrics.record(&QUEUE_DEPTH, &["waiting"], count(backlog.waiting));
    metrics.record(&QUEUE_DEPTH, &["dead"], count(backlog.dead));
    // What is due later does not wait yet.
    let age = backlog.oldest.map_or(Duration::ZERO, |due| now.since(due));
    metrics.record(&QUEUE_AGE_SECONDS, &[], age.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use huddle_appview_router::MetricsRegistry;

    use super::*;

    #[track_caller]
    fn check(oldest: Option<i64>, expect_age: &str) {
        let registry = MetricsRegistry::new();
        let backlog = Backlog {
            waiting: 3,
            oldest: oldest.map(Timestamp::from_millis),
            dead: 1,
        };
        tell(backlog, Timestamp::from_millis(60_000), &registry);
        let text = registry.text();
        for line in [
            "huddle_queue_depth{state=\"waiting\"} 3.0",
            "huddle_queue_depth{state=\"dead\"} 1.0",
            expect_age,
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
        }
    }

    #[test]
    fn the_age_is_that_of_the_oldest_task_that_is_due() {
        check(None, "huddle_queue_age_seconds{} 0.0");
        check(Some(18_000), "huddle_queue_age_seconds{} 42.0");
        check(Some(90_000), "huddle_queue_age_seconds{} 0.0");
    }
}
