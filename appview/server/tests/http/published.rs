//! An AppView that finds times by what people have published, and what that is, as the firehose brings it.

use std::sync::Arc;

use huddle_core::Limits;
use huddle_core::index::offers::{self, Content, Entry, Kind};
use huddle_core::index::services::{self, Service};
use huddle_core::index::{Index as _, Revision, repos};
use huddle_core::matching::{Matching, Sources};
use huddle_ports::Clock as _;
use huddle_schedule::disclosure::DisclosureKey;
use huddle_schedule::{Circle, Relationship};
use huddle_syntax::{Datetime, Did};
use huddle_testkit::ListedPeople;
use serde_json::json;

use crate::server::{Server, TestClock, did, tomorrow};

const REV: &str = "3kaaaaaaaaa22";

/// One where Ada has two hours tomorrow, to be booked in this mode by these guests, whom she knows; and what is said of
/// people's calendars.
pub(crate) async fn start(mode: &str, guests: &[Did]) -> (Server, Arc<ListedPeople>) {
    let (clock, people) = (Arc::<TestClock>::default(), Arc::<ListedPeople>::default());
    let limits = Limits::default();
    let server = Server::start_at(clock.clone(), limits.clone(), |actors, index| {
        let sources = Sources {
            index,
            actors,
            relationships: people.clone(),
            calendars: people.clone(),
            clock,
        };
        let key = DisclosureKey::new(&[7; 32]);
        Matching::new(sources, did("huddle"), key, Arc::new(limits))
    })
    .await;
    let ada = did("ada");
    name_service(&server, &ada, &did("huddle")).await;
    offer(&server, &ada, mode).await;
    for guest in guests {
        let mutual = Relationship {
            circle: Circle::Mutual,
            blocked: false,
        };
        people.relate(&ada, guest, Ok(mutual));
    }
    (server, people)
}

/// Somebody names the AppView that schedules for them.
pub(crate) async fn name_service(server: &Server, person: &Did, appview: &Did) {
    let at = Revision {
        did: person.as_str(),
        rev: REV,
    };
    let service = Service {
        cid: "bafyservice".into(),
        appview: appview.clone(),
    };
    let named = vec![
        repos::follow(person.as_str()),
        services::put(at, Some(&service)),
    ];
    server.index.batch(named).await.unwrap();
}

async fn offer(server: &Server, host: &Did, mode: &str) {
    let (starts, ends) = (tomorrow(0), tomorrow(120));
    let text = |moment: huddle_ports::Timestamp| {
        let datetime = Datetime::from_timestamp_millis(moment.as_millis()).unwrap();
        datetime.as_str().to_owned()
    };
    let now = server.clock.now();
    let record = json!({
        "$type": "com.huddle.slotOffer",
        "start": text(starts),
        "end": text(ends),
        "policy": "mutual",
        "mode": mode,
        "createdAt": text(now),
    });
    let content = Content {
        cid: "bafyoffer".into(),
        kind: Kind::SlotOffer,
        starts,
        ends,
        policy: "mutual".into(),
        mode: mode.into(),
        note: None,
        record: record.to_string(),
    };
    let entry = Entry {
        uri: format!("at://{host}/com.huddle.slotOffer/a"),
        content: Some(content),
    };
    let at = Revision {
        did: host.as_str(),
        rev: REV,
    };
    let offered = offers::put(at, &[entry], now).unwrap();
    server.index.batch(offered).await.unwrap();
}
