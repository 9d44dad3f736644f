//! Service auth: tokens that must pass, tokens that must not, and what looking at them costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::join_all;
use huddle_identity::crypto::{Curve, PublicKey, SigningKey};
use huddle_identity::{
    Caller, Freshness, IdentityError, MemoryReplayStore, ReplayLimits, ReplayStore,
    ReplayStoreError, ServiceAuthConfig, ServiceAuthError, ServiceAuthMinter, ServiceAuthVerifier,
    SigningKeys,
};
use huddle_ports::{Clock, FetchError, StatusCode, Timestamp};
use huddle_syntax::{Did, Nsid};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{ANA, BOB, Counting, NOON_SECS, Page, Setup, did, document, key};

const SERVICE: &str = "did:web:huddle.example.com#huddle_appview";
const METHOD: &str = "com.huddle.listOffers";
const ANA_URL: &str = "https://plc.directory/did:plc:anaanaanaanaanaanaanaana";
const SECOND: Duration = Duration::from_secs(1);

fn config() -> ServiceAuthConfig {
    ServiceAuthConfig::new(&SERVICE.parse().unwrap())
}

fn method() -> Nsid {
    METHOD.parse().unwrap()
}

fn ana_key() -> SigningKey {
    key(Curve::K256, 1)
}

/// The world with Ana in it, and a verifier.
fn setup() -> (Setup, ServiceAuthVerifier) {
    setup_with(config())
}

fn setup_with(config: ServiceAuthConfig) -> (Setup, ServiceAuthVerifier) {
    let setup = Setup::new();
    let mut json = document(ANA, "ana.example.com", &ana_key().public_key());
    let labeler = json!({
        "id": "#atproto_label",
        "type": "Multikey",
        "controller": ANA,
        "publicKeyMultibase": key(Curve::K256, 77).public_key().to_multikey(),
    });
    json["verificationMethod"]
        .as_array_mut()
        .unwrap()
        .push(labeler);
    setup.web.put_document(ANA, &json);
    let verifier = ServiceAuthVerifier::new(
        Arc::new(setup.resolver.clone()),
        Arc::new(MemoryReplayStore::default()),
        setup.clock.clone(),
        config,
    );
    (setup, verifier)
}

fn header() -> Value {
    json!({"typ": "JWT", "alg": "ES256K"})
}

/// What a PDS says when it proxies a call of Ana's.
fn claims() -> Value {
    json!({
        "iat": NOON_SECS,
        "iss": ANA,
        "aud": "did:web:huddle.example.com",
        "exp": NOON_SECS + 60,
        "lxm": METHOD,
        "jti": "0123456789abcdef0123456789abcdef",
    })
}

