//! Whether the AppView can do its work now.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use huddle_core::booking::{BookingId, Read};
use huddle_core::index::{Index, Statement};
use huddle_core::transport::ask;
use huddle_core::{ActorName, ActorTransport};
use huddle_identity::ServiceRef;
use huddle_ports::{Clock, Timestamp};
use huddle_schedule::Zone;
use serde::Serialize;

use crate::Backend;

/// The version that is told.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What no booking has for an id: it is not of the length that ids are made of.
const NO_BOOKING: &str = "huddlehealthcheck";

/// How long a report is told again. Whoever asks costs nothing, and the stores have better to do.
const FRESH: Duration = Duration::from_secs(1);

/// What was last heard of the stores. Clones share it: who makes routers again and again gives them all the same.
#[derive(Clone, Default)]
pub struct LastHealth(Arc<Mutex<Last>>);

#[derive(Default)]
struct Last {
    /// When the stores were asked.
    asked: Option<Timestamp>,
    /// What they answered, once they have.
    report: Option<Report>,
}

impl fmt::Debug for LastHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastHealth").finish_non_exhaustive()
    }
}

/// What is asked whether it answers.
#[derive(Clone)]
pub(crate) struct Health {
    actors: Arc<dyn ActorTransport>,
    index: Arc<dyn Index>,
    clock: Arc<dyn Clock>,
    service: ServiceRef,
    last: LastHealth,
}

/// What is told of the state of things.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    status: &'static str,
    version: &'static str,
    /// The release of the time-zone database.
    time_zones: &'static str,
    actors: &'static str,
    index: &'static str,
    #[serde(skip)]
    service: String,
}

impl Health {
    pub(crate) fn new(backend: &Backend, service: ServiceRef, last: LastHealth) -> Self {
        Self {
            actors: backend.actors.clone(),
            index: backend.index.clone(),
            clock: backend.clock.clone(),
            service,
            last,
        }
    }

    /// The state of things now, or a second ago. While the stores are asked, others are told what was heard before:
    /// on Workers no request can wait for what another has begun.
    pub(crate) async fn report(&self) -> Report {
        let now = self.clock.now();
        if let Some(report) = self.last.recent(now) {
            return report;
        }
        let report = self.ask().await;
        self.last.lock().report = Some(report.clone());
        report
    }

    async fn ask(&self) -> Report {
        let (actors, index) = (self.actors_answer().await, self.index_answers().await);
        let told = |answers| if answers { "ok" } else { "unreachable" };
        Report {
            status: if actors && index { "ok" } else { "degraded" },
            version: VERSION,
            time_zones: Zone::database_version(),
            actors: told(actors),
            index: told(index),
            service: self.service.to_string(),
        }
    }

    async fn actors_answer(&self) -> bool {
        let nobody: BookingId = NO_BOOKING.parse().expect("16 letters or more");
        let read = Read { by: None };
        ask(&*self.actors, &ActorName::booking(&nobody), read)
            .await
            .is_ok()
    }

    async fn index_answers(&self) -> bool {
        let statement = Statement {
            sql: "SELECT 1",
            bindings: Vec::new(),
        };
        self.index.query(statement).await.is_ok()
    }
}

impl LastHealth {
    /// Nothing below can panic half way.
    fn lock(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was heard, unless it is time to ask: then whoever wants to know is to.
    fn recent(&self, now: Timestamp) -> Option<Report> {
        let mut last = self.lock();
        let is_fresh = |asked: Timestamp| asked <= now && now.since(asked) < FRESH;
        if last.report.is_some() && last.asked.is_some_and(is_fresh) {
            return last.report.clone();
        }
        last.asked = Some(now);
        None
    }
}

impl Report {
    fn is_ok(&self) -> bool {
        self.status == "ok"
    }

    /// For a person: what is told, and by what name.
    pub(crate) fn lines(&self) -> [(&'static str, &str); 6] {
        [
            ("status", self.status),
            ("version", self.version),
            ("service", &self.service),
            ("time zones", self.time_zones),
            ("actors", self.actors),
            ("index", self.index),
        ]
    }
}

/// For whoever balances load: 503 where a store does not answer.
pub(crate) async fn healthz(State(health): State<Health>) -> Response {
    let report = health.report().await;
    let status = if report.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

/// The version, where and as the reference implementations tell theirs.
pub(crate) async fn version() -> Response {
    let told = Json(serde_json::json!({ "version": VERSION }));
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], told).into_response()
}
