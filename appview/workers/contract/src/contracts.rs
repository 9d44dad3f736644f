//! The contracts of the ports, kept by this platform's adapters.

use huddle_appview_workers::transport::DurableObjectTransport;
use huddle_core::SqlError;
use huddle_ports::Clock as _;
use huddle_testkit::contract::{self, Broken};
use huddle_workers_platform::storage::transaction;
use huddle_workers_platform::{D1Index, WorkersClock};
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
            _ => Err(Broken(format!("{path} is no contract"))),
        }
    }
}