/// `claims` with one of them replaced, or left out.
fn with(name: &str, value: impl Into<Option<Value>>) -> Value {
    let mut claims = claims();
    match value.into() {
        Some(value) => claims[name] = value,
        None => {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    claims
}

fn signed(header: &str, payload: &str, key: &SigningKey) -> String {
    let input = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(payload.as_bytes())
    );
    let signature = BASE64URL_NOPAD.encode(&key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// A token of Ana's that says `claims`.
fn token(claims: &Value) -> String {
    signed(&header().to_string(), &claims.to_string(), &ana_key())
}

/// A token of Ana's under another header.
fn headed(header: &Value) -> String {
    signed(&header.to_string(), &claims().to_string(), &ana_key())
}

async fn verify(token: &str) -> Result<Caller, ServiceAuthError> {
    let (_, verifier) = setup();
    verifier.verify(token, &method()).await
}

#[tokio::test]
async fn a_token_of_a_pds_says_who_is_calling() {
    let caller = verify(&token(&claims())).await.unwrap();
    let expect = Caller {
        did: did(ANA),
        service: None,
        lxm: method(),
        expires: Timestamp::from_secs(NOON_SECS + 60).unwrap(),
    };
    assert_eq!(caller, expect);
}

/// Ana's, by her key of K-256: made at noon by `createServiceJwt` of npm `@atproto/xrpc-server`
/// 0.13.2.
const REFERENCE_K256: &str = concat!(
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NksifQ.eyJpYXQiOjE3NjcyNjg4MDAsImlzcyI6ImRpZDpwbGM6YW5hY",
    "W5hYW5hYW5hYW5hYW5hYW5hYW5hIiwiYXVkIjoiZGlkOndlYjpodWRkbGUuZXhhbXBsZS5jb20iLCJleHAiOjE3N",
    "jcyNjg4NjAsImx4bSI6ImNvbS5odWRkbGUubGlzdE9mZmVycyIsImp0aSI6IjNmNzIxMTc2Mjg2ZGU4MzFmNDM0N",
    "jExMDZiMTYyNGFmIn0.gJyo3h23thlHcnNyNZX5CtLFoi7rcrIxXL1LDbJ-Fu4T5IWGutUdLVJ3vJbwm7Iccb28m",
    "4mJe7QoUIkrwK5_qA",
);

/// Bob's, by his key of P-256, made likewise.
const REFERENCE_P256: &str = concat!(
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJpYXQiOjE3NjcyNjg4MDAsImlzcyI6ImRpZDpwbGM6Ym9iYm9",
    "iYm9iYm9iYm9iYm9iYm9iYm9iIiwiYXVkIjoiZGlkOndlYjpodWRkbGUuZXhhbXBsZS5jb20iLCJleHAiOjE3Njc",
    "yNjg4NjAsImx4bSI6ImNvbS5odWRkbGUubGlzdE9mZmVycyIsImp0aSI6ImRjMzVmNDZmYzRmNWY1MmZjYzU2ZGY",
    "zMDM3NmYxYTdkIn0.pDLyc95Vuyfi9mtjz8B-ME3zHMx7jXQAQoL5MjY88rhPIuSuyU6uBcBUVNM5JsNbaZTMr4R",
    "Z5DVN9MPtH3KCbA",
);

#[tokio::test]
async fn tokens_of_the_reference_implementation_are_accepted() {
    let (setup, verifier) = setup();
    let json = document(BOB, "bob.example.com", &key(Curve::P256, 2).public_key());
    setup.web.put_document(BOB, &json);
    for (token, did) in [(REFERENCE_K256, ANA), (REFERENCE_P256, BOB)] {
        let caller = verifier.verify(token, &method()).await.unwrap();
        assert_eq!(caller.did.as_str(), did);
    }
}

#[tokio::test]
async fn forms_that_servers_send_are_accepted() {
    for token in [
        token(&with("aud", json!(SERVICE))),
        token(&with("iat", None)),
        token(&with("jti", None)),
        token(&with("nbf", json!(NOON_SECS))),
        token(&with("exp", json!(1_767_268_859.5))),
        token(&with("nonce", json!("unknown claims are passed over"))),
        token(&with("deep", json!([[[{"a": [1.5, null]}]]]))),
        headed(&json!({"alg": "ES256K"})),
        headed(&json!({"alg": "ES256K", "typ": "jwt"})),
        headed(&json!({"alg": "ES256K", "typ": "JWT", "kid": "#atproto"})),
        signed(
            " {\"alg\" : \"ES256K\"}\n",
            &format!(" {} ", claims()),
            &ana_key(),
        ),
    ] {
        verify(&token).await.expect(&token);
    }
}

#[tokio::test]
async fn both_curves_are_accepted_each_under_its_own_name() {
    for (curve, alg, expect) in [
        (Curve::P256, "ES256", Ok(())),
        (Curve::K256, "ES256K", Ok(())),
        (Curve::P256, "ES256K", Err(ServiceAuthError::Signature)),
        (Curve::K256, "ES256", Err(ServiceAuthError::Signature)),
    ] {
        let (setup, verifier) = setup();
        let key = key(curve, 3);
        let json = document(ANA, "ana.example.com", &key.public_key());
        setup.web.put_document(ANA, &json);
        let header = json!({"typ": "JWT", "alg": alg}).to_string();
        let token = signed(&header, &claims().to_string(), &key);
        let outcome = verifier.verify(&token, &method()).await;
        assert_eq!(outcome.map(drop), expect, "{alg}");
    }
}

/// Replaces the `nth` part of a token.
fn part(token: &str, nth: usize, with: &str) -> String {
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[nth] = with;
    parts.join(".")
}

/// That a token is refused, and why.
#[track_caller]
fn check(what: &str, token: impl AsRef<str>, expect: ServiceAuthError) {
    assert_eq!(run(verify(token.as_ref())), Err(expect), "{what}");
}

/// The same of a token of Ana's that is honest but for one claim.
#[track_caller]
fn check_claim(what: &str, name: &str, value: impl Into<Option<Value>>, expect: ServiceAuthError) {
    check(what, token(&with(name, value)), expect);
}

/// A token of Ana's with these bytes for claims.
fn raw(payload: &str) -> String {
    signed(&header().to_string(), payload, &ana_key())
}

/// The usual claims with one more member at the end.
fn and(member: &str) -> String {
    let payload = claims().to_string();
    format!("{},{member}}}", &payload[..payload.len() - 1])
}

fn encode(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

#[test]
fn what_has_not_the_form_of_a_token_is_refused() {
    let good = token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    for (what, token) in [
        ("nothing", String::new()),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("one part", parts[0].to_owned()),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{good}.x")),
        (
            "the five parts of an encrypted token",
            format!("{good}.x.x"),
        ),
        ("a space before", format!(" {good}")),
        ("a line break after", format!("{good}\n")),
        ("a NUL after", format!("{good}\0")),
        ("padding", format!("{good}==")),
        (
            "padding in the header",
            part(&good, 0, &format!("{}=", parts[0])),
        ),
        (
            "the other alphabet of base64",
            part(&good, 2, &"+/".repeat(43)),
        ),
        ("a character that is not ASCII", part(&good, 1, "é")),
        ("ten kilobytes", "x".repeat(10_000)),
        (
            "ten kilobytes of a claim",
            token(&with("x", json!("x".repeat(10_000)))),
        ),
        ("claims that are cut off", raw("{\"iss\":")),
        ("claims that are null", raw("null")),
        ("claims that are a list", raw("[]")),
        ("claims after a byte order mark", raw("\u{feff}{}")),
        (
            "claims with a thousand brackets",
            raw(&format!("{{\"a\":{}", "[".repeat(1000))),
        ),
        (
            "something after the claims",
            raw(&format!("{}{{}}", claims())),
        ),
        (
            "another issuer at the end",
            raw(&and(&format!("\"iss\":\"{BOB}\""))),
        ),
        (
            "the same issuer at the end",
            raw(&and(&format!("\"iss\":\"{ANA}\""))),
        ),
        (
            "an issuer in escapes at the end",
            raw(&and(&format!("\"\\u0069ss\":\"{BOB}\""))),
        ),
        ("an unknown claim twice", raw(&and("\"x\":1,\"x\":1"))),
    ] {
        check(what, token, ServiceAuthError::Malformed);
    }
}

#[test]
fn a_token_may_have_eight_kibibytes_and_no_more() {
    let padded = |n| token(&with("x", json!("x".repeat(n))));
    // Three characters more of a claim are four more of the token.
    let room = (8192 - padded(0).len()) / 4 * 3;
    let longest = padded(room);
    assert!((8189..=8192).contains(&longest.len()));
    run(verify(&longest)).expect("as long as it may be");
    check("three more", padded(room + 3), ServiceAuthError::Malformed);
}

#[test]
fn a_header_that_promises_something_else_is_refused() {
    use ServiceAuthError::{Malformed, Signature, Type};

    let payload = claims().to_string();
    for (what, header) in [
        ("not JSON", "{"),
        ("a list", "[]"),
        ("a text", "\"ES256K\""),
        ("nothing in it", "{}"),
        ("something after it", "{\"alg\":\"ES256K\"}{}"),
        ("two algorithms", "{\"alg\":\"none\",\"alg\":\"ES256K\"}"),
    ] {
        check(what, signed(header, &payload, &ana_key()), Malformed);
    }
    for alg in ["none", "None", "NONE", ""] {
        let header = json!({"typ": "JWT", "alg": alg}).to_string();
        let token = format!("{}.{}.", encode(&header), encode(&payload));
        check("no algorithm, no signature", token, Malformed);
    }
    for alg in [
        json!("none"),
        json!("HS256"),
        json!("RS256"),
        json!("ES384"),
        json!("EdDSA"),
        json!("es256k"),
        json!("ES256K "),
        json!(["ES256K"]),
        json!(null),
        json!(256),
    ] {
        check(&alg.to_string(), headed(&json!({"alg": alg})), Malformed);
    }
    check(
        "the algorithm of the other curve",
        headed(&json!({"alg": "ES256"})),
        Signature,
    );
    let unencoded = json!({"alg": "ES256K", "crit": ["b64"], "b64": false});
    check("a critical extension", headed(&unencoded), Malformed);
    let typed = |typ: Value| headed(&json!({"alg": "ES256K", "typ": typ}));
    check("a type that is a number", typed(json!(1)), Malformed);
    check("a type that is null", typed(json!(null)), Malformed);
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "refresh+jwt",
        "dpop+jwt",
        "DPoP+JWT",
        "oauth-authz-req+jwt",
        "client-authentication+jwt",
    ] {
        check(typ, typed(json!(typ)), Type);
    }
}

#[test]
fn an_issuer_that_cannot_call_is_refused() {
    use ServiceAuthError::{Issuer, Malformed};

    check_claim("none", "iss", None, Malformed);
    check_claim("a number", "iss", json!(1), Malformed);
    check_claim("a list", "iss", json!([ANA]), Malformed);
    for issuer in [
        "",
        "ana.example.com",
        "at://did:plc:anaanaanaanaanaanaanaana",
        "https://pds.example.com",
        "did:plc:anaanaanaanaanaanaanaana ",
        "did:plc:ANAANAANAANAANAANAANAANA",
        // Methods that are not resolved, and a key that would vouch for itself.
        "did:example:ana",
        "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc",
        // Hosts that must not be asked.
        "did:web:localhost%3A80",
        "did:web:169.254.169.254",
        "did:web:intranet",
        "did:web:ana.example.com:path",
        // Nobody.
        BOB,
        // Services, none of which may call here.
        "did:plc:anaanaanaanaanaanaanaana#atproto_labeler",
        "did:plc:anaanaanaanaanaanaanaana#atproto",
        "did:plc:anaanaanaanaanaanaanaana#",
        "did:plc:anaanaanaanaanaanaanaana#a#b",
    ] {
        check_claim(issuer, "iss", json!(issuer), Issuer);
    }
}

#[test]
fn a_token_for_somebody_or_something_else_is_refused() {
    use ServiceAuthError::{Audience, LexiconMethod, Malformed};

    check_claim("no audience", "aud", None, Malformed);
    check_claim("several audiences", "aud", json!([SERVICE]), Malformed);
    for audience in [
        "",
        "*",
        "did:web:other.example.com",
        "did:web:huddle.example.com#other",
        "did:web:huddle.example.com#",
        "did:web:huddle.example.com#huddle_appview2",
        "did:web:huddle.example.com.evil.com",
        "did:web:HUDDLE.example.com",
        "https://huddle.example.com",
        ANA,
    ] {
        check_claim(audience, "aud", json!(audience), Audience);
    }

    check_claim("no method", "lxm", None, LexiconMethod);
    check_claim("a method that is null", "lxm", json!(null), Malformed);
    check_claim("a list of methods", "lxm", json!([METHOD]), Malformed);
    for method in [
        "",
        "*",
        "com.huddle.*",
        "com.huddle.deleteOffer",
        "com.huddle.listoffers",
    ] {
        check_claim(method, "lxm", json!(method), LexiconMethod);
    }
}

#[test]
fn a_token_of_another_time_is_refused() {
    use ServiceAuthError::{Expired, LifetimeTooLong, Malformed, NotYetValid};

    check_claim("no expiry", "exp", None, Malformed);
    check_claim("null", "exp", json!(null), Malformed);
    check_claim("a text", "exp", json!("1767268860"), Malformed);
    check_claim("before all time", "exp", json!(-1), Malformed);
    check_claim("after all time", "exp", json!(u64::MAX), Malformed);
    check_claim(
        "after all time, in floating point",
        "exp",
        json!(1e300),
        Malformed,
    );
    check_claim(
        "milliseconds",
        "exp",
        json!((NOON_SECS + 60) * 1000),
        Malformed,
    );
    let infinite = claims()
        .to_string()
        .replace(&(NOON_SECS + 60).to_string(), "1e999");
    check("no number", raw(&infinite), Malformed);

    check_claim("just expired", "exp", json!(NOON_SECS - 30), Expired);
    check_claim("expired long ago", "exp", json!(0), Expired);
    check_claim("an hour", "exp", json!(NOON_SECS + 3600), LifetimeTooLong);
    check_claim(
        "the end of a long life",
        "iat",
        json!(NOON_SECS - 3600),
        LifetimeTooLong,
    );
    check_claim(
        "issued in the future",
        "iat",
        json!(NOON_SECS + 31),
        NotYetValid,
    );
    check_claim("issued at a text", "iat", json!("now"), Malformed);
    check_claim("valid later", "nbf", json!(NOON_SECS + 31), NotYetValid);
    check_claim("valid from an object", "nbf", json!({}), Malformed);

    check_claim("an empty nonce", "jti", json!(""), Malformed);
    check_claim("a nonce that is a number", "jti", json!(1), Malformed);
    check_claim("a long nonce", "jti", json!("x".repeat(257)), Malformed);
}

#[test]
fn a_signature_that_is_not_the_issuers_over_just_that_is_refused() {
    use ServiceAuthError::{Malformed, Signature};

    let good = token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let bytes = BASE64URL_NOPAD.decode(parts[2].as_bytes()).unwrap();
    let signature = k256::ecdsa::Signature::from_slice(&bytes).unwrap();
    let high_s = k256::ecdsa::Signature::from_scalars(signature.r(), -*signature.s()).unwrap();
    // The last of the 86 characters of a signature has four bits to spare.
    let last = u8::try_from(parts[2].chars().last().unwrap()).unwrap();
    let stray_bits = format!("{}{}", &parts[2][..85], char::from(last + 1));
    let with_signature = |text: &str| part(&good, 2, text);
    let with_bytes = |bytes: &[u8]| with_signature(&BASE64URL_NOPAD.encode(bytes));

    check("none", with_signature(""), Signature);
    check("half a group", with_signature(&parts[2][..41]), Malformed);
    check("stray bits", with_signature(&stray_bits), Malformed);
    check("63 bytes", with_bytes(&bytes[..63]), Signature);
    check(
        "65 bytes",
        with_bytes(&[&bytes[..], &[0]].concat()),
        Signature,
    );
    check("zeros", with_bytes(&[0; 64]), Signature);
    check("ones", with_bytes(&[0xff; 64]), Signature);
    check(
        "one bit",
        with_bytes(&[&bytes[..63], &[bytes[63] ^ 1]].concat()),
        Signature,
    );
    check("a high s", with_bytes(&high_s.to_bytes()), Signature);
    check("DER", with_bytes(signature.to_der().as_bytes()), Signature);

    let payload = claims().to_string();
    let by = |n| signed(&header().to_string(), &payload, &key(Curve::K256, n));
    check("another person's", by(2), Signature);
    check("that of the account's labeler", by(77), Signature);
    let other = with("jti", json!("x")).to_string();
    check(
        "of other claims",
        part(&good, 1, &encode(&other)),
        Signature,
    );
    let spaced = format!("{payload} ");
    check(
        "of claims written otherwise",
        part(&good, 1, &encode(&spaced)),
        Signature,
    );
    let header = "{\"alg\":\"ES256K\"}";
    check(
        "of another header",
        part(&good, 0, &encode(header)),
        Signature,
    );

    run(verify(&good)).expect("the honest one passes");
}

#[test]
fn every_error_has_its_name_on_the_wire_and_its_status() {
    use ServiceAuthError::*;
    for (error, name, status) in [
        (Malformed, "BadJwt", 401),
        (Type, "BadJwtType", 401),
        (Expired, "JwtExpired", 401),
        (NotYetValid, "BadJwt", 401),
        (LifetimeTooLong, "BadJwt", 401),
        (Audience, "BadJwtAudience", 401),
        (LexiconMethod, "BadJwtLexiconMethod", 401),
        (Issuer, "BadJwtIss", 401),
        (Signature, "BadJwtSignature", 401),
        (Replayed, "JwtReplayed", 401),
        (Unavailable, "NotEnoughResources", 503),
    ] {
        assert_eq!(error.name(), name);
        assert_eq!(error.status(), StatusCode::from_u16(status).unwrap());
    }
}

#[tokio::test]
async fn the_edges_of_time_are_where_they_are_said_to_be() {
    for (iat, exp, expect) in [
        (None, 300, Ok(())),
        (Some(0), 300, Ok(())),
        (Some(0), 301, Err(ServiceAuthError::LifetimeTooLong)),
        (Some(-30), 270, Ok(())),
        (Some(-30), 271, Err(ServiceAuthError::LifetimeTooLong)),
        // A clock that is ahead of ours by the skew.
        (Some(30), 330, Ok(())),
        (Some(30), 331, Err(ServiceAuthError::LifetimeTooLong)),
        (Some(31), 40, Err(ServiceAuthError::NotYetValid)),
        (None, 330, Ok(())),
        (None, 331, Err(ServiceAuthError::LifetimeTooLong)),
        (None, -29, Ok(())),
        (None, -30, Err(ServiceAuthError::Expired)),
        (Some(20), 20, Ok(())),
        (Some(20), 19, Err(ServiceAuthError::Malformed)),
    ] {
        let mut claims = with("exp", json!(NOON_SECS + exp));
        match iat {
            Some(iat) => claims["iat"] = json!(NOON_SECS + iat),
            None => {
                claims.as_object_mut().unwrap().remove("iat");
            }
        }
        let outcome = verify(&token(&claims)).await.map(drop);
        assert_eq!(outcome, expect, "iat {iat:?}, exp {exp}");
    }
}

#[tokio::test]
async fn the_limits_of_time_are_configuration() {
    let config = config()
        .with_max_lifetime(Duration::from_hours(1))
        .with_clock_skew(Duration::ZERO);
    for (exp, expect) in [
        (3600, Ok(())),
        (3601, Err(ServiceAuthError::LifetimeTooLong)),
        (0, Err(ServiceAuthError::Expired)),
        (1, Ok(())),
    ] {
        let (_, verifier) = setup_with(config.clone());
        let token = token(&with("exp", json!(NOON_SECS + exp)));
        let outcome = verifier.verify(&token, &method()).await;
        assert_eq!(outcome.map(drop), expect, "{exp}");
    }
}

#[tokio::test]
async fn what_can_be_refused_without_asking_anybody_is() {
    let (setup, verifier) = setup();
    for token in [
        "x.y.z".to_owned(),
        token(&with("aud", json!("did:web:other.example.com"))),
        token(&with("lxm", None)),
        token(&with("exp", json!(0))),
        token(&with("exp", json!(NOON_SECS + 3600))),
        token(&with("iss", json!(format!("{ANA}#bsky_fg")))),
        part(&token(&claims()), 2, "AAAA"),
    ] {
        verifier.verify(&token, &method()).await.unwrap_err();
    }
    assert!(setup.web.take_asked().is_empty());
}

#[tokio::test]
async fn a_token_is_good_once() {
    let (setup, verifier) = setup();
    for claims in [claims(), with("jti", None), with("jti", json!("other"))] {
        let token = token(&claims);
        verifier.verify(&token, &method()).await.unwrap();
        for _ in 0..3 {
            let outcome = verifier.verify(&token, &method()).await;
            assert_eq!(outcome, Err(ServiceAuthError::Replayed));
        }
    }
    // The same nonce in another token is the same nonce.
    let again = token(&with("exp", json!(NOON_SECS + 61)));
    let outcome = verifier.verify(&again, &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Replayed));
    // Until the last moment that it would be accepted by a clock that is behind.
    setup.clock.advance(89 * SECOND);
    let outcome = verifier.verify(&token(&claims()), &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Replayed));
    // Nothing is good again when it is forgotten.
    setup.clock.advance(SECOND);
    let outcome = verifier.verify(&token(&claims()), &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Expired));
}

