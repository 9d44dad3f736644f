//! A person's pages, over a store in memory.

use std::sync::Arc;

use axum::Router;
use huddle_appview_web::{Web, routes};
use huddle_calendars::{CalendarPorts, ConnectedCalendars};
use huddle_core::Limits;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::webhooks::Webhooks;
use huddle_native::{ActorStore, SqliteIndex};
use huddle_ports::{Fetch, FetchPolicy, Timestamp};
use huddle_syntax::Did;
use huddle_testkit::{CountingRandom, SteppingClock};

/// 2026-12-01T00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_796_083_200_000);

/// The pages, and what they are over.
pub(crate) struct Site {
    pub(crate) clock: Arc<SteppingClock>,
    pub(crate) actors: Arc<ActorStore>,
    pub(crate) random: Arc<CountingRandom>,
    pub(crate) keys: KeyRing,
    pub(crate) webhooks: Webhooks,
    pub(crate) router: Router,
}

/// Whose pages they are.
pub(crate) fn ana() -> Did {
    "did:web:ana.example.com".parse().unwrap()
}

impl Site {
    pub(crate) fn over(network: Arc<dyn Fetch>, index: SqliteIndex, is_https: bool) -> Self {
        let clock = Arc::new(SteppingClock::at(NOW));
        let random = Arc::new(CountingRandom::default());
        let actors = ActorStore::in_memory(clock.clone(), Limits::default()).unwrap();
        let actors = Arc::new(actors);
        let keys = KeyRing::parse(&KeyRing::new_key("1", &*random)).unwrap();
        let ports = CalendarPorts {
            actors: actors.clone(),
            fetch: network,
            clock: clock.clone(),
            random: random.clone(),
        };
        let webhooks = Webhooks::new(keys.clone(), random.clone(), FetchPolicy::public());
        let web = Web {
            calendars: ConnectedCalendars::new(ports, keys.clone(), &Limits::default()),
            index: Arc::new(index),
            actors: actors.clone(),
            webhooks: webhooks.clone(),
            keys: keys.clone(),
            random: random.clone(),
            clock: clock.clone(),
            is_https,
        };
        Self {
            clock,
            actors,
            random,
            keys,
            webhooks,
            router: routes(web),
        }
    }
}
