//! What an operator measures of a server that is at work.

use std::collections::BTreeSet;
use std::time::Duration;

use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_ports::metrics::ALL;
use huddle_ports::{Metric, MetricKind, StatusCode};

use crate::program::Serving;
use crate::world::World;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Which hosts a server meets at once: more than it fetches of one data server without a pause.
const HOSTS: usize = 60;

/// What anybody may ask for, but not too often.
const ANYBODYS: &str = "/xrpc/com.huddle.searchHosts";

/// For the firehose to tell how it goes, which it does now and then.
const PATIENCE: Duration = Duration::from_mins(5);

/// What of a metric is told: its series, with what each says.
fn samples<'t>(text: &'t str, metric: &Metric) -> Vec<(&'t str, f64)> {
    let suffix = match metric.kind {
        MetricKind::Counter => "_total",
        MetricKind::Gauge => "",
        MetricKind::Histogram(_) => "_count",
    };
    let name = format!("{}{suffix}", metric.name);
    let series = text.lines().filter_map(|line| {
        let (series, value) = line.strip_prefix(&name)?.rsplit_once(' ')?;
        series
            .starts_with('{')
            .then(|| (series, value.parse().unwrap()))
    });
    series.collect()
}

/// The metrics that nothing was measured of.
fn unfed(text: &str) -> BTreeSet<&'static str> {
    let is_unfed = |metric: &&&Metric| {
        let is_gauge = metric.kind == MetricKind::Gauge;
        !samples(text, metric)
            .iter()
            .any(|(_, value)| is_gauge || *value > 0.0)
    };
    let unfed = ALL.iter().filter(is_unfed);
    unfed.map(|metric| metric.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_fed_by_a_server_at_work_and_names_nobody() {
    let world = World::new(1).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = world.serve_with_mail(folder.path());
    command.env("HUDDLE_OPERATOR_TOKEN", TOKEN);
    command.env("HUDDLE_DRIFT_SECS", "10");
    // More than this test has to ask for until then.
    command.env("HUDDLE_ANONYMOUS_BURST", "2000");
    command.env("HUDDLE_ANONYMOUS_PER_MINUTE", "1");
    let server = Serving::start(command).unwrap();
    let (host, guest) = (world.host("host"), &world.guests[0]);
    world.until_known(&server.url, &host).await;
    world.connect_calendar(&server.url, &host).await;
    world
        .enter_address(&server.url, guest, "guest@mail.test")
        .await;
    let held = world.ask(&server.url, guest, &host, "one").await.unwrap();
    let confirmed = world.accept(&server.url, guest, &held.id).await.unwrap();
    assert_eq!(confirmed.status, BookingStatus::Confirmed);
    for number in 0..HOSTS {
        world.host(&format!("host{number}"));
    }
    while world.status(&server.url, ANYBODYS).await != StatusCode::TOO_MANY_REQUESTS {}

    let told = async {
        loop {
            let text = world.operator_page(&server.url, TOKEN, "/internal/metrics");
            let text = text.await;
            let has_sent = text.contains(r#"provider="mail",outcome="ok""#);
            if has_sent && unfed(&text).is_empty() {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    let Ok(text) = tokio::time::timeout(PATIENCE, told).await else {
        let text = world.operator_page(&server.url, TOKEN, "/internal/metrics");
        let text = text.await;
        panic!("{:?} are fed by nobody:\n{text}", unfed(&text));
    };
    for expect in [
        r#"huddle_holds_total{outcome="held"} "#,
        r#"huddle_provider_seconds_count{provider="caldav",outcome="ok"} "#,
        r#"huddle_actor_starts_total{kind="booking"} "#,
        r#"huddle_sync_failures_total{reason="postponed"} "#,
    ] {
        assert!(text.contains(expect), "{expect} is not in\n{text}");
    }
    for person in [host.as_str(), guest.as_str(), "guest@mail.test"] {
        assert!(!text.contains(person), "{person} is in\n{text}");
    }
}
