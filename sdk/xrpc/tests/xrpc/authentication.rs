//! Who is calling.

use std::sync::Arc;

use crate::support::{Answer, Ask, Faults, ListNotes, Notes, router};
use async_trait::async_trait;
use http::request::Parts;
use huddle_identity::crypto::{Curve, PublicKey, SigningKey};
use huddle_identity::{
    Freshness, IdentityError, MemoryReplayStore, ServiceAuthConfig, ServiceAuthMinter,
    ServiceAuthVerifier, SigningKeys,
};
use huddle_ports::{Clock, Random, Timestamp};
use huddle_syntax::{Did, Nsid};
use huddle_xrpc::RateLimit;
use huddle_xrpc::server::{
    Admitted, AuthError, Authenticate, Caller, Reply, Request, Router, bearer_token,
};

const LIST: &str = "/xrpc/com.example.listNotes?author=did:web:a.example";
const SERVICE: &str = "did:web:notes.example#notes";
pub(crate) const ALICE: &str = "did:plc:z72i7hdynmk6r22z27h6tvur";

fn now() -> Timestamp {
    Timestamp::from_millis(1_767_268_800_000)
}

struct Fixed(u8);

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        now()
    }
}

struct Keys(PublicKey);

#[async_trait]
impl SigningKeys for Keys {
    async fn signing_key(
        &self,
        did: &Did,
        _: &str,
        _: Freshness,
    ) -> Result<PublicKey, IdentityError> {
        if did.as_str() == ALICE {
            Ok(self.0.clone())
        } else {
            Err(IdentityError::NotFound)
        }
    }
}

fn key() -> SigningKey {
    SigningKey::generate(Curve::K256, &Fixed(7))
}

/// A token for `method` that only its `nonce` tells from others.
fn token(audience: &str, method: &str, nonce: u8) -> String {
    let minter = ServiceAuthMinter::new(ALICE.parse().unwrap(), key());
    let audience = audience.parse().unwrap();
    minter
        .mint(&audience, &method.parse().unwrap(), now(), &Fixed(nonce))
        .as_str()
        .to_owned()
}

fn verifier() -> ServiceAuthVerifier {
    ServiceAuthVerifier::new(
        Arc::new(Keys(key().public_key())),
        Arc::new(MemoryReplayStore::default()),
        Arc::new(Stopped),
        ServiceAuthConfig::new(&SERVICE.parse().unwrap()),
    )
}

/// A method that tells who is calling: `whoever` may be anonymous.
fn who(whoever: bool) -> Router<()> {
    router().query(move |_, request: Request<ListNotes>| async move {
        let reply: Reply<ListNotes> = match &request.caller {
            None if whoever => Ok(Notes::of(["nobody"]).into()),
            _ => {
                let did = request.caller()?.did.to_string();
                Ok(Notes::of([&*did]).into())
            }
        };
        reply
    })
}

async fn ask(authorization: &str) -> Answer {
    let router = who(true).authenticate(verifier());
    Ask::get(LIST)
        .header("authorization", authorization)
        .of(router)
        .await
}

const ALICE_IS_CALLING: &str = r#"{"notes":[{"text":"did:plc:z72i7hdynmk6r22z27h6tvur"}]}"#;
const NOBODY_IS_CALLING: &str = r#"{"notes":[{"text":"nobody"}]}"#;

#[tokio::test]
async fn a_verified_caller_reaches_the_handler() {
    let audiences = [SERVICE, "did:web:notes.example"];
    for (scheme, (nonce, audience)) in ["Bearer", "bearer"].into_iter().zip((0..).zip(audiences)) {
        let token = token(audience, "com.example.listNotes", nonce);
        ask(&format!("{scheme} {token}"))
            .await
            .expect_json(ALICE_IS_CALLING);
    }
}