#[tokio::test]
async fn of_many_uses_at_the_same_time_one_wins() {
    let (_, verifier) = setup();
    let (token, method) = (token(&claims()), method());
    let outcomes = join_all((0..20).map(|_| verifier.verify(&token, &method))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_nonce_belongs_to_its_issuer() {
    let (setup, verifier) = setup();
    let bob = key(Curve::P256, 2);
    let json = document(BOB, "bob.example.com", &bob.public_key());
    setup.web.put_document(BOB, &json);
    verifier.verify(&token(&claims()), &method()).await.unwrap();
    let header = json!({"alg": "ES256"}).to_string();
    let bobs = signed(&header, &with("iss", json!(BOB)).to_string(), &bob);
    verifier.verify(&bobs, &method()).await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_refused_uses_up_nothing() {
    let (_, verifier) = setup();
    let forged = signed(
        &header().to_string(),
        &claims().to_string(),
        &key(Curve::K256, 2),
    );
    let outcome = verifier.verify(&forged, &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Signature));
    verifier.verify(&token(&claims()), &method()).await.unwrap();
}

#[tokio::test]
async fn a_rotated_key_is_found_by_asking_once_more() {
    let (setup, verifier) = setup();
    verifier.verify(&token(&claims()), &method()).await.unwrap();
    setup.clock.advance(31 * SECOND);
    // To another curve, so that the algorithm changes with it.
    let rotated = key(Curve::P256, 4);
    let json = document(ANA, "ana.example.com", &rotated.public_key());
    setup.web.put_document(ANA, &json);
    let header = json!({"alg": "ES256"}).to_string();
    let new = signed(&header, &with("jti", json!("new")).to_string(), &rotated);
    verifier.verify(&new, &method()).await.unwrap();
    let old = token(&with("jti", json!("old")));
    let outcome = verifier.verify(&old, &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Signature));
    assert_eq!(setup.web.take_asked().len(), 2);
}

#[tokio::test]
async fn a_rotation_lets_no_forged_token_through() {
    let (setup, verifier) = setup();
    verifier.verify(&token(&claims()), &method()).await.unwrap();
    setup.clock.advance(31 * SECOND);
    let rotated = key(Curve::K256, 4).public_key();
    let json = document(ANA, "ana.example.com", &rotated);
    setup.web.put_document(ANA, &json);
    let payload = with("jti", json!("forged")).to_string();
    let forged = signed(&header().to_string(), &payload, &key(Curve::K256, 2));
    let outcome = verifier.verify(&forged, &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Signature));
    assert_eq!(setup.web.take_asked().len(), 2);
}

