//! The object that follows the firehose.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use worker::{
    DurableObject, Env, Request, Response, Result, State, console_error, durable_object,
    wasm_bindgen, wasm_bindgen_futures,
};

use crate::Trouble;
use crate::follower::{self, Progress};
use crate::parts::{Hosts, Parts};

/// The binding of the object, which is called like its class.
const BINDING: &str = "FirehoseDO";

/// How often the object sees to it that it follows. The platform ends one that it takes for idle, an open WebSocket or
/// not: sooner or later, but not within this.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Has the object that follows these hosts follow them, and gives its word of how far it is.
pub(crate) async fn wake(env: &Env, hosts: &Hosts) -> Result<String> {
    let object = env.durable_object(BINDING)?.get_by_name(hosts.first())?;
    let mut answer = object.fetch_with_str("https://firehose/").await?;
    answer.text().await
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

    /// Follows, and says how far it is.
    async fn fetch(&self, _: Request) -> Result<Response> {
        match self.tend().await {
            Ok(progress) => Response::from_json(&*progress),
            Err(trouble) => Response::error(trouble.to_string(), 500),
        }
    }

    /// Never fails: the platform rings a failed alarm a few times more and then never again.
    async fn alarm(&self) -> Result<Response> {
        if let Err(trouble) = self.tend().await {
            console_error!("the firehose is not followed: {trouble}");
        }
        Response::empty()
    }
}

impl FirehoseDO {
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
            console_error!("the firehose is not followed: {trouble}");
        });
        progress
    }
}
