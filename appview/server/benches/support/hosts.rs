//! Hosts whom everybody may book.

use async_trait::async_trait;
use huddle_core::index::offers::{self, Content, Entry, Kind};
use huddle_core::index::services::{self, Service};
use huddle_core::index::{Index as _, Revision, repos};
use huddle_core::matching::{Freshness, Relationships, UnknownRelationship};
use huddle_native::{SqliteIndex, SystemClock};
use huddle_ports::{Clock as _, Timestamp};
use huddle_schedule::{Circle, Relationship};
use huddle_syntax::Did;

use crate::server::did;

/// All follow each other.
pub(crate) struct Friends;

#[async_trait]
impl Relationships for Friends {
    async fn between(
        &self,
        _: &Did,
        _: &Did,
        _: Freshness,
        _: Timestamp,
    ) -> Result<Relationship, UnknownRelationship> {
        Ok(Relationship {
            circle: Circle::Mutual,
            blocked: false,
        })
    }
}

/// Has hosts name the service and publish office hours, as the firehose would.
pub(crate) async fn publish(index: &SqliteIndex, hosts: &[Did]) {
    let mut statements = Vec::new();
    for host in hosts {
        let at = Revision {
            did: host.as_str(),
            rev: "3kaaaaaaaaa22",
        };
        let service = Service {
            cid: "bafyservice".into(),
            appview: did("huddle"),
        };
        let content = Content {
            cid: "bafyoffer".into(),
            kind: Kind::OfficeHours,
            starts: Timestamp::MIN,
            ends: Timestamp::from_millis(1 << 50),
            policy: "mutual".into(),
            mode: "auto".into(),
            note: None,
            record: r#"{"$type": "com.huddle.officeHours", "tz": "UTC", "policy": "mutual",
                "rules": [{"days": ["MO", "TU", "WE", "TH", "FR"], "start": "09:00", "end": "17:00"}],
                "createdAt": "2026-06-01T00:00:00Z"}"#
                .into(),
        };
        let entry = Entry {
            uri: format!("at://{host}/com.huddle.officeHours/a"),
            content: Some(content),
        };
        statements.push(repos::follow(host.as_str()));
        statements.push(services::put(at, Some(&service)));
        statements.extend(offers::put(at, &[entry], SystemClock.now()).unwrap());
    }
    index.batch(statements).await.unwrap();
}
