//! Measurements: what an operator is told of how things go.
//!
//! Every metric stands in the table below. A label is a text of the program (`&'static str`), so that what comes from
//! outside, such as a DID, a handle or an address, cannot become one: the number of series is bounded, and nobody's name
//! is among them.

/// Takes measurements. An adapter never fails and never blocks: who measures has something else to do.
pub trait Metrics: Send + Sync {
    /// Adds `value` to a counter, sets a gauge to it, or puts it into a histogram. There are as many `labels` as the
    /// metric names, in that order.
    fn record(&self, metric: &'static Metric, labels: &[&'static str], value: f64);

    /// Adds one to a counter.
    fn count(&self, metric: &'static Metric, labels: &[&'static str]) {
        self.record(metric, labels, 1.0);
    }
}

/// Measures nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetrics;

impl Metrics for NoMetrics {
    fn record(&self, _: &'static Metric, _: &[&'static str], _: f64) {}
}

/// Something that is measured.
#[derive(Debug)]
pub struct Metric {
    /// Its name, with the unit at the end where it has one.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// How its values come together.
    pub kind: MetricKind,
    /// What tells its series apart.
    pub labels: &'static [&'static str],
}

/// How the values of a metric come together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricKind {
    /// They add up.
    Counter,
    /// The last one counts.
    Gauge,
    /// They are counted by size: these are the upper ends of the sizes, beside infinity.
    Histogram(&'static [f64]),
}

/// What people wait for, in seconds: a personal data server gives up after ten.
const WAITS: MetricKind = MetricKind::Histogram(&[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
]);

/// Declares the metrics once: each for itself, and the table of all.
macro_rules! metrics {
    ($( #[doc = $help:literal] $name:ident: $kind:expr, $text:literal $labels:expr; )+) => {
        $(
            #[doc = $help]
            pub static $name: Metric = Metric {
                name: $text,
                help: $help,
                kind: $kind,
                labels: &$labels,
            };
        )+

        /// All of them.
        pub static ALL: &[&Metric] = &[$( &$name, )+];
    };
}

metrics! {
    /// Requests, by method and by `ok` or the name of the error
    REQUESTS: MetricKind::Counter, "huddle_requests" ["nsid", "outcome"];
    /// Time until a request is answered
    REQUEST_SECONDS: WAITS, "huddle_request_seconds" ["nsid"];
    /// Requests that were too many for whoever pays for them, by who that is: an `account`, or an `address`
    RATE_LIMITED: MetricKind::Counter, "huddle_rate_limited" ["payer"];
    /// Answers to requests for a match, by what they told: `held`, `pending`, or the refusal; one that comes again is told again
    MATCHES: MetricKind::Counter, "huddle_matches" ["outcome"];
    /// Time until a request for a match is told that something is held
    MATCH_SECONDS: WAITS, "huddle_match_seconds" [];
    /// Holds that were asked of hosts and guests, by `held` or why not
    HOLDS: MetricKind::Counter, "huddle_holds" ["outcome"];
    /// What happened to bookings, each once and however it was asked for: of those `held`, as many become `confirmed`
    BOOKINGS: MetricKind::Counter, "huddle_bookings" ["event"];
    /// Time until a provider answers: of calendars by its kind, or `mail`; by what came of it
    PROVIDER_SECONDS: WAITS, "huddle_provider_seconds" ["provider", "outcome"];
    /// Tasks that wait to be done, by state: `waiting` or `dead`
    QUEUE_DEPTH: MetricKind::Gauge, "huddle_queue_depth" ["state"];
    /// Age of the oldest task that waits to be done
    QUEUE_AGE_SECONDS: MetricKind::Gauge, "huddle_queue_age_seconds" [];
    /// Time that a task takes, by kind and by what came of it
    TASK_SECONDS: WAITS, "huddle_task_seconds" ["kind", "outcome"];
    /// How old the newest event of the firehose is: beyond the pauses of its host, that is a backlog
    INGEST_LAG_SECONDS: MetricKind::Gauge, "huddle_ingest_lag_seconds" [];
    /// Events of the firehose that were taken over, by what they are; and what was `rejected` or `left out` of them
    INGEST_EVENTS: MetricKind::Counter, "huddle_ingest_events" ["outcome"];
    /// Repositories that could not be fetched, by reason
    SYNC_FAILURES: MetricKind::Counter, "huddle_sync_failures" ["reason"];
    /// Accounts that were compared with what they have published, by what that has shown: `same`, `different` or `untold`
    DRIFT_CHECKS: MetricKind::Counter, "huddle_drift_checks" ["outcome"];
    /// When accounts were last compared with what they have published, in seconds since 1970
    DRIFT_CHECKED_SECONDS: MetricKind::Gauge, "huddle_drift_checked_timestamp_seconds" [];
    /// Actors that were asked for the first time since the process began, or in a long while, by kind
    ACTOR_STARTS: MetricKind::Counter, "huddle_actor_starts" ["kind"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_named_as_prometheus_wants_them_and_once() {
        for (nth, metric) in ALL.iter().enumerate() {
            let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_name(metric.name) && metric.labels.iter().all(|label| is_name(label)));
            assert!(metric.name.starts_with("huddle_"), "{}", metric.name);
            let is_time = matches!(metric.kind, MetricKind::Histogram(_));
            assert!(
                !is_time || metric.name.ends_with("_seconds"),
                "{}",
                metric.name
            );
            assert!(ALL[..nth].iter().all(|other| other.name != metric.name));
        }
    }

    #[test]
    fn the_sizes_of_histograms_grow() {
        for metric in ALL {
            if let MetricKind::Histogram(ends) = metric.kind {
                assert!(ends.is_sorted_by(|a, b| a < b), "{}", metric.name);
            }
        }
    }
}