#[tokio::test]
async fn a_method_may_ask_for_a_caller() {
    let answer = Ask::get(LIST).of(who(true).authenticate(verifier())).await;
    answer.expect_json(NOBODY_IS_CALLING);
    let answer = Ask::get(LIST).of(who(false).authenticate(verifier())).await;
    answer.expect_error(401, "AuthenticationRequired", "Authentication required");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[track_caller]
fn expect_bad_credentials(answer: &Answer, name: &str, message: &str) {
    answer.expect_error(401, name, message);
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer error="invalid_token""#)
    );
}

#[tokio::test]
async fn credentials_that_are_not_valid_are_refused_though_none_are_needed() {
    let other_method = token(SERVICE, "com.example.putNotes", 1);
    let answer = ask(&format!("Bearer {other_method}")).await;
    expect_bad_credentials(
        &answer,
        "BadJwtLexiconMethod",
        "the token is for another method",
    );

    let other_service = token("did:web:other.example", "com.example.listNotes", 2);
    let answer = ask(&format!("Bearer {other_service}")).await;
    expect_bad_credentials(
        &answer,
        "BadJwtAudience",
        "the token is for another audience",
    );

    let answer = ask("Bearer x.y.z").await;
    expect_bad_credentials(&answer, "BadJwt", "poorly formed token");

    for authorization in [
        "Basic YTpi",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "DPoP x.y.z",
        "",
    ] {
        let answer = ask(authorization).await;
        let message = "Authorization must be a Bearer token";
        expect_bad_credentials(&answer, "AuthenticationRequired", message);
    }
}

#[tokio::test]
async fn several_authorization_headers_are_refused() {
    let good = format!("Bearer {}", token(SERVICE, "com.example.listNotes", 3));
    let answer = Ask::get(LIST)
        .header("authorization", &good)
        .header("authorization", &good);
    let answer = answer.of(who(true).authenticate(verifier())).await;
    expect_bad_credentials(
        &answer,
        "AuthenticationRequired",
        "Several Authorization headers",
    );
}

#[tokio::test]
async fn a_token_is_good_once() {
    let router = who(true).authenticate(verifier()).into_axum();
    let bearer = format!("Bearer {}", token(SERVICE, "com.example.listNotes", 4));
    let ask = Ask::get(LIST).header("authorization", &bearer);
    ask.clone()
        .of_axum(router.clone())
        .await
        .expect_json(ALICE_IS_CALLING);
    let answer = ask.of_axum(router).await;
    expect_bad_credentials(&answer, "JwtReplayed", "the token has been used before");
}

#[tokio::test]
async fn without_authentication_nobody_is_calling() {
    let ask = Ask::get(LIST).header("authorization", "Bearer whatever");
    ask.of(who(true)).await.expect_json(NOBODY_IS_CALLING);
}

/// An authentication of another kind, which can fail in every way.
pub(crate) struct Scripted;

#[async_trait]
impl Authenticate for Scripted {
    async fn authenticate(&self, nsid: &Nsid, request: &Parts) -> Result<Admitted, AuthError> {
        match bearer_token(&request.headers)? {
            None => Ok(Admitted::default()),
            Some("limited") => Err(AuthError::Limited {
                retry_after_secs: 7,
                rate_limit: Some(left(0)),
            }),
            Some("anonymous") => Ok(Admitted {
                caller: None,
                rate_limit: Some(left(9)),
            }),
            Some("unavailable") => Err(AuthError::Unavailable),
            Some("fault") => Err(AuthError::Fault("the session store is gone".into())),
            Some(did) => {
                let caller = Caller {
                    did: did.parse().unwrap(),
                    service: None,
                    lxm: nsid.clone(),
                    expires: now(),
                };
                Ok(Some(caller).into())
            }
        }
    }
}

fn left(remaining: u64) -> RateLimit {
    RateLimit {
        limit: 60,
        remaining,
        reset_secs: 1_767_268_807,
        window_secs: Some(30),
    }
}

