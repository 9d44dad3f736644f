//! The parts of the AppView, made of what the platform has: anew for each event, since what one event waits for another
//! may not on this platform.

use std::sync::Arc;
use std::time::Duration;

use huddle_appview_indexer::{Indexer, Ports, Requests};
use huddle_appview_router::Backend;
use huddle_core::matching::{Matching, NoCalendars, Sources};
use huddle_graph::BlueskyGraph;
use huddle_workers_platform::{D1Index, EdgeCache, Misconfigured, Network, WorkersClock};
use worker::Env;

use crate::build::Build;
use crate::config::Config;
use crate::transport::DurableObjectTransport;

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) network: Network,
    pub(crate) backend: Backend,
}

impl Parts {
    pub(crate) fn read(env: &Env) -> Result<Self, Misconfigured> {
        let config = Config::read(env)?;
        let network = Network::read(env, Arc::new(EdgeCache))?;
        let actors = Arc::new(DurableObjectTransport::new(env.clone()));
        let index = Arc::new(D1Index::new(env.clone()));
        let limits = Arc::new(config.limits.clone());
        let sources = Sources {
            index: index.clone(),
            actors: actors.clone(),
            relationships: Arc::new(graph(&config, &network)),
            calendars: Arc::new(NoCalendars),
            clock: Arc::new(WorkersClock),
        };
        let matching = Arc::new(Matching::new(
            sources,
            config.service.did().clone(),
            config.disclosure.clone(),
            limits.clone(),
        ));
        let stand_in = (Build::running().availability)(env)?;
        let backend = Backend {
            actors,
            index,
            availability: stand_in.unwrap_or_else(|| matching.clone()),
            slots: matching,
            clock: Arc::new(WorkersClock),
            limits,
        };
        Ok(Self {
            config,
            network,
            backend,
        })
    }

    /// What learns of accounts that somebody names.
    pub(crate) fn indexer(&self) -> Indexer {
        Indexer::new(Ports {
            index: self.backend.index.clone(),
            identity: self.network.identity.clone(),
            fetch: self.network.fetch.clone(),
            cache: self.network.cache.clone(),
            clock: self.backend.clock.clone(),
        })
    }

    /// What makes bookings of requests that are records.
    pub(crate) fn requests(&self) -> Requests {
        let service = self.config.service.did().clone();
        let ids = self.config.ids.clone();
        Requests::new(self.indexer(), self.backend.flows(), ids, service)
    }
}

fn graph(config: &Config, network: &Network) -> BlueskyGraph {
    let (fetch, cache) = (network.fetch.clone(), network.cache.clone());
    let keep = Duration::from_secs(config.limits.graph_cache_secs.into());
    let clock = Arc::new(WorkersClock);
    BlueskyGraph::new(fetch, config.graph.clone(), cache, clock, keep)
}