#[tokio::test]
async fn a_key_that_appears_is_found_by_asking_once_more() {
    let (setup, verifier) = setup();
    let mut json = document(ANA, "ana.example.com", &ana_key().public_key());
    json["verificationMethod"] = json!([]);
    setup.web.put_document(ANA, &json);
    let outcome = verifier.verify(&token(&claims()), &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Issuer));
    setup.clock.advance(31 * SECOND);
    let json = document(ANA, "ana.example.com", &ana_key().public_key());
    setup.web.put_document(ANA, &json);
    verifier.verify(&token(&claims()), &method()).await.unwrap();
}

#[tokio::test]
async fn forged_tokens_make_us_ask_once_in_thirty_seconds() {
    let (setup, verifier) = setup();
    let forged = signed(
        &header().to_string(),
        &claims().to_string(),
        &key(Curve::K256, 2),
    );
    for _ in 0..50 {
        let outcome = verifier.verify(&forged, &method()).await;
        assert_eq!(outcome, Err(ServiceAuthError::Signature));
        setup.clock.advance(SECOND);
    }
    assert_eq!(
        setup.web.take_asked().len(),
        2,
        "at the start and after thirty seconds"
    );
}

#[tokio::test]
async fn a_known_issuer_is_verified_without_asking_anybody() {
    let (setup, verifier) = setup();
    let known = verifier.verify_known(&token(&claims()), &method()).await;
    assert_eq!(known, Ok(None), "not known yet");
    assert!(setup.web.take_asked().is_empty());

    verifier.verify(&token(&claims()), &method()).await.unwrap();
    setup.web.take_asked();
    let next = token(&with("jti", json!("next")));
    let known = verifier.verify_known(&next, &method()).await.unwrap();
    assert_eq!(known.unwrap().did.as_str(), ANA);
    let again = verifier.verify_known(&next, &method()).await;
    assert_eq!(again, Err(ServiceAuthError::Replayed));
    setup.clock.advance(10 * 60 * SECOND);
    let mut late = with("exp", json!(NOON_SECS + 660));
    late["iat"] = json!(NOON_SECS + 600);
    let late = verifier.verify_known(&token(&late), &method()).await;
    assert_eq!(late, Ok(None), "not known any more");
    assert!(setup.web.take_asked().is_empty());
}

