//! What whoever runs this Worker hears of it.

use std::sync::{Arc, OnceLock};

use huddle_appview_router::{LastHealth, MetricsRegistry, Operations, OperatorPages, Served};
use huddle_core::ActorKind;
use huddle_ports::Metrics as _;
use huddle_ports::metrics::ACTOR_STARTS;
use huddle_workers_platform::log;
use worker::Env;

use crate::config::{Config, operator_token};

/// What this isolate has measured since it was started. The platform runs as many isolates as it likes and ends them
/// when it likes, so one page tells of one of them.
pub(crate) fn registry() -> &'static Arc<MetricsRegistry> {
    static MEASURED: OnceLock<Arc<MetricsRegistry>> = OnceLock::new();
    MEASURED.get_or_init(Arc::default)
}

/// Of this isolate: its routers are made anew for each request.
fn health() -> LastHealth {
    static LAST: OnceLock<LastHealth> = OnceLock::new();
    LAST.get_or_init(LastHealth::default).clone()
}

/// Nobody measures where nobody may look.
pub(crate) fn operations(config: &Config) -> Operations {
    let mut operations = Operations {
        public_url: config.public_url.clone(),
        health: health(),
        on_served: tell,
        ..Operations::default()
    };
    if let Some(token) = config.operator_token.clone() {
        let registry = registry().clone();
        operations.metrics = registry.clone();
        operations.pages = Some(OperatorPages { token, registry });
    }
    operations
}

/// Counts an actor whose object the platform starts.
pub(crate) fn count_start(kind: ActorKind, env: &Env) {
    if let Ok(Some(_)) = operator_token(env) {
        registry().count(&ACTOR_STARTS, &[kind.as_str()]);
    }
}

fn tell(served: &Served) {
    let millis = u64::try_from(served.time.as_millis());
    log::info(
        "served",
        [
            ("nsid", served.nsid.into()),
            ("status", served.status.as_u16().into()),
            ("outcome", served.outcome.into()),
            ("millis", millis.unwrap_or(u64::MAX).into()),
        ],
    );
}