#[tokio::test]
async fn whatever_is_answered_says_how_many_more_requests_may_follow() {
    let panics = router().query(|_, request: Request<ListNotes>| async move {
        assert!(request.params.limit.is_none(), "a panic");
        request.caller()?;
        Ok(Notes::of(["a"]).into())
    });
    for (router, uri, token, status, remaining) in [
        (who(true), LIST.to_owned(), "anonymous", 200, "9"),
        (who(false), LIST.to_owned(), "anonymous", 401, "9"),
        (who(true), format!("{LIST}&limit=no"), "anonymous", 400, "9"),
        (panics, format!("{LIST}&limit=1"), "anonymous", 500, "9"),
        (who(true), LIST.to_owned(), "limited", 429, "0"),
    ] {
        let ask = Ask::get(&uri).header("authorization", &format!("Bearer {token}"));
        let answer = ask.of(router.authenticate(Scripted)).await;
        assert_eq!(answer.status, status);
        for (name, expect) in [
            ("ratelimit-limit", "60"),
            ("ratelimit-remaining", remaining),
            ("ratelimit-reset", "1767268807"),
            ("ratelimit-policy", "60;w=30"),
        ] {
            assert_eq!(answer.header(name), Some(expect), "{status}");
        }
    }
    let answer = Ask::get(LIST).of(who(true).authenticate(Scripted)).await;
    assert_eq!(answer.header("ratelimit-limit"), None, "nobody counts");
}

#[tokio::test]
async fn authentication_may_be_of_another_kind_and_may_itself_fail() {
    let faults = Faults::default();
    let router = faults
        .of(who(true).authenticate(Arc::new(Scripted)))
        .into_axum();
    let ask = |token| {
        let ask = Ask::get(LIST).header("authorization", &format!("Bearer {token}"));
        ask.of_axum(router.clone())
    };
    ask(ALICE).await.expect_json(ALICE_IS_CALLING);
    let message = "The caller cannot be verified now";
    ask("unavailable")
        .await
        .expect_error(503, "NotEnoughResources", message);
    let limited = ask("limited").await;
    limited.expect_error(429, "RateLimitExceeded", "Rate limit exceeded");
    assert_eq!(limited.headers["retry-after"], "7");
    assert!(faults.take().is_empty());
    let message = "Internal server error";
    ask("fault")
        .await
        .expect_error(500, "InternalServerError", message);
    assert_eq!(
        faults.take(),
        ["com.example.listNotes: the session store is gone"]
    );
}

#[tokio::test]
async fn who_is_calling_is_asked_before_anything_of_the_body_is_read() {
    let router = crate::support::echo().authenticate(Scripted).into_axum();
    let body = futures_util::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("")) });
    let request = http::Request::post("/xrpc/com.example.putNotes")
        .header("content-type", "application/json")
        .header("authorization", "Bearer unavailable")
        .body(axum::body::Body::from_stream(body))
        .unwrap();
    assert_eq!(Answer::of(router.clone(), request).await.status, 503);
    // And what the headers alone rule out costs no look-up of a caller.
    let ask = Ask::post("/xrpc/com.example.putNotes").header("authorization", "Bearer unavailable");
    let too_long = ask
        .clone()
        .header("content-type", "application/json")
        .body(vec![b' '; 300_000]);
    assert_eq!(too_long.of_axum(router.clone()).await.status, 413);
    assert_eq!(ask.body("{}").of_axum(router).await.status, 415);
}

#[tokio::test]
async fn merged_methods_keep_their_own_authentication() {
    let open = router().procedure(|_, _: Request<crate::support::Ping>| async { Ok(().into()) });
    let both = who(false).authenticate(Scripted).merge(open).into_axum();
    let answer = Ask::post("/xrpc/com.example.ping").header("authorization", "Basic x");
    assert_eq!(answer.of_axum(both.clone()).await.status, 200);
    let answer = Ask::get(LIST).header("authorization", "Basic x");
    assert_eq!(answer.of_axum(both).await.status, 401);
}
