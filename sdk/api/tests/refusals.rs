//! What methods refuse, and when, whatever stands behind them.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode, header};
use huddle_api::{Arrived, Huddle};
use huddle_core::Limits;
use huddle_core::booking::BookingIds;
use huddle_core::directory::{Directory, DirectoryError};
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_core::offer_records::{NobodySignsIn, OfferRecords, WriteFailed, WriteRefused};
use huddle_core::pause::Pause;
use huddle_identity::Caller;
use huddle_native::{ActorStore, SqliteIndex};
use huddle_ports::{NoMetrics, Timestamp};
use huddle_syntax::data::Map;
use huddle_syntax::{AtIdentifier, AtUri, Cid, Did, Nsid};
use huddle_testkit::{ListedWindows, SteppingClock};
use huddle_xrpc::server::{Admitted, AuthError, Authenticate};
use tower::ServiceExt as _;

const NOW: Timestamp = Timestamp::from_millis(1_767_268_800_000);

/// Whoever calls is Ada.
struct Ada;

#[async_trait]
impl Authenticate for Ada {
    async fn authenticate(&self, nsid: &Nsid, _: &Parts) -> Result<Admitted, AuthError> {
        let caller = Caller {
            did: "did:web:ada.example.com".parse().unwrap(),
            service: None,
            lxm: nsid.clone(),
            expires: Timestamp::MAX,
        };
        Ok(Some(caller).into())
    }
}

/// Nobody is anywhere.
struct Nobody;

#[async_trait]
impl Directory for Nobody {
    async fn find(&self, _: &AtIdentifier) -> Result<Option<Did>, DirectoryError> {
        Ok(None)
    }
}

/// Writes nothing, for this reason.
struct Refusing(WriteRefused);

#[async_trait]
impl OfferRecords for Refusing {
    async fn create(
        &self,
        _: &Key,
        _: &Nsid,
        _: &Map,
    ) -> Result<Result<(AtUri, Cid), WriteRefused>, WriteFailed> {
        Ok(Err(self.0))
    }

    async fn delete(&self, _: &Key, _: &AtUri) -> Result<Result<(), WriteRefused>, WriteFailed> {
        Ok(Err(self.0))
    }
}

/// Notes until when it should have waited.
#[derive(Default)]
struct Noted(Mutex<Vec<Timestamp>>);

#[async_trait]
impl Pause for Noted {
    async fn until(&self, moment: Timestamp) {
        self.0.lock().unwrap().push(moment);
    }
}

/// What answers: at the time of this clock, with offers that are written like this.
fn router(
    clock: Arc<SteppingClock>,
    pause: Arc<Noted>,
    offers: Arc<dyn OfferRecords>,
) -> axum::Router {
    let limits = Limits::default();
    let actors = ActorStore::in_memory(clock.clone(), limits.clone()).unwrap();
    let (actors, windows) = (Arc::new(actors), Arc::new(ListedWindows::default()));
    let limits = Arc::new(limits);
    let flows = Flows::new(actors.clone(), windows.clone(), clock.clone(), limits);
    let huddle = Huddle {
        flows: flows.in_step(pause),
        actors,
        index: Arc::new(SqliteIndex::in_memory().unwrap()),
        slots: windows,
        directory: Arc::new(Nobody),
        offers,
        ids: BookingIds::new(&[7; 32]),
        service: "did:web:huddle.example.com".parse().unwrap(),
        clock,
        metrics: Arc::new(NoMetrics),
        pages: None,
        addresses: None,
        webhooks: None,
    };
    let router = huddle.router().authenticate(Ada);
    router.on_fault(|fault| panic!("{fault}")).into_axum()
}

/// The status and the text of what a request is answered with that arrived at `NOW`.
async fn answer(router: axum::Router, mut request: Request<Body>) -> (StatusCode, String) {
    request.extensions_mut().insert(Arrived(NOW));
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn that_no_slot_is_listed_is_told_in_step() {
    for (took, step_millis) in [(0, 250), (250, 250), (251, 500)] {
        let clock = Arc::new(SteppingClock::at(NOW));
        let noted = Arc::new(Noted::default());
        let router = router(clock.clone(), noted.clone(), Arc::new(NobodySignsIn));
        clock.step(Duration::from_millis(took));
        let uri = "/xrpc/com.huddle.listSlots?hostDid=did:web:bob.example.com";
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let (status, answer) = answer(router, request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer.contains(r#""error":"NoSlot""#), "{answer}");
        let due = NOW + Duration::from_millis(step_millis);
        assert_eq!(*noted.0.lock().unwrap(), [due], "{took} ms");
    }
}

const CREATE: (&str, &str) = (
    "com.huddle.createOffer",
    r#"{"idempotencyKey": "k", "record": {"$type": "com.huddle.slotOffer", "start": "2026-03-01T09:00:00Z",
    "end": "2026-03-01T10:00:00Z", "policy": "anyone", "createdAt": "2026-01-01T12:00:00Z"}}"#,
);

const DELETE: (&str, &str) = (
    "com.huddle.deleteOffer",
    r#"{"idempotencyKey": "k", "uri": "at://did:web:ada.example.com/com.huddle.slotOffer/3kaaaaaaaaa22"}"#,
);

#[tokio::test]
async fn why_an_offer_is_not_written_is_said_by_name() {
    let in_flight = WriteRefused::InFlight {
        retry_at: NOW + Duration::from_secs(30),
    };
    for ((method, body), refused, expect) in [
        (CREATE, WriteRefused::NoAccess, "NoRepoAccess"),
        (CREATE, WriteRefused::Unavailable, "RepoUnavailable"),
        (CREATE, WriteRefused::NotFound, "RepoUnavailable"),
        (CREATE, WriteRefused::Mismatch, "IdempotencyMismatch"),
        (CREATE, in_flight, "IdempotencyInFlight"),
        (DELETE, WriteRefused::NoAccess, "NoRepoAccess"),
        (DELETE, WriteRefused::Unavailable, "RepoUnavailable"),
        (DELETE, WriteRefused::NotFound, "OfferNotFound"),
        (DELETE, WriteRefused::Mismatch, "IdempotencyMismatch"),
        (DELETE, in_flight, "IdempotencyInFlight"),
    ] {
        let clock = Arc::new(SteppingClock::at(NOW));
        let router = router(clock, Arc::default(), Arc::new(Refusing(refused)));
        let request = Request::post(format!("/xrpc/{method}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        let (status, answer) = answer(router, request.unwrap()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        let error = format!(r#""error":"{expect}""#);
        assert!(answer.contains(&error), "{method}: {answer}");
    }
}
