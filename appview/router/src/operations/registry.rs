//! Metrics in memory, as a Prometheus server reads them: for runtimes that are one process.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicU64;

use huddle_ports::metrics::ALL;
use huddle_ports::{Metric, MetricKind, Metrics};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Keeps the metrics of `huddle_ports::metrics`. There are as many series as the program has labels.
pub struct MetricsRegistry {
    registry: Registry,
    families: HashMap<&'static str, Series>,
}

type Labels = Vec<(&'static str, &'static str)>;

/// One metric, series by series.
enum Series {
    Counter(Family<Labels, Counter<f64, AtomicU64>>),
    Gauge(Family<Labels, Gauge<f64, AtomicU64>>),
    Histogram(Family<Labels, Histogram, Ends>),
}

/// The upper ends of the sizes of a histogram.
#[derive(Clone)]
struct Ends(&'static [f64]);

impl MetricConstructor<Histogram> for Ends {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

impl MetricsRegistry {
    /// The type of [`text`](Self::text).
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Nothing is measured yet.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let register = |metric: &&Metric| (metric.name, Series::register(metric, &mut registry));
        let families = ALL.iter().map(register).collect();
        Self { registry, families }
    }

    /// All metrics, in the text format that Prometheus reads.
    #[expect(
        clippy::missing_panics_doc,
        reason = "a string takes whatever is written"
    )]
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes whatever is written");
        text
    }
}

impl Series {
    fn register(metric: &Metric, registry: &mut Registry) -> Self {
        let (name, help) = (metric.name, metric.help.trim());
        match metric.kind {
            MetricKind::Counter => {
                let family = Family::default();
                registry.register(name, help, family.clone());
                Self::Counter(family)
            }
            MetricKind::Gauge => {
                let family = Family::default();
                registry.register(name, help, family.clone());
                Self::Gauge(family)
            }
            MetricKind::Histogram(ends) => {
                let family = Family::new_with_constructor(Ends(ends));
                registry.register(name, help, family.clone());
                Self::Histogram(family)
            }
        }
    }
}

impl Metrics for MetricsRegistry {
    fn record(&self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        let names = metric.labels.iter().copied();
        let labels = names.zip(labels.iter().copied()).collect();
        match self.families.get(metric.name) {
            Some(Series::Counter(family)) => {
                family.get_or_create(&labels).inc_by(value);
            }
            Some(Series::Gauge(family)) => {
                family.get_or_create(&labels).set(value);
            }
            Some(Series::Histogram(family)) => family.get_or_create(&labels).observe(value),
            None => {}
        }
    }
}

impl Default for MetricsRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MetricsRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsRegistry").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use huddle_ports::metrics::{INGEST_LAG_SECONDS, MATCH_SECONDS, REQUESTS};

    use super::*;

    #[test]
    fn what_is_measured_is_told_as_prometheus_reads_it() {
        let registry = MetricsRegistry::new();
        for _ in 0..2 {
            registry.count(&REQUESTS, &["com.huddle.match", "ok"]);
        }
        registry.count(&REQUESTS, &["com.huddle.match", "NoSlot"]);
        registry.record(&INGEST_LAG_SECONDS, &[], 7.0);
        registry.record(&INGEST_LAG_SECONDS, &[], 0.5);
        registry.record(&MATCH_SECONDS, &[], 0.02);
        let text = registry.text();
        for line in [
            "# HELP huddle_requests Requests, by method and by `ok` or the name of the error.",
            "# TYPE huddle_requests counter",
            r#"huddle_requests_total{nsid="com.huddle.match",outcome="ok"} 2.0"#,
            r#"huddle_requests_total{nsid="com.huddle.match",outcome="NoSlot"} 1.0"#,
            "# TYPE huddle_ingest_lag_seconds gauge",
            "huddle_ingest_lag_seconds{} 0.5",
            "# TYPE huddle_match_seconds histogram",
            r#"huddle_match_seconds_bucket{le="0.01"} 0"#,
            r#"huddle_match_seconds_bucket{le="0.025"} 1"#,
            r#"huddle_match_seconds_bucket{le="+Inf"} 1"#,
            "huddle_match_seconds_count{} 1",
            "# EOF",
        ] {
            assert!(
                text.lines().any(|told| told == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn every_metric_can_be_recorded() {
        let registry = MetricsRegistry::new();
        for metric in ALL {
            registry.record(metric, &vec!["a"; metric.labels.len()], 1.0);
            assert!(registry.text().contains(&format!("\n{}", metric.name)));
        }
    }
}
