//! What this script is made of, of what the platform has.

use std::str::FromStr;
use std::sync::Arc;

use huddle_appview_indexer::{Indexer, Measured, Ports};
use huddle_ports::{Clock, MemoryCache, MemoryCacheLimits, Url};
use huddle_workers_platform::config::{limits, variable};
use huddle_workers_platform::{D1Index, Misconfigured, Network, WorkersClock};
use worker::Env;

use crate::operations::registry;

/// What is remembered of others for the time being.
const REMEMBERED: MemoryCacheLimits = MemoryCacheLimits {
    max_entries: 2_000,
    max_bytes: 4 << 20,
};

/// The object of the AppView that makes bookings of requests, by its binding, which is called like its class, and name.
const REQUESTS: (&str, &str) = ("RequestsDO", "requests");

/// Hosts of the firehose, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<String>);

#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) hosts: Hosts,
    pub(crate) network: Network,
    pub(crate) indexer: Indexer,
    pub(crate) measured: Measured,
    env: Env,
}

impl Parts {
    pub(crate) fn read(env: &Env) -> Result<Self, Misconfigured> {
        let clock: Arc<dyn Clock> = Arc::new(WorkersClock);
        let cache = Arc::new(MemoryCache::with_limits(clock.clone(), REMEMBERED));
        let limits = limits(env)?;
        let network = Network::read(env, cache.clone(), &limits)?;
        let indexer = Indexer::new(Ports {
            index: Arc::new(D1Index::new(env.clone())),
            identity: network.identity.clone(),
            fetch: network.fetch.clone(),
            cache,
            clock: clock.clone(),
            record_bytes: limits.record_bytes,
        });
        Ok(Self {
            hosts: variable(env, "FIREHOSE")?,
            network,
            indexer,
            measured: Measured::new(registry().clone(), clock),
            env: env.clone(),
        })
    }

    /// Says that there may be requests to make bookings of.
    pub(crate) async fn ask_for_bookings(&self) -> worker::Result<()> {
        let (binding, name) = REQUESTS;
        let object = self.env.durable_object(binding)?.get_by_name(name)?;
        object.fetch_with_str("https://requests/").await.map(drop)
    }
}

impl Hosts {
    /// The best, which names the object that follows them.
    pub(crate) fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    pub(crate) fn to_vec(&self) -> Vec<String> {
        self.0.clone()
    }
}

/// Not the address of a firehose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host of a firehose: name some, best first, e.g. `wss://relay.example.com`")]
pub(crate) struct NoHost(String);

impl FromStr for Hosts {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let host = |text: &str| {
            let url = Url::parse(text.trim()).ok();
            let url = url.filter(|url| matches!(url.scheme(), "ws" | "wss"));
            let url = url.ok_or_else(|| NoHost(text.to_owned()))?;
            Ok(url.as_str().trim_end_matches('/').to_owned())
        };
        text.split(',')
            .map(host)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&[&str], &str>) {
        let hosts = text.parse::<Hosts>();
        let found = hosts.as_ref().map(|it| it.0.iter().map(String::as_str));
        match (found, expect) {
            (Ok(found), Ok(expect)) => assert!(found.eq(expect.iter().copied()), "{hosts:?}"),
            (Err(NoHost(found)), Err(expect)) => assert_eq!(found, expect),
            _ => panic!("{hosts:?}"),
        }
    }

    #[test]
    fn hosts_are_urls_of_websockets_best_first() {
        check("wss://relay.example.com/", Ok(&["wss://relay.example.com"]));
        check(
            "wss://one.example.com, ws://localhost:2583",
            Ok(&["wss://one.example.com", "ws://localhost:2583"]),
        );
        check("", Err(""));
        check(
            "https://relay.example.com",
            Err("https://relay.example.com"),
        );
        check("wss://one.example.com,", Err(""));
    }
}
