//! What whoever runs an AppView tells it, and hears of it.

mod page;
mod registry;
mod served;
mod token;

use std::fmt;
use std::sync::Arc;

use huddle_ports::{Metrics, NoMetrics, Url};

use crate::health::LastHealth;

pub(crate) use page::routes;
pub use registry::MetricsRegistry;
pub(crate) use served::{Observer, observe};
pub use served::{RequestId, Served};
pub use token::{OperatorToken, WeakToken};

/// What whoever runs an AppView tells it, and hears of it. By default nothing.
#[derive(Clone)]
pub struct Operations {
    /// Where it is reached from outside: what its DID document says.
    pub public_url: Option<Url>,
    /// Where measurements go.
    pub metrics: Arc<dyn Metrics>,
    /// The pages for operators alone; without this they are not there.
    pub pages: Option<OperatorPages>,
    /// What was last heard of the stores.
    pub health: LastHealth,
    /// Hears of each request once it is answered: for a log.
    pub on_served: fn(&Served),
}

/// What it takes to show `/internal/metrics` and `/zpages`.
#[derive(Clone)]
pub struct OperatorPages {
    /// Who may see them.
    pub token: OperatorToken,
    /// What they show: as a rule the [`Operations::metrics`] too.
    pub registry: Arc<MetricsRegistry>,
}

impl Default for Operations {
    fn default() -> Self {
        Self {
            public_url: None,
            metrics: Arc::new(NoMetrics),
            pages: None,
            health: LastHealth::default(),
            on_served: |_| {},
        }
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operations")
            .field("public_url", &self.public_url.as_ref().map(Url::as_str))
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OperatorPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorPages").finish_non_exhaustive()
    }
}
