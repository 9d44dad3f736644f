//! How long it takes to verify a token whose issuer's document is in the cache, and what that time
//! is made of.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use divan::Bencher;
use futures_util::FutureExt;
use huddle_identity::crypto::{Curve, PublicKey, SigningKey};
use huddle_identity::{
    Freshness, IdentityConfig, IdentityResolver, ReplayStore, ReplayStoreError, ServiceAuthConfig,
    ServiceAuthMinter, ServiceAuthVerifier, ServiceRef, SigningKeys,
};
use huddle_ports::{
    Clock, DnsError, DnsTxt, Fetch, FetchError, HeaderMap, MemoryCache, Random, Request, Response,
    StatusCode, Timestamp,
};
use huddle_syntax::{Did, Nsid};

fn main() {
    divan::main();
}

const ANA: &str = "did:plc:anaanaanaanaanaanaanaana";
const CURVES: [Curve; 2] = [Curve::K256, Curve::P256];

/// Noon for ever, sevens for randomness, and a directory with Ana alone.
struct World(PublicKey);

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_767_268_800_000)
    }
}

impl Random for World {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

#[async_trait]
impl Fetch for World {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let key = self.0.to_multikey();
        let body = format!(
            r##"{{
                "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
                "id": "{ANA}",
                "alsoKnownAs": ["at://ana.example.com"],
                "verificationMethod": [{{"id": "{ANA}#atproto", "type": "Multikey", "controller": "{ANA}", "publicKeyMultibase": "{key}"}}],
                "service": [{{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "https://pds.example.com"}}]
            }}"##
        );
        Ok(Response {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.into(),
            final_url: request.url,
        })
    }
}

#[async_trait]
impl DnsTxt for World {
    async fn txt(&self, _: &str, _: Duration) -> Result<Vec<String>, DnsError> {
        Ok(Vec::new())
    }
}

/// Every use is the first, so that one token can be verified again and again.
#[async_trait]
impl ReplayStore for World {
    async fn first_use(
        &self,
        _: &Did,
        _: &str,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<bool, ReplayStoreError> {
        Ok(true)
    }
}

fn key(curve: Curve) -> SigningKey {
    SigningKey::from_bytes(curve, &[7; 32]).expect("a key")
}

fn service() -> ServiceRef {
    "did:web:huddle.example.com#huddle_appview"
        .parse()
        .expect("a service")
}

fn method() -> Nsid {
    "com.huddle.listOffers".parse().expect("an NSID")
}

fn setup(curve: Curve) -> (Arc<World>, IdentityResolver) {
    let world = Arc::new(World(key(curve).public_key()));
    let cache = Arc::new(MemoryCache::new(world.clone()));
    let config = IdentityConfig::default();
    let resolver =
        IdentityResolver::new(world.clone(), world.clone(), cache, world.clone(), config);
    (world, resolver)
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing here waits")
}

#[divan::bench(args = CURVES)]
fn verify_token_of_cached_issuer(bencher: Bencher<'_, '_>, curve: Curve) {
    let (world, resolver) = setup(curve);
    let config = ServiceAuthConfig::new(&service());
    let verifier =
        ServiceAuthVerifier::new(Arc::new(resolver), world.clone(), world.clone(), config);
    let did: Did = ANA.parse().expect("a DID");
    let minter = ServiceAuthMinter::new(did.into(), key(curve));
    let (method, token) = (
        method(),
        minter.mint(&service(), &method(), world.now(), &*world),
    );
    now(verifier.verify(token.as_str(), &method)).expect("the token is good");
    bencher.bench_local(|| now(verifier.verify(token.as_str(), &method)).expect("still good"));
}

#[divan::bench(args = CURVES)]
fn signing_key_from_cache(bencher: Bencher<'_, '_>, curve: Curve) {
    let (_, resolver) = setup(curve);
    let did = ANA.parse().expect("a DID");
    let ask = || now(resolver.signing_key(&did, "atproto", Freshness::Cached)).expect("known");
    ask();
    bencher.bench_local(ask);
}

#[divan::bench(args = CURVES)]
fn verify_signature(bencher: Bencher<'_, '_>, curve: Curve) {
    let (public, signature) = (key(curve).public_key(), key(curve).sign(&[1; 300]));
    bencher.bench_local(|| public.verify(&[1; 300], &signature).expect("valid"));
}

#[divan::bench(args = CURVES)]
fn mint_token(bencher: Bencher<'_, '_>, curve: Curve) {
    let (world, _) = setup(curve);
    let did: Did = ANA.parse().expect("a DID");
    let minter = ServiceAuthMinter::new(did.into(), key(curve));
    let (service, method) = (service(), method());
    bencher.bench_local(|| minter.mint(&service, &method, world.now(), &*world));
}

#[divan::bench(args = CURVES)]
fn refuse_token_for_another_method(bencher: Bencher<'_, '_>, curve: Curve) {
    let (world, resolver) = setup(curve);
    let config = ServiceAuthConfig::new(&service());
    let verifier =
        ServiceAuthVerifier::new(Arc::new(resolver), world.clone(), world.clone(), config);
    let did: Did = ANA.parse().expect("a DID");
    let minter = ServiceAuthMinter::new(did.into(), key(curve));
    let other = "com.huddle.match".parse().expect("an NSID");
    let token = minter.mint(&service(), &method(), world.now(), &*world);
    bencher.bench_local(|| now(verifier.verify(token.as_str(), &other)).expect_err("another"));
}
