//! The build of the Worker for tests: the whole Worker, on people and calendars of one machine, with faults on demand
//! and one more object, in which it keeps to the contracts of `huddle_testkit`. Nothing of this is in what is deployed.

mod contracts;
mod faults;
mod routes;

use std::sync::Arc;

use huddle_appview_workers::build::{Build, StandIn};
use huddle_ports::FetchPolicy;
use huddle_testkit::{HostWindows, ListedWindows};
use huddle_workers_platform::{Misconfigured, config};
use worker::{Env, event, wasm_bindgen};

#[event(start)]
fn start() {
    let build = Build {
        availability: windows,
        routes: routes::routes,
        fault: faults::strike,
    };
    build.run();
    huddle_workers_platform::ask(FetchPolicy::development());
}

/// The hosts of the variable `WINDOWS`, and when they have time.
fn windows(env: &Env) -> Result<StandIn, Misconfigured> {
    let hosts: Option<Vec<HostWindows>> = config::json(env, "WINDOWS")?;
    let Some(hosts) = hosts else {
        return Ok(None);
    };
    Ok(Some(Arc::new(ListedWindows::new(hosts))))
}
