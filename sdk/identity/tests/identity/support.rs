//! Ports that do as they are told and count what they were asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use huddle_identity::crypto::{Curve, PublicKey, SigningKey};
use huddle_identity::{IdentityConfig, IdentityResolver};
use huddle_ports::{
    Clock, DnsError, DnsTxt, Fetch, FetchError, HeaderMap, MemoryCache, Random, Request, Response,
    StatusCode, Timestamp, Url,
};
use huddle_syntax::Did;
use serde_json::{Value, json};

/// 2026-01-01T12:00:00Z.
pub(crate) const NOON_SECS: i64 = 1_767_268_800;

pub(crate) const ANA: &str = "did:plc:anaanaanaanaanaanaanaana";
pub(crate) const BOB: &str = "did:plc:bobbobbobbobbobbobbobbob";

pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::Relaxed);
    }

    pub(crate) fn set_back(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_sub(millis, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Bytes that differ each time and are the same in each run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let n = self.0.fetch_add(1, Ordering::Relaxed);
            *byte = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        }
    }
}

/// What a URL answers.
#[derive(Clone)]
pub(crate) enum Page {
    Is(u16, Vec<u8>),
    /// The same after redirects to this URL.
    At(&'static str, Vec<u8>),
    /// The same, at the last moment that the request leaves for it.
    Slow(Vec<u8>),
    Fails(FetchError),
}

/// The whole Internet, and what was asked of it.
pub(crate) struct Web {
    clock: Arc<TestClock>,
    pages: Mutex<HashMap<String, Page>>,
    asked: Mutex<Vec<Request>>,
}

impl Web {
    fn new(clock: Arc<TestClock>) -> Self {
        Self {
            clock,
            pages: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    pub(crate) fn put(&self, url: &str, page: Page) {
        self.pages.lock().unwrap().insert(url.to_owned(), page);
    }

    pub(crate) fn put_document(&self, did: &str, document: &Value) {
        let url = format!("https://plc.directory/{did}");
        self.put(&url, Page::Is(200, document.to_string().into_bytes()));
    }

    /// The URLs that were asked since this was last asked.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked
            .into_iter()
            .map(|request| request.url.into())
            .collect()
    }

    pub(crate) fn last(&self) -> Request {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

#[async_trait]
impl Fetch for Web {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let page = self
            .pages
            .lock()
            .unwrap()
            .get(request.url.as_str())
            .cloned();
        self.asked.lock().unwrap().push(request.clone());
        tokio::task::yield_now().await;
        let (status, body, final_url) = match page {
            None => (404, Vec::new(), request.url),
            Some(Page::Is(status, body)) => (status, body, request.url),
            Some(Page::At(url, body)) => (200, body, Url::parse(url).unwrap()),
            Some(Page::Slow(body)) => {
                self.clock.advance(request.limits.timeout);
                (200, body, request.url)
            }
            Some(Page::Fails(error)) => return Err(error),
        };
        if body.len() > request.limits.max_response_bytes {
            let limit = request.limits.max_response_bytes;
            return Err(FetchError::TooLarge { limit });
        }
        Ok(Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
            final_url,
        })
    }
}

pub(crate) struct Dns {
    clock: Arc<TestClock>,
    records: Mutex<HashMap<String, Result<Vec<String>, DnsError>>>,
    asked: Mutex<Vec<String>>,
}

impl Dns {
    fn new(clock: Arc<TestClock>) -> Self {
        Self {
            clock,
            records: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    pub(crate) fn put(&self, name: &str, records: &[&str]) {
        let records = records.iter().map(ToString::to_string).collect();
        self.records
            .lock()
            .unwrap()
            .insert(name.to_owned(), Ok(records));
    }

    pub(crate) fn fail(&self, name: &str, error: DnsError) {
        self.records
            .lock()
            .unwrap()
            .insert(name.to_owned(), Err(error));
    }

    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

#[async_trait]
impl DnsTxt for Dns {
    async fn txt(&self, name: &str, timeout: Duration) -> Result<Vec<String>, DnsError> {
        self.asked.lock().unwrap().push(name.to_owned());
        let answer = self.records.lock().unwrap().get(name).cloned();
        if answer == Some(Err(DnsError::Timeout)) {
            self.clock.advance(timeout);
        }
        answer.unwrap_or(Ok(Vec::new()))
    }
}

/// A resolver and the ports under it.
pub(crate) struct Setup {
    pub(crate) web: Arc<Web>,
    pub(crate) dns: Arc<Dns>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) cache: Arc<MemoryCache>,
    pub(crate) resolver: IdentityResolver,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self::with(IdentityConfig::default())
    }

    pub(crate) fn with(config: IdentityConfig) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(NOON_SECS * 1000)));
        let web = Arc::new(Web::new(clock.clone()));
        let dns = Arc::new(Dns::new(clock.clone()));
        let cache = Arc::new(MemoryCache::new(clock.clone()));
        let resolver = IdentityResolver::new(
            web.clone(),
            dns.clone(),
            cache.clone(),
            clock.clone(),
            config,
        );
        Self {
            web,
            dns,
            clock,
            cache,
            resolver,
        }
    }
}

pub(crate) fn did(text: &str) -> Did {
    text.parse().unwrap()
}

/// The `n`th key of a curve.
pub(crate) fn key(curve: Curve, n: u8) -> SigningKey {
    SigningKey::from_bytes(curve, &[n; 32]).unwrap()
}

/// A document as the directory gives it.
pub(crate) fn document(did: &str, handle: &str, key: &PublicKey) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [format!("at://{handle}")],
        "verificationMethod": [{
            "id": format!("{did}#atproto"),
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": key.to_multikey(),
        }],
        "service": [{
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": "https://pds.example.com",
        }],
    })
}
