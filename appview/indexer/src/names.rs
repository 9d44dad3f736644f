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
/// After how long it is, where what could be found out was not all.
const AGAIN_AFTER: Duration = Duration::from_mins(10);
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
        let (names, is_all) = self.look_up(did, known).await;
        let as_of = if is_all {
            now
        } else {
            now - GOOD_FOR + AGAIN_AFTER
        };
        let mut statements = people::name(did, &names, as_of).to_vec();
        statements.extend(hosts::refresh(did.as_str()));
        self.index().batch(statements).await
    }

    /// What somebody is called now, and whether that is all; what cannot be found out for now is as it was.
    async fn look_up(&self, did: &Did, known: Names) -> (Names, bool) {
        let identity = &self.ports.identity;
        let who = did.clone().into();
        let (handle, is_settled) = match identity.resolve_identity(&who, Freshness::Fresh).await {
            Ok(identity) => match identity.handle {
                HandleState::Verified(handle) => (Some(handle), true),
                HandleState::Unchecked(handle) => (known.handle.filter(|it| *it == handle), false),
                HandleState::Invalid => (None, true),
            },
            Err(error) if error.is_retryable() => (known.handle, false),
            Err(_) => (None, true),
        };
        let (display_name, is_read) = match self.profile(did).await {
            Ok(profile) => {
                let name = profile.as_ref().and_then(|it| it.get("displayName"));
                (name.and_then(shown), true)
            }
            Err(_) => (known.display_name, false),
        };
        let names = Names {
            handle,
            display_name,
        };
        (names, is_settled && is_read)
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