#[tokio::test]
async fn what_only_a_look_up_could_tell_is_not_known_and_what_is_known_to_be_wrong_is_refused() {
    let (setup, verifier) = setup();
    verifier.verify(&token(&claims()), &method()).await.unwrap();
    setup.web.take_asked();
    let payload = with("jti", json!("forged")).to_string();
    let forged = signed(&header().to_string(), &payload, &key(Curve::K256, 2));
    let nobody = token(&with("iss", json!(BOB)));
    let expired = token(&with("exp", json!(NOON_SECS - 60)));
    for (token, expect) in [
        (&forged, Ok(None)),
        (&nobody, Ok(None)),
        (&expired, Err(ServiceAuthError::Expired)),
    ] {
        assert_eq!(verifier.verify_known(token, &method()).await, expect);
    }
    assert!(setup.web.take_asked().is_empty());
    let outcome = verifier.verify(&nobody, &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Issuer));
    let known = verifier.verify_known(&nobody, &method()).await;
    assert_eq!(known, Err(ServiceAuthError::Issuer));
}

/// A store that has no room left.
struct Full;

#[async_trait]
impl ReplayStore for Full {
    async fn first_use(
        &self,
        _: &Did,
        _: &str,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<bool, ReplayStoreError> {
        Err(ReplayStoreError)
    }
}

#[tokio::test]
async fn when_it_cannot_be_said_the_answer_is_to_come_again() {
    let (setup, verifier) = setup();
    setup.web.put(ANA_URL, Page::Fails(FetchError::Timeout));
    let outcome = verifier.verify(&token(&claims()), &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Unavailable));

