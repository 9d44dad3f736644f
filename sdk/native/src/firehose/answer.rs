//! What the driver asks for, each in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use huddle_firehose::ingest::{ConnectionId, Identity, Ticket, Unavailable};
use huddle_firehose::{Account, VerifyingKey};
use huddle_identity::{DidDocument, Freshness, IdentityResolver};
use huddle_ports::{Fetch, FetchLimits, Request, Response, Url};
use huddle_syntax::Did;

use super::FirehoseStore;
use super::socket::{Socket, WebSockets};

/// What came of it.
pub(super) enum Answer {
    Connected(ConnectionId, Option<Box<Socket>>),
    Account(String, Option<Account>),
    Identity(String, Result<Identity, Unavailable>),
    Repository(String, Result<Bytes, Unavailable>),
    Done(Ticket),
    Kept,
    Wanted(Vec<String>),
}

/// The most that a repository may take, in bytes and in time. Those of people who have posted for years come near it.
const REPOSITORY: FetchLimits = FetchLimits {
    timeout: Duration::from_mins(2),
    max_response_bytes: 128 << 20,
    max_redirects: 3,
};

/// What a host says of an account that is not active: the errors of `com.atproto.sync.getRepo`.
const INACTIVE: &[&str] = &["RepoDeactivated", "RepoSuspended", "RepoTakendown"];

pub(super) async fn connect(sockets: &WebSockets, id: ConnectionId, url: &str) -> Answer {
    Answer::Connected(id, sockets.open(url).await.ok().map(Box::new))
}

pub(super) async fn account(store: &dyn FirehoseStore, did: String) -> Answer {
    let account = store.account(&did).await;
    Answer::Account(did, account)
}

pub(super) async fn identity(resolver: &IdentityResolver, did: String) -> Answer {
    let found = find_identity(resolver, &did).await;
    Answer::Identity(did, found)
}

pub(super) async fn repository(
    identity: &IdentityResolver,
    fetch: &dyn Fetch,
    did: String,
) -> Answer {
    let car = fetch_repository(identity, fetch, &did).await;
    Answer::Repository(did, car)
}

async fn find_identity(resolver: &IdentityResolver, did: &str) -> Result<Identity, Unavailable> {
    let document = find_document(resolver, did, Freshness::Fresh).await?;
    let key = document.signing_key().map_err(|_| Unavailable::AtAll)?;
    let key = VerifyingKey::from_multikey(&key.to_multikey());
    let pds = document.pds().ok();
    Ok(Identity {
        key: key.map_err(|_| Unavailable::AtAll)?,
        host: pds.and_then(|pds| pds.host_str().map(Arc::from)),
    })
}

async fn find_document(
    identity: &IdentityResolver,
    did: &str,
    freshness: Freshness,
) -> Result<DidDocument, Unavailable> {
    let did: Did = did.parse().map_err(|_| Unavailable::AtAll)?;
    let document = identity.resolve_did(&did, freshness).await;
    document.map_err(|error| unavailable(error.is_retryable()))
}

fn unavailable(is_retryable: bool) -> Unavailable {
    if is_retryable {
        Unavailable::ForNow
    } else {
        Unavailable::AtAll
    }
}

async fn fetch_repository(
    identity: &IdentityResolver,
    fetch: &dyn Fetch,
    did: &str,
) -> Result<Bytes, Unavailable> {
    // The identity was looked up not long ago, and the document with it.
    let document = find_document(identity, did, Freshness::Cached).await?;
    let pds = document.pds().map_err(|_| Unavailable::AtAll)?;
    let url = repository_url(&pds, did).ok_or(Unavailable::AtAll)?;
    let answer = fetch.fetch(Request::get(url).limits(REPOSITORY)).await;
    let response = answer.map_err(|error| unavailable(error.is_retryable()))?;
    if response.status.is_success() {
        Ok(response.body)
    } else {
        Err(refusal(&response))
    }
}

fn repository_url(pds: &Url, did: &str) -> Option<Url> {
    let mut url = pds.join("/xrpc/com.atproto.sync.getRepo").ok()?;
    url.query_pairs_mut().append_pair("did", did);
    Some(url)
}

fn refusal(response: &Response) -> Unavailable {
    let body: Option<serde_json::Value> = serde_json::from_slice(&response.body).ok();
    let error = body.as_ref().and_then(|body| body["error"].as_str());
    if error.is_some_and(|error| INACTIVE.contains(&error)) {
        return Unavailable::Inactive;
    }
    let status = response.status.as_u16();
    unavailable(response.status.is_server_error() || matches!(status, 408 | 429))
}
