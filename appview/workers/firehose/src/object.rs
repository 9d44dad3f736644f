//! The object that follows the firehose.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use huddle_appview_indexer::Drift;
use huddle_workers_platform::log;
use serde::de::DeserializeOwned;
use serde_json::Value;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, State, durable_object, wasm_bindgen,
    wasm_bindgen_futures,
};

use crate::Trouble;
use crate::follower::{self, Progress};
use crate::operations::registry;
use crate::parts::{Hosts, Parts};

/// The binding of the object, which is called like its class.
const BINDING: &str = "FirehoseDO";

/// How often the object sees to it that it follows. The platform ends one that it takes for idle, an open WebSocket or
/// not: sooner or later, but not within this.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// So many accounts are asked in a round what they have published, of the 1,000 requests that an event may make, which
/// each round is one of. Each takes 29 at most while DNS is remembered: 20 pages of 4 collections, 1 for whom it has named
/// to serve it, 1 for its DID document, 4 of DNS, for two kinds of addresses of two hosts, and 3 of D1.
pub(crate) const CHECKS: u32 = 30;

/// What the object is asked to do, by path.
const FOLLOW: &str = "/";
const COMPARE: &str = "/compare";
const METRICS: &str = "/metrics";

/// Has the object that follows these hosts follow them, and gives its [`Progress`].
pub(crate) async fn wake(env: &Env, hosts: &Hosts) -> Result<Value> {
    told(env, hosts, FOLLOW).await
}

/// Has it compare a round of what is held with what was published, and gives its word of what that has shown.
pub(crate) async fn compare(env: &Env, hosts: &Hosts) -> Result<Drift> {
    let (same, different, untold) = told(env, hosts, COMPARE).await?;
    Ok(Drift {
        same,
        different,
        untold,
    })
}

/// What it has measured, as a Prometheus server reads it.
pub(crate) async fn metrics(env: &Env, hosts: &Hosts) -> Result<String> {
    ask(env, hosts, METRICS).await
}

async fn told<T: DeserializeOwned>(env: &Env, hosts: &Hosts, path: &str) -> Result<T> {
    Ok(serde_json::from_str(&ask(env, hosts, path).await?)?)
}

async fn ask(env: &Env, hosts: &Hosts, path: &str) -> Result<String> {
    let object = env.durable_object(BINDING)?.get_by_name(hosts.first())?;
    let url = format!("https://firehose{path}");
    let mut answer = object.fetch_with_str(&url).await?;
    let text = answer.text().await?;
    match answer.status_code() {
        200 => Ok(text),
        _ => Err(Error::RustError(text)),
    }
}

/// Follows the hosts of which it is named after the first, for as long as those are the ones to follow.
#[durable_object(alarm)]
#[derive(Debug)]
pub(crate) struct FirehoseDO {
    state: State,
    env: Env,
    /// How far the driver is that runs, if one does.
    following: RefCell<Weak<Progress>>,
}

impl DurableObject for FirehoseDO {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            following: RefCell::default(),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let done = match request.path().as_str() {
            METRICS => return Response::ok(registry().text()),
            COMPARE => self.compare().await,
            _ => self.say_progress().await,
        };
        done.or_else(|trouble| Response::error(trouble.to_string(), 500))
    }

    /// Never fails: the platform rings a failed alarm a few times more and then never again.
    async fn alarm(&self) -> Result<Response> {
        if let Err(trouble) = self.tend().await {
            log::failed("the firehose is not followed", &trouble);
        }
        Response::empty()
    }
}

impl FirehoseDO {
    /// Follows, and says how far it is.
    async fn say_progress(&self) -> std::result::Result<Response, Trouble> {
        let progress = self.tend().await?;
        Ok(Response::from_json(&*progress)?)
    }

    /// Compares, and says what that has shown.
    async fn compare(&self) -> std::result::Result<Response, Trouble> {
        let parts = Parts::read(&self.env)?;
        let drift = parts.indexer.check_drift(CHECKS).await?;
        parts.measured.compared(drift);
        let Drift {
            same,
            different,
            untold,
        } = drift;
        Ok(Response::from_json(&(same, different, untold))?)
    }

    /// Follows, if it does not yet, and comes back to see whether it still does.
    async fn tend(&self) -> std::result::Result<Rc<Progress>, Trouble> {
        let parts = Parts::read(&self.env)?;
        if self.state.id().name().as_deref() != Some(parts.hosts.first()) {
            // Others are to be followed by now, which is for another object.
            return Ok(Rc::default());
        }
        self.state.storage().set_alarm(LOOK_EVERY).await?;
        Ok(self.follow(parts))
    }

    fn follow(&self, parts: Parts) -> Rc<Progress> {
        let mut following = self.following.borrow_mut();
        if let Some(progress) = following.upgrade() {
            return progress;
        }
        let progress = Rc::new(Progress::default());
        *following = Rc::downgrade(&progress);
        let told = progress.clone();
        wasm_bindgen_futures::spawn_local(async move {
            // It ends where it cannot begin, and is begun anew when somebody looks.
            let trouble = follower::follow(parts, told).await;
            log::failed("the firehose is not followed", &trouble);
        });
        progress
    }
}
