//! What the builds of this Worker differ in: the one that is deployed, and the one for tests, which stands beside it
//! in `contract`. No variable and no request can make one of them the other.

use std::fmt;
use std::sync::{Arc, OnceLock};

use axum::Router;
use huddle_core::availability::Availability;
use huddle_core::{ActorName, SqlError};
use huddle_workers_platform::Misconfigured;
use worker::Env;

/// What finds times in place of the matching of offers and calendars, if anything does.
pub type StandIn = Option<Arc<dyn Availability>>;

/// What a build puts into these places.
pub struct Build {
    /// What finds times, where that is not the matching of offers and calendars.
    pub availability: fn(&Env) -> Result<StandIn, Misconfigured>,
    /// What is served beside the AppView.
    pub routes: fn(&Env) -> Router,
    /// What goes wrong with an actor, or with what it wants done, at that moment.
    pub fault: fn(&ActorName, Moment) -> Result<(), SqlError>,
}

/// When something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A command has written, and that is not committed.
    Commit,
    /// An alarm rings, and nothing is done yet.
    Ring,
    /// An alarm has rung, and the next one is set.
    Wake,
    /// What the queue has brought is done, and the queue does not know that yet.
    Done,
}

static BUILD: OnceLock<Build> = OnceLock::new();

const DEPLOYED: Build = Build {
    availability: |_| Ok(None),
    routes: |_| Router::new(),
    fault: |_, _| Ok(()),
};

impl Build {
    /// Makes this the build that runs. To be called before the first event, which settles it.
    pub fn run(self) {
        // Settled before: that was this very call, or the build is what is deployed.
        let _ = BUILD.set(self);
    }

    pub(crate) fn running() -> &'static Self {
        BUILD.get_or_init(|| DEPLOYED)
    }
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Build").finish_non_exhaustive()
    }
}
