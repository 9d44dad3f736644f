//! The contracts of the ports, kept by this platform's adapters.

use std::sync::Arc;
use std::time::Duration;

use huddle_appview_workers::transport::DurableObjectTransport;
use huddle_core::{Limits, SqlError};
use huddle_ports::{Bytes, Cache as _, Clock as _, Url};
use huddle_testkit::contract::{self, Broken};
use huddle_workers_platform::storage::transaction;
use huddle_workers_platform::{
    D1Index, EdgeCache, IsolateCache, Network, WorkersClock, WorkersRandom,
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object, wasm_bindgen};

/// Has the adapter checked that the path of a request names.
#[durable_object]
#[derive(Debug)]
pub(crate) struct ContractDO {
    state: State,
    env: Env,
}

impl DurableObject for ContractDO {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let url = request.url()?;
        if url.path() == "/zone" {
            return answer(&request.bytes().await?);
        }
        match self.check(&url).await {
            Ok(()) => Response::ok("kept"),
            Err(Broken(what)) => Response::error(what, 500),
        }
    }
}

impl ContractDO {
    async fn check(&self, url: &Url) -> std::result::Result<(), Broken> {
        match url.path() {
            "/sql" => {
                let checked = transaction(&self.state.storage(), |sql| Ok(contract::sql(sql)));
                checked.map_err(|error: SqlError| Broken(error.to_string()))?
            }
            "/index" => contract::index(&D1Index::new(self.env.clone())).await,
            "/actors" => {
                let actors = DurableObjectTransport::new(self.env.clone());
                contract::actors(&actors, "workerd", WorkersClock.now()).await
            }
            "/cache" => {
                contract::cache(&IsolateCache).await?;
                contract::cache(&EdgeCache::default()).await?;
                the_data_centre_remembers().await
            }
            "/clock" => contract::clock(&WorkersClock),
            "/random" => contract::random(&WorkersRandom),
            "/fetch" => {
                let server = parameter(url, "server").and_then(|server| server.parse().ok());
                let server = server.ok_or_else(|| Broken("no server is named".into()))?;
                contract::fetch(&self.network()?.fetch, &server).await
            }
            "/dns" => contract::dns(&self.network()?.dns).await,
            path => Err(Broken(format!("{path} is no contract"))),
        }
    }

    fn network(&self) -> std::result::Result<Network, Broken> {
        let network = Network::read(&self.env, Arc::new(IsolateCache), &Limits::default());
        network.map_err(|error| Broken(error.to_string()))
    }
}

/// What the resolver of the contracts answers to a question. Where it is to keep silent there is nothing, and silence is
/// kept by whoever asks here on behalf of others.
fn answer(question: &[u8]) -> Result<Response> {
    match contract::zone(question, usize::MAX) {
        Some(answer) => Response::from_bytes(answer),
        None => Ok(Response::empty()?.with_status(404)),
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    let (_, value) = pairs.find(|(it, _)| it == name)?;
    Some(value.into_owned())
}

/// What an isolate has forgotten, and another event asks for, is told by the data centre.
async fn the_data_centre_remembers() -> std::result::Result<(), Broken> {
    let (key, value) = ("contract of the data centre", Bytes::from_static(b"kept"));
    let ttl = Duration::from_mins(1);
    EdgeCache::default().put(key, value.clone(), ttl).await;
    IsolateCache.delete(key).await;
    let told = EdgeCache::default().get(key).await;
    EdgeCache::default().delete(key).await;
    match told {
        Some(told) if told == value => Ok(()),
        told => Err(Broken(format!("the data centre tells {told:?}"))),
    }
}