    let (setup, _) = self::setup();
    let verifier = ServiceAuthVerifier::new(
        Arc::new(setup.resolver.clone()),
        Arc::new(Full),
        setup.clock.clone(),
        config(),
    );
    let outcome = verifier.verify(&token(&claims()), &method()).await;
    assert_eq!(outcome, Err(ServiceAuthError::Unavailable));
}

#[tokio::test]
async fn a_service_that_may_call_does_so_with_its_own_key_and_name() {
    let config = config()
        .with_issuer_service("atproto_labeler")
        .with_issuer_service("bsky_fg");
    let (_, verifier) = setup_with(config);
    let labeler = key(Curve::K256, 77);
    for (service, key, expect) in [
        ("atproto_labeler", &labeler, Ok(Some("atproto_labeler"))),
        (
            "atproto_labeler",
            &ana_key(),
            Err(ServiceAuthError::Signature),
        ),
        ("bsky_fg", &ana_key(), Ok(Some("bsky_fg"))),
        ("bsky_fg", &labeler, Err(ServiceAuthError::Signature)),
        ("other", &ana_key(), Err(ServiceAuthError::Issuer)),
    ] {
        let mut claims = with("iss", json!(format!("{ANA}#{service}")));
        claims["jti"] = json!(service);
        let token = signed(&header().to_string(), &claims.to_string(), key);
        let outcome = verifier.verify(&token, &method()).await;
        let outcome = outcome.map(|caller| caller.service);
        assert_eq!(outcome, expect.map(|service| service.map(str::to_owned)));
    }
}

