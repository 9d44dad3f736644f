//! An AppView in memory, people who call it, and a network that counts what it is asked.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use huddle_appview_router::{
    AppView, Backend, ClientAddress, Identities, MemoryAllowances, Operations, RequestId,
};
use huddle_core::Limits;
use huddle_core::booking::BookingIds;
use huddle_core::pause::NoPause;
use huddle_identity::crypto::{Curve, SigningKey};
use huddle_identity::{IdentityConfig, IdentityResolver, ServiceAuthMinter};
use huddle_native::{ActorStore, SqliteIndex};
use huddle_ports::{Clock as _, DnsError, DnsTxt, Fetch, FetchError, MemoryCache, Timestamp};
use huddle_testkit::{CountingRandom, ListedWindows, SteppingClock};
use tower::ServiceExt as _;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_268_800_000);
pub(crate) const SERVICE: &str = "did:web:huddle.example.com#huddle_appview";
pub(crate) const GET_BOOKING: &str = "com.huddle.getBooking";
const QUERY: &str = "/xrpc/com.huddle.getBooking?bookingId=3hq7n2k5x4d6m7p2r5t7";

/// Everybody's key, or the next one that they took.
pub(crate) fn key(generation: u8) -> SigningKey {
    SigningKey::from_bytes(Curve::K256, &[generation; 32]).unwrap()
}

/// Knows a document for every `did:web`, and counts how often anybody is looked up.
pub(crate) struct Network {
    lookups: AtomicUsize,
    generation: Mutex<u8>,
}

impl Network {
    /// How many look-ups there were since this was last asked.
    pub(crate) fn take_lookups(&self) -> usize {
        self.lookups.swap(0, Ordering::Relaxed)
    }

    /// Has everybody take a new key.
    pub(crate) fn rotate(&self, generation: u8) {
        *self.generation.lock().unwrap() = generation;
    }
}

#[async_trait]
impl Fetch for Network {
    async fn fetch(
        &self,
        request: huddle_ports::Request,
    ) -> Result<huddle_ports::Response, FetchError> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let host = request.url.host_str().unwrap_or_default();
        let did = format!("did:web:{host}");
        let key = key(*self.generation.lock().unwrap()).public_key();
        let document = serde_json::json!({
            "id": did,
            "verificationMethod": [{
                "id": format!("{did}#atproto"),
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.to_multikey(),
            }],
        });
        Ok(huddle_ports::Response {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: document.to_string().into(),
            final_url: request.url,
        })
    }
}

#[async_trait]
impl DnsTxt for Network {
    async fn txt(&self, _: &str, _: Duration) -> Result<Vec<String>, DnsError> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        Err(DnsError::Timeout)
    }
}

/// An AppView and all that is around it.
pub(crate) struct World {
    pub(crate) clock: Arc<SteppingClock>,
    pub(crate) network: Arc<Network>,
    random: CountingRandom,
    router: axum::Router,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The error's name.
    pub(crate) fn error(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["error"].as_str().unwrap_or_default().to_owned()
    }
}

impl World {
    pub(crate) fn new(limits: Limits) -> Self {
        Self::with(limits, |_| {})
    }

    /// A world whose AppView is changed before it serves.
    pub(crate) fn with(limits: Limits, change: impl FnOnce(&mut AppView)) -> Self {
        let clock = Arc::new(SteppingClock::at(NOW));
        let network = Arc::new(Network {
            lookups: AtomicUsize::new(0),
            generation: Mutex::new(1),
        });
        let keys = IdentityResolver::new(
            network.clone(),
            network.clone(),
            Arc::new(MemoryCache::new(clock.clone())),
            clock.clone(),
            IdentityConfig::default(),
        );
        let actors = ActorStore::in_memory(clock.clone(), limits.clone()).unwrap();
        let mut appview = AppView {
            backend: Backend {
                actors: Arc::new(actors),
                index: Arc::new(SqliteIndex::in_memory().unwrap()),
                availability: Arc::new(ListedWindows::default()),
                slots: Arc::new(ListedWindows::default()),
                clock: clock.clone(),
                limits: Arc::new(limits),
            },
            directory: Arc::new(Identities(keys.clone())),
            keys: Arc::new(keys),
            allowances: Arc::new(MemoryAllowances::new(clock.clone())),
            ids: BookingIds::new(&[7; 32]),
            service: SERVICE.parse().unwrap(),
            on_fault: |fault| panic!("{fault}"),
            operations: Operations::default(),
            pages: None,
            addresses: None,
            pause: Arc::new(NoPause),
        };
        change(&mut appview);
        Self {
            clock,
            network,
            random: CountingRandom::default(),
            router: appview.router(),
        }
    }

    /// A token of `did` for a method, signed by a key of this generation.
    pub(crate) fn token(&self, did: &str, method: &str, generation: u8) -> String {
        let minter = ServiceAuthMinter::new(did.parse().unwrap(), key(generation));
        self.minted(&minter, method)
    }

    /// A token that lives for so many seconds.
    pub(crate) fn token_of(&self, secs: u64, did: &str, method: &str) -> String {
        let minter = ServiceAuthMinter::new(did.parse().unwrap(), key(1));
        let minter = minter.with_lifetime(Duration::from_secs(secs)).unwrap();
        self.minted(&minter, method)
    }

    fn minted(&self, minter: &ServiceAuthMinter, method: &str) -> String {
        let (audience, method) = (SERVICE.parse().unwrap(), method.parse().unwrap());
        let token = minter.mint(&audience, &method, self.clock.now(), &self.random);
        token.as_str().to_owned()
    }

    /// Asks for a booking that does not exist.
    pub(crate) async fn ask(&self, from: Option<&str>, token: Option<&str>) -> Answer {
        let mut request = Request::get(QUERY);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(from) = from {
            let address: IpAddr = from.parse().unwrap();
            request.extensions_mut().insert(ClientAddress(address));
        }
        self.send(request).await
    }

    /// The same by somebody, in a request that the runtime has named.
    pub(crate) async fn ask_named(&self, name: RequestId, token: &str) -> Answer {
        let request = Request::get(QUERY);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.extension(name).body(Body::empty()).unwrap())
            .await
    }

    /// Sends a request without a body.
    pub(crate) async fn call(&self, method: Method, uri: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::builder().method(method).uri(uri);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a body to a method.
    pub(crate) async fn post(
        &self,
        method: &str,
        body: &serde_json::Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = Request::post(format!("/xrpc/{method}"));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Reads a page.
    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.call(Method::GET, uri, &[]).await
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.into()).unwrap(),
        }
    }
}
