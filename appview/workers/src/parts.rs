//! The parts of the AppView, made of what the platform has: anew for each event, since what one event waits for another
//! may not on this platform.

use std::sync::Arc;
use std::time::Duration;

use huddle_appview_indexer::{Indexer, Ports, Requests};
use huddle_appview_router::{Backend, MeasuredHolds, MeasuredMail};
use huddle_calendars::{CalendarPorts, ConnectedCalendars};
use huddle_core::ActorTransport;
use huddle_core::effects::{Effects, Post, WebhookPost};
use huddle_core::mail::{Addresses, Links};
use huddle_core::matching::{Matching, Sources};
use huddle_core::tasks::Tasks;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_graph::BlueskyGraph;
use huddle_mail::{Letters, SparkPost};
use huddle_workers_platform::{
    D1Index, EdgeCache, IsolateCache, Misconfigured, Network, WorkersClock, WorkersRandom,
};
use worker::Env;

use crate::build::Build;
use crate::config::Config;
use crate::operations::operations;
use crate::pages;
use crate::transport::DurableObjectTransport;

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) network: Network,
    pub(crate) backend: Backend,
    /// The calendars that people have connected.
    pub(crate) calendars: ConnectedCalendars,
    /// The way to people's mailboxes, if mail is sent.
    pub(crate) post: Option<Post>,
}

impl Parts {
    pub(crate) fn read(env: &Env) -> Result<Self, Misconfigured> {
        let config = Config::read(env)?;
        let network = Network::read(env, Arc::new(EdgeCache::default()), &config.limits)?;
        let actors = Arc::new(DurableObjectTransport::new(env.clone()));
        let index = Arc::new(D1Index::new(env.clone()));
        let limits = Arc::new(config.limits.clone());
        let calendars = calendars(&config, &network, actors.clone());
        let sources = Sources {
            index: index.clone(),
            actors: actors.clone(),
            relationships: Arc::new(graph(&config, &network)),
            calendars: Arc::new(calendars.clone()),
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
            actors: measured(actors, &config),
            index,
            availability: stand_in.unwrap_or_else(|| matching.clone()),
            slots: matching,
            clock: Arc::new(WorkersClock),
            limits,
        };
        Ok(Self {
            post: post(&config, &network)?,
            config,
            network,
            backend,
            calendars,
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
            record_bytes: self.config.limits.record_bytes,
        })
    }

    /// What makes bookings of requests that are records.
    pub(crate) fn requests(&self, env: &Env) -> Requests {
        let service = self.config.service.did().clone();
        let ids = self.config.ids.clone();
        let actors = Arc::new(DurableObjectTransport::unhurried(env.clone()));
        let backend = Backend {
            actors: measured(actors, &self.config),
            ..self.backend.clone()
        };
        Requests::new(self.indexer(), backend.flows(), ids, service)
    }

    /// What actors leave to be done.
    pub(crate) fn tasks(&self) -> Tasks {
        let Backend {
            actors,
            index,
            clock,
            ..
        } = self.backend.clone();
        let effects = Effects::new(actors, index, clock).with_directory(Arc::new(self.indexer()));
        let mut effects = effects.with_calendars(Arc::new(self.calendars.clone()));
        if let Some(personal) = pages::personal(self) {
            effects = effects.with_webhooks(WebhookPost {
                fetch: self.network.fetch.clone(),
                webhooks: personal.webhooks(),
            });
        }
        if let Some(post) = &self.post {
            effects = effects.with_mail(post.clone());
        }
        let metrics = operations(&self.config).metrics;
        self.backend.tasks().with_effects(effects).measured(metrics)
    }
}

/// The actors, and what comes of holds is measured. Their starts are counted where they start.
fn measured(actors: Arc<DurableObjectTransport>, config: &Config) -> Arc<dyn ActorTransport> {
    Arc::new(MeasuredHolds::new(actors, operations(config).metrics))
}

fn graph(config: &Config, network: &Network) -> BlueskyGraph {
    let (fetch, clock) = (network.fetch.clone(), Arc::new(WorkersClock));
    let keep = Duration::from_secs(config.limits.graph_cache_secs.into());
    // It is seldom asked about the same two people again, and one question to it is all that it takes.
    let cache = Arc::new(IsolateCache);
    BlueskyGraph::new(fetch, config.graph.clone(), cache, clock, keep)
}

/// Without keys nobody can connect a calendar, and what was sealed with keys that are gone is not opened by a key that
/// nobody has: whoever has connected something is unreadable, and never free.
fn calendars(
    config: &Config,
    network: &Network,
    actors: Arc<DurableObjectTransport>,
) -> ConnectedCalendars {
    let ports = CalendarPorts {
        actors,
        fetch: network.fetch.clone(),
        clock: Arc::new(WorkersClock),
        random: Arc::new(WorkersRandom),
    };
    let nobodys = || KeyRing::parse(&KeyRing::new_key("none", &WorkersRandom));
    let keys = config.keys.clone().map_or_else(nobodys, Ok);
    let keys = keys.expect("a new key is a ring");
    ConnectedCalendars::new(ports, keys, &config.limits)
        .located_by(Arc::new(network.dns.clone()))
        .measured(operations(config).metrics)
}

fn post(config: &Config, network: &Network) -> Result<Option<Post>, Misconfigured> {
    let (Some(mail), Some(keys)) = (&config.mail, &config.keys) else {
        return Ok(None);
    };
    let mailer = SparkPost::new(network.fetch.clone(), &mail.api, &mail.key)
        .map_err(|error| Misconfigured::unusable("MAIL_API_KEY", &error))?;
    let letters = Letters::new(Arc::new(mailer), mail.sender.clone());
    let (clock, metrics) = (Arc::new(WorkersClock), operations(config).metrics);
    let random = Arc::new(WorkersRandom);
    let pages = config.public_url.clone();
    Ok(Some(Post {
        mail: Arc::new(MeasuredMail::new(Arc::new(letters), clock, metrics)),
        addresses: Addresses::new(keys.clone(), random.clone()),
        links: pages.map(|url| Links::new(url, keys.clone(), random)),
    }))
}
