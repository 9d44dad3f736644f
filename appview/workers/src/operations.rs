//! What whoever runs this Worker hears of it.

use std::sync::{Arc, OnceLock};

use huddle_appview_router::{MetricsRegistry, Operations, OperatorPages, Served};
use worker::console_log;

use crate::config::Config;

/// What this isolate has measured since it was started. The platform runs as many isolates as it likes and ends them
/// when it likes, so one page tells of one of them.
static MEASURED: OnceLock<Arc<MetricsRegistry>> = OnceLock::new();

/// Nobody measures where nobody may look.
pub(crate) fn operations(config: &Config) -> Operations {
    let mut operations = Operations {
        public_url: config.public_url.clone(),
        on_served: log,
        ..Operations::default()
    };
    if let Some(token) = config.operator_token.clone() {
        let registry = MEASURED.get_or_init(Arc::default).clone();
        operations.metrics = registry.clone();
        operations.pages = Some(OperatorPages { token, registry });
    }
    operations
}

fn log(served: &Served) {
    console_log!(
        "served {} {} {} {} ms",
        served.nsid,
        served.status.as_u16(),
        served.outcome,
        served.time.as_millis()
    );
}
