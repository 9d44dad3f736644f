//! The contracts of the ports, kept by this platform's adapters.

use huddle_appview_workers::transport::DurableObjectTransport;
use std::time::Duration;

use huddle_core::SqlError;
use huddle_ports::{Bytes, Cache as _, Clock as _};
use huddle_testkit::contract::{self, Broken};
use huddle_workers_platform::storage::transaction;
use huddle_workers_platform::{D1Index, EdgeCache, IsolateCache, WorkersClock, WorkersRandom};
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

    async fn fetch(&self, request: Request) -> Result<Response> {
        match self.check(&request.path()).await {
            Ok(()) => Response::ok("kept"),
            Err(Broken(what)) => Response::error(what, 500),
        }
    }
}

impl ContractDO {
    async fn check(&self, path: &str) -> std::result::Result<(), Broken> {
        match path {
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
            _ => Err(Broken(format!("{path} is no contract"))),
        }
    }
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
