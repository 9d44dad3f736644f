//! What hosts and guests are called: looked up when somebody has time, and before a letter or a calendar first tells of
//! them; never while a request is answered.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use huddle_core::index::people::{self, Names};
use huddle_core::index::{IndexError, hosts};
use huddle_identity::{Freshness, HandleState};
use huddle_ports::{FetchLimits, Timestamp};
use huddle_syntax::Did;
use huddle_syntax::data::{Map, Value};

use crate::Indexer;
use crate::host::HostError;

/// After how long a name is looked up again, if nothing has said before that it may have changed.
const GOOD_FOR: Duration = Duration::from_hours(24);
/// So many are looked up at a time, so that one who is slow to answer holds up few others.
const AT_A_TIME: usize = 8;
/// As many characters as a name may have that is shown.
const LONGEST: usize = 64;

impl Indexer {
    /// Looks up what hosts, and the parties of bookings, are called whose names are not known or old: at most `limit` of
    /// them, the longest known first. Says how many those were.
    pub async fn name_hosts(&self, limit: u32) -> Result<usize, IndexError> {
        let now = self.ports.clock.now();
        let unnamed = people::unnamed(self.index(), now - GOOD_FOR, limit).await?;
        let named = unnamed.iter().map(|did| self.find_out_name(did, now));
        let named: Vec<_> = named.collect();
        let named = stream::iter(named).buffer_unordered(AT_A_TIME);
        named.try_collect::<()>().await?;
        Ok(unnamed.len())
    }

    /// Looks up what somebody is called.
    pub(crate) async fn find_out_name(&self, did: &Did, now: Timestamp) -> Result<(), IndexError> {
        let known = people::names(self.index(), &[did]).await?;
        let known = known.get(did).cloned().unwrap_or_default();
        let names = self.look_up(did, known).await;
        let mut statements = people::name(did, &names, now).to_vec();
        statements.extend(hosts::refresh(did.as_str()));
        self.index().batch(statements).await
    }

    /// What somebody is called now; what cannot be found out is as it was.
    async fn look_up(&self, did: &Did, known: Names) -> Names {
        let identity = &self.ports.identity;
        let who = did.clone().into();
        let handle = match identity.resolve_identity(&who, Freshness::Fresh).await {
            Ok(identity) => match identity.handle {
                HandleState::Verified(handle) => Some(handle),
                HandleState::Unchecked(handle) => known.handle.filter(|it| *it == handle),
                HandleState::Invalid => None,
            },
            Err(error) if error.is_retryable() => known.handle,
            Err(_) => None,
        };
        let display_name = match self.profile(did).await {
            Ok(Some(profile)) => profile.get("displayName").and_then(shown),
            Ok(None) => None,
            Err(_) => known.display_name,
        };
        Names {
            handle,
            display_name,
        }
    }

    async fn profile(&self, did: &Did) -> Result<Option<Map>, HostError> {
        let pds = self.pds_of(did, FetchLimits::default()).await?;
        pds.record("app.bsky.actor.profile", "self").await
    }
}

/// A name as it can be shown.
fn shown(name: &Value) -> Option<String> {
    let Value::String(name) = name else {
        return None;
    };
    let shown: String = name.trim().chars().take(LONGEST).collect();
    (!shown.is_empty()).then_some(shown)
}