#[tokio::test]
async fn several_audiences_can_be_ours() {
    let other = "did:plc:bobbobbobbobbobbobbobbob#huddle_appview"
        .parse()
        .unwrap();
    let (_, verifier) = setup_with(config().with_audience(&other));
    for (n, audience) in [
        SERVICE,
        "did:web:huddle.example.com",
        BOB,
        "did:plc:bobbobbobbobbobbobbobbob#huddle_appview",
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = with("aud", json!(audience));
        claims["jti"] = json!(n.to_string());
        verifier.verify(&token(&claims), &method()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_minted_is_accepted_where_it_is_meant_for_and_nowhere_else() {
    for curve in [Curve::K256, Curve::P256] {
        let (setup, verifier) = setup();
        let key = key(curve, 5);
        let json = document(ANA, "ana.example.com", &key.public_key());
        setup.web.put_document(ANA, &json);
        let random = Counting::default();
        let minter = ServiceAuthMinter::new(did(ANA).into(), key);
        let now = setup.clock.now();
        let service = SERVICE.parse().unwrap();
        let mint = || minter.mint(&service, &method(), now, &random);
        let token = mint();
        let caller = verifier.verify(token.as_str(), &method()).await.unwrap();
        assert_eq!(caller.did.as_str(), ANA);
        assert_ne!(mint(), token, "each has its own nonce");
        let other = "com.huddle.match".parse().unwrap();
        let outcome = verifier.verify(mint().as_str(), &other).await;
        assert_eq!(outcome, Err(ServiceAuthError::LexiconMethod));
        setup.clock.advance(90 * SECOND);
        let outcome = verifier.verify(mint().as_str(), &method()).await;
        assert_eq!(outcome, Err(ServiceAuthError::Expired));

        assert!(!format!("{token:?} {minter:?}").contains(token.as_str()));
    }
}

#[test]
fn a_minted_token_lives_for_one_second_to_five_minutes() {
    let minter = ServiceAuthMinter::new(did(ANA).into(), ana_key());
    for (millis, is_allowed) in [
        (0, false),
        (999, false),
        (1000, true),
        (300_000, true),
        (300_001, false),
        (u64::MAX, false),
    ] {
        let outcome = minter.clone().with_lifetime(Duration::from_millis(millis));
        assert_eq!(outcome.is_ok(), is_allowed, "{millis}");
    }
}

#[tokio::test]
async fn an_issuer_may_call_as_often_as_a_rate_limit_lets_it() {
    let store = MemoryReplayStore::default();
    let ana = did(ANA);
    let start = Timestamp::from_millis(0);
    let first_use = |nonce: u32, now: Timestamp| {
        let (store, ana) = (&store, &ana);
        async move {
            // As long as a token can be: five minutes, and twice the difference of clocks.
            let forget = now + 360 * SECOND;
            store.first_use(ana, &nonce.to_string(), forget, now).await
        }
    };
    for nonce in 0..60 {
        assert_eq!(first_use(nonce, start).await, Ok(true), "a burst");
    }
    for second in 0..1000 {
        for nonce in [0, 1] {
            let nonce = 60 + 2 * second + nonce;
            let outcome = first_use(nonce, start + second * SECOND).await;
            assert_eq!(outcome, Ok(true), "after {second} seconds");
        }
    }
    // More than that is refused soon, and so costs little memory.
    let now = start + 1000 * SECOND;
    let mut accepted = 0;
    while first_use(10_000 + accepted, now).await == Ok(true) {
        accepted += 1;
    }
    assert!(accepted < 100, "{accepted}");
}

#[tokio::test]
async fn the_replay_store_is_bounded_and_fair_and_never_forgets_too_soon() {
    let store = MemoryReplayStore::new(ReplayLimits {
        max_per_issuer: 3,
        max_tokens: 5,
    });
    let at = Timestamp::from_millis;
    let (ana, bob, eve) = (did(ANA), did(BOB), did("did:web:eve.example.com"));
    for n in 0..3 {
        let first = store
            .first_use(&eve, &n.to_string(), at(100 + n), at(0))
            .await;
        assert_eq!(first, Ok(true));
    }
    // Eve has had her share; she hears the truth about old tokens, and others are not shut out.
    assert_eq!(
        store.first_use(&eve, "3", at(100), at(0)).await,
        Err(ReplayStoreError)
    );
    assert_eq!(store.first_use(&eve, "1", at(100), at(0)).await, Ok(false));
    assert_eq!(store.first_use(&ana, "1", at(100), at(0)).await, Ok(true));
    assert_eq!(store.first_use(&bob, "1", at(100), at(0)).await, Ok(true));
    assert_eq!(
        store.first_use(&bob, "2", at(100), at(0)).await,
        Err(ReplayStoreError)
    );
    assert_eq!(store.first_use(&bob, "1", at(100), at(0)).await, Ok(false));
    // At 100 everything but two of Eve's is forgotten.
    assert_eq!(store.first_use(&eve, "1", at(200), at(99)).await, Ok(false));
    assert_eq!(
        store.first_use(&eve, "1", at(200), at(100)).await,
        Ok(false)
    );
    assert_eq!(store.first_use(&eve, "0", at(200), at(100)).await, Ok(true));
    assert_eq!(
        store.first_use(&eve, "4", at(200), at(100)).await,
        Err(ReplayStoreError)
    );
    assert_eq!(store.first_use(&eve, "4", at(200), at(101)).await, Ok(true));
    for n in 0..2 {
        let nonce = format!("later {n}");
        assert_eq!(
            store.first_use(&bob, &nonce, at(300), at(150)).await,
            Ok(true)
        );
    }
    assert_eq!(store.first_use(&ana, "x", at(300), at(199)).await, Ok(true));
    assert_eq!(
        store.first_use(&ana, "y", at(300), at(199)).await,
        Err(ReplayStoreError)
    );
}

/// One key for everybody, and a count of how often it was asked for.
struct OneKey(PublicKey, AtomicU32);

#[async_trait]
impl SigningKeys for OneKey {
    async fn signing_key(
        &self,
        _: &Did,
        _: &str,
        _: Freshness,
    ) -> Result<PublicKey, IdentityError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(self.0.clone())
    }
}

fn json_member() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(json!([ANA])),
        Just(json!({"a": 1})),
    ]
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// A verifier that finds the same key for every issuer.
fn one_key_verifier() -> (Arc<OneKey>, ServiceAuthVerifier) {
    let keys = Arc::new(OneKey(ana_key().public_key(), AtomicU32::new(0)));
    let verifier = ServiceAuthVerifier::new(
        keys.clone(),
        Arc::new(MemoryReplayStore::default()),
        Setup::new().clock,
        config(),
    );
    (keys, verifier)
}

proptest! {
    #[test]
    fn no_text_makes_the_verifier_panic_or_pass(text in prop_oneof![
        ".*",
        "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}",
        "eyJhbGciOiJFUzI1NksifQ\\.[A-Za-z0-9_-]{0,200}\\.[A-Za-z0-9_-]{86}",
    ]) {
        let (keys, verifier) = one_key_verifier();
        prop_assert!(run(verifier.verify(&text, &method())).is_err());
        prop_assert_eq!(keys.1.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn no_json_in_a_token_makes_the_verifier_panic(header in ".{0,60}", payload in ".{0,200}") {
        let (_, verifier) = one_key_verifier();
        let signature = "A".repeat(86);
        for token in [
            format!("{}.{}.{signature}", encode(&header), encode(&payload)),
            format!("{}.{}.{signature}", encode("{\"alg\":\"ES256K\"}"), encode(&payload)),
        ] {
            prop_assert!(run(verifier.verify(&token, &method())).is_err());
        }
    }
}

proptest! {
    // Signing takes milliseconds in a debug build.
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Signed honestly, with any one claim or header member replaced by anything.
    #[test]
    fn a_member_of_another_kind_never_panics_and_passes_only_if_it_does_not_matter(
        in_header in any::<bool>(),
        member in "iss|aud|exp|lxm|jti|iat|nbf|alg|typ|crit|kid|sub",
        value in json_member(),
    ) {
        let (mut header, mut claims) = (header(), claims());
        let target = if in_header { &mut header } else { &mut claims };
        target[&member] = value.clone();
        let token = signed(&header.to_string(), &claims.to_string(), &ana_key());
        let (_, verifier) = one_key_verifier();
        let outcome = run(verifier.verify(&token, &method()));
        let matters = match (in_header, member.as_str()) {
            (true, "alg" | "crit") | (false, "iss" | "aud" | "lxm") => true,
            (true, "typ") | (false, "jti") => !value.is_string(),
            (false, "exp" | "iat" | "nbf") => !value.is_number(),
            _ => false,
        };
        if matters {
            prop_assert!(outcome.is_err());
        }
        if let Ok(caller) = outcome {
            prop_assert_eq!(caller.did.as_str(), ANA);
        }
    }
}

#[tokio::test]
async fn a_token_that_was_forgotten_is_not_new_by_a_clock_that_was_set_back() {
    let store = MemoryReplayStore::default();
    let at = |secs: i64| Timestamp::from_millis(secs * 1000);
    let eve: Did = "did:plc:eve".parse().unwrap();
    assert_eq!(store.first_use(&eve, "1", at(100), at(0)).await, Ok(true));
    // Another's call makes the store forget it.
    assert_eq!(store.first_use(&eve, "2", at(300), at(150)).await, Ok(true));
    assert_eq!(store.first_use(&eve, "1", at(100), at(99)).await, Ok(false));
}
