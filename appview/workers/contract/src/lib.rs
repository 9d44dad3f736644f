//! The build of the Worker for tests: the whole Worker, on people and calendars of one machine, with faults on demand
//! and one more object, in which it keeps to the contracts of `huddle_testkit`. Nothing of this is in what is deployed.

mod contracts;
mod faults;
mod routes;

use std::sync::Arc;

use huddle_appview_workers::build::Build;
use huddle_appview_workers::config::{self, Misconfigured};
use huddle_core::availability::Availability;
use huddle_ports::FetchPolicy;
use huddle_testkit::{HostWindows, ListedWindows};
use worker::{Env, event, wasm_bindgen};

#[event(start)]
fn start() {
    let build = Build {
        availability: windows,
        policy: FetchPolicy::development,
        routes: routes::routes,
        fault: faults::strike,
    };
    build.run();
}

/// The hosts of the variable `WINDOWS`, and when they have time.
fn windows(env: &Env) -> Result<Arc<dyn Availability>, Misconfigured> {
    let hosts: Option<Vec<HostWindows>> = config::json(env, "WINDOWS")?;
    Ok(Arc::new(ListedWindows::new(hosts.unwrap_or_default())))
}
