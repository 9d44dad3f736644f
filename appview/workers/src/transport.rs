//! How a command reaches the Durable Object of an actor.

use async_trait::async_trait;
use huddle_core::transport::{ActorTransport, Unreachable};
use huddle_core::{ActorKind, ActorName, Command, Reply};
use huddle_ports::{Clock as _, Timestamp};
use worker::send::SendFuture;
use worker::{Env, Headers, Method, Request, RequestInit, Response};

use huddle_workers_platform::WorkersClock;

/// Where a command goes on its own. Objects are found by binding and name, never by address.
const ALONE: &str = "/";

/// Where a command goes together with what follows from it.
pub(crate) const DRIVE: &str = "/drive";

/// The header that says since when somebody waits for the answer, in milliseconds since 1970.
pub(crate) const WAITING_SINCE: &str = "huddle-waiting-since";

/// Brings commands to the objects that this Worker is bound to.
#[derive(Clone, Debug)]
pub struct DurableObjectTransport {
    env: Env,
    waiting_since: Option<Timestamp>,
}

impl DurableObjectTransport {
    /// A transport to the objects of this Worker, for an event that begins now: whoever waits for what comes of it does
    /// so since now.
    pub fn new(env: Env) -> Self {
        Self {
            env,
            waiting_since: Some(WorkersClock.now()),
        }
    }

    /// A transport for an event of which nobody waits for the end: each command has as long as if somebody had begun to
    /// wait with it.
    pub fn unhurried(env: Env) -> Self {
        Self {
            env,
            waiting_since: None,
        }
    }

    async fn ask(&self, to: &ActorName, command: &Command) -> Result<Reply, String> {
        let command = serde_json::to_string(command).map_err(|error| error.to_string())?;
        let mut response = self
            .post(to, command)
            .await
            .map_err(|error| error.to_string())?;
        let text = response.text().await.map_err(|error| error.to_string())?;
        match response.status_code() {
            200 => serde_json::from_str(&text).map_err(|error| error.to_string()),
            _ => Err(text),
        }
    }

    async fn post(&self, to: &ActorName, command: String) -> worker::Result<Response> {
        let headers = Headers::new();
        if let Some(since) = self.waiting_since {
            headers.set(WAITING_SINCE, &since.as_millis().to_string())?;
        }
        let mut init = RequestInit::new();
        init.with_headers(headers).with_body(Some(command.into()));
        request(&self.env, to, DRIVE, Method::Post, init).await
    }
}

#[async_trait]
impl ActorTransport for DurableObjectTransport {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        let answer = SendFuture::new(self.ask(to, &command)).await;
        answer.map_err(|problem| Unreachable {
            actor: to.clone(),
            problem,
        })
    }
}

/// Has an actor set its alarm for what it wants to be woken for, and gives the moment, if there is one.
pub(crate) async fn remind(env: &Env, to: &ActorName) -> worker::Result<Option<Timestamp>> {
    let mut response = request(env, to, ALONE, Method::Get, RequestInit::new()).await?;
    match response.status_code() {
        200 => response.json().await,
        _ => Err(response.text().await?.into()),
    }
}

/// Posts a command to the object of an actor, which does that and nothing else.
pub async fn post(env: &Env, to: &ActorName, init: RequestInit) -> worker::Result<Response> {
    request(env, to, ALONE, Method::Post, init).await
}

async fn request(
    env: &Env,
    to: &ActorName,
    path: &str,
    method: Method,
    mut init: RequestInit,
) -> worker::Result<Response> {
    init.with_method(method);
    let objects = env.durable_object(binding(to.kind()))?;
    let request = Request::new_with_init(&format!("https://actor{path}"), &init)?;
    objects
        .get_by_name(to.as_str())?
        .fetch_with_request(request)
        .await
}

/// The binding of a kind of actor, which is called like its class.
const fn binding(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::HostMatch => "HostMatchDO",
        ActorKind::Booking => "BookingDO",
        ActorKind::UserConnector => "UserConnectorDO",
        ActorKind::RateLimiter => "RateLimiterDO",
    }
}
