//! Target `service_auth`: what strangers send to say who they are, and where their keys come from.

mod forge;

use crate::Target;
use crate::mutate::{self, Random};
use crate::repository::conformance;
use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use huddle_identity::crypto::{Curve, PublicKey, SigningKey};
use huddle_identity::{
    Caller, DidDocument, Freshness, IdentityError, MemoryReplayStore, ServiceAuthConfig,
    ServiceAuthError, ServiceAuthMinter, ServiceAuthVerifier, SigningKeys,
};
use huddle_ports::{Clock, Timestamp};
use huddle_syntax::{Did, Nsid, ServiceRef};
use serde_json::{Value, json};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

const AUDIENCE: &str = "did:web:huddle.example.com#huddle_appview";
const AUDIENCE_DID: &str = "did:web:huddle.example.com";
const METHOD: &str = "com.huddle.listOffers";
const OTHER_METHOD: &str = "com.huddle.listSlots";
const NOW_SECS: i32 = 1_767_268_800;

/// A token is taken as it was issued, byte for byte, and in no other form. Claims that are properly
/// signed are taken only if they are what they must be, and once; no forgery of them is. Documents and
/// keys that are taken survive a rewrite.
pub const TARGET: Target = Target {
    name: "service_auth",
    check,
    mutate,
    seeds,
};

fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    check_token(text);
    check_signed(text);
    check_document(text);
    check_key(text);
    if let Ok(service) = text.parse::<ServiceRef>() {
        assert_eq!(service.to_string(), text);
    }
}

/// An account that calls, with a token that it issued.
struct Issuer {
    did: Did,
    key: SigningKey,
    public_key: PublicKey,
    token: String,
}

/// An issuer for each curve.
static ISSUERS: LazyLock<[Issuer; 2]> = LazyLock::new(|| {
    let issuers = [
        ("did:plc:z72i7hdynmk6r22z27h6tvur", Curve::K256),
        ("did:web:caller.example.com", Curve::P256),
    ];
    issuers.map(|(did, curve)| {
        let did: Did = parsed(did);
        let key = SigningKey::from_bytes(curve, &[7; 32]).expect("a number below the order");
        let token = ServiceAuthMinter::new(did.clone().into(), key.clone()).mint(
            &parsed(AUDIENCE),
            &parsed(METHOD),
            now(),
            &Sevens,
        );
        Issuer {
            did,
            public_key: key.public_key(),
            key,
            token: token.as_str().to_owned(),
        }
    })
});

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .ok()
        .expect("a constant of this module is valid")
}

fn now() -> Timestamp {
    Timestamp::from_secs(NOW_SECS.into()).expect("a moment of this century")
}

/// Makes the same nonce every time.
struct Sevens;

impl huddle_ports::Random for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// Knows the keys of [`ISSUERS`], and that it is [`now`].
struct World;

#[async_trait]
impl SigningKeys for World {
    async fn signing_key(
        &self,
        did: &Did,
        _name: &str,
        _freshness: Freshness,
    ) -> Result<PublicKey, IdentityError> {
        let issuer = ISSUERS.iter().find(|issuer| issuer.did == *did);
        issuer
            .map(|issuer| issuer.public_key.clone())
            .ok_or(IdentityError::NotFound)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        now()
    }
}

/// A verifier that has seen no token yet.
fn verifier() -> ServiceAuthVerifier {
    let config = ServiceAuthConfig::new(&parsed(AUDIENCE));
    let replays = Arc::new(MemoryReplayStore::default());
    ServiceAuthVerifier::new(Arc::new(World), replays, Arc::new(World), config)
}

fn verify(
    verifier: &ServiceAuthVerifier,
    token: &str,
    method: &str,
) -> Result<Caller, ServiceAuthError> {
    let method: Nsid = parsed(method);
    let verification = pin!(verifier.verify(token, &method));
    match verification.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("keys and used tokens are at hand"),
    }
}

fn check_token(token: &str) {
    let issued_by = ISSUERS.iter().find(|issuer| issuer.token == token);
    match verify(&verifier(), token, METHOD) {
        Ok(caller) => assert_eq!(Some(&caller.did), issued_by.map(|issuer| &issuer.did)),
        Err(error) => {
            assert!(issued_by.is_none(), "{error}");
            assert!(error.status().is_client_error());
            assert!(!error.name().is_empty());
        }
    }
}

/// Takes a text as claims, or as a header and, on the next line, claims, and signs it.
fn check_signed(text: &str) {
    let Ok(claims) = serde_json::from_str::<Value>(text.rsplit('\n').next().unwrap_or(text)) else {
        return;
    };
    let by_claim = ISSUERS
        .iter()
        .find(|issuer| claims["iss"] == issuer.did.as_str());
    let issuer = by_claim.unwrap_or(&ISSUERS[0]);
    let alg = issuer.key.curve().jwt_alg();
    let plain_header = format!(r#"{{"alg":"{alg}"}}"#);
    let (header, payload) = text.rsplit_once('\n').unwrap_or((&plain_header, text));
    let token = signed(header, payload, &issuer.key);

    let verifier = verifier();
    let result = verify(&verifier, &token, METHOD);
    let Ok(caller) = result else {
        return;
    };
    let expected = Caller {
        did: issuer.did.clone(),
        service: None,
        lxm: parsed(METHOD),
        expires: caller.expires,
    };
    assert_eq!(caller, expected);
    let header: Value = serde_json::from_str(header).expect("the header was read");
    assert_eq!(header["alg"], alg);
    assert_eq!(header.get("crit"), None);
    assert!(!is_of_another_kind(&header["typ"]));
    assert_eq!(claims["iss"], issuer.did.as_str());
    assert_eq!(claims["lxm"], METHOD);
    assert!(claims["aud"] == AUDIENCE || claims["aud"] == AUDIENCE_DID);
    // Seconds from now; fractions below a millisecond do not count.
    let from_now = |claim: &str| {
        claims[claim]
            .as_f64()
            .map(|secs| secs - f64::from(NOW_SECS))
    };
    let expires = from_now("exp").expect("a token expires");
    assert!(expires > -30.0);
    assert!(from_now("iat").is_none_or(|issued| issued < 30.001));
    assert!(from_now("nbf").is_none_or(|starts| starts < 30.001));
    assert!(expires - from_now("iat").unwrap_or(30.0) < 300.001);

    for forgery in forge::all(&token, issuer.key.curve()) {
        let verdict = verify(&self::verifier(), &forgery, METHOD);
        assert!(
            matches!(
                verdict,
                Err(ServiceAuthError::Malformed | ServiceAuthError::Signature)
            ),
            "{verdict:?} of {forgery}"
        );
    }
    assert_eq!(
        verify(&verifier, &token, METHOD),
        Err(ServiceAuthError::Replayed)
    );
    assert_eq!(
        verify(&verifier, &token, OTHER_METHOD),
        Err(ServiceAuthError::LexiconMethod)
    );
}

fn signed(header: &str, payload: &str, key: &SigningKey) -> String {
    let mut token = BASE64URL_NOPAD.encode(header.as_bytes());
    token.push('.');
    BASE64URL_NOPAD.encode_append(payload.as_bytes(), &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut token);
    token
}

/// Whether a token is by its `typ` one of those that a server issues for itself.
fn is_of_another_kind(kind: &Value) -> bool {
    let kind = kind.as_str().unwrap_or_default().to_ascii_lowercase();
    let kinds = ["at+jwt", "refresh+jwt", "dpop+jwt"];
    kinds.iter().any(|other| kind.ends_with(other))
}

fn check_document(text: &str) {
    let Ok(document) = serde_json::from_str::<DidDocument>(text) else {
        return;
    };
    let checked = DidDocument::from_json(document.id(), text.as_bytes());
    assert_eq!(checked.is_ok(), text.len() <= DidDocument::MAX_BYTES);
    let written = serde_json::to_string(&document).expect("a document can be written");
    assert_eq!(
        serde_json::from_str::<DidDocument>(&written).ok().as_ref(),
        Some(&document)
    );

    if let Some(handle) = document.handle() {
        assert!(document.also_known_as().contains(&format!("at://{handle}")));
    }
    for method in document.verification_methods() {
        let (_, name) = method.id.split_once('#').unwrap_or_default();
        if let Ok(key) = document.key(name) {
            assert_eq!(PublicKey::from_multikey(&key.to_multikey()), Ok(key));
        }
    }
    for service in document.services() {
        let (_, name) = service.id.split_once('#').unwrap_or_default();
        if let Ok(url) = document.endpoint(name, &service.kind) {
            assert!(matches!(url.scheme(), "https" | "http") && url.has_host());
            assert_eq!((url.path(), url.query(), url.fragment()), ("/", None, None));
            assert_eq!((url.username(), url.password()), ("", None));
        }
    }
    if let Ok(key) = document.signing_key() {
        assert_eq!(document.key("atproto"), Ok(key));
    }
    drop(document.pds());
}

fn check_key(text: &str) {
    if let Ok(key) = PublicKey::from_multikey(text) {
        assert_eq!(key.to_multikey(), text);
        assert_eq!(PublicKey::from_did_key(&key.to_did_key()), Ok(key));
    }
    if let Ok(key) = PublicKey::from_did_key(text) {
        assert_eq!(key.to_did_key(), text);
    }
    for curve in [Curve::K256, Curve::P256] {
        if let Ok(key) = PublicKey::from_legacy_multibase(curve, text) {
            assert_eq!(key.curve(), curve);
            assert_eq!(PublicKey::from_multikey(&key.to_multikey()), Ok(key));
        }
    }
}

/// Parts of what is sent: headers, claims and documents that are fine, and what may stand in them.
static DONORS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let documents = ISSUERS.iter().map(|issuer| {
        let did = &issuer.did;
        json!({
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": did,
            "alsoKnownAs": ["at://caller.example.com"],
            "verificationMethod": [{
                "id": format!("{did}#atproto"),
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": issuer.public_key.to_multikey(),
            }],
            "service": [{
                "id": "#atproto_pds",
                "type": "AtprotoPersonalDataServer",
                "serviceEndpoint": "https://pds.example.com",
            }],
        })
    });
    let claims = ISSUERS.iter().map(|issuer| {
        json!({
            "iss": issuer.did,
            "aud": AUDIENCE,
            "lxm": METHOD,
            "iat": NOW_SECS,
            "nbf": NOW_SECS,
            "exp": NOW_SECS + 60,
            "jti": "0123456789abcdef",
        })
    });
    let headers = ISSUERS.iter().map(
        |issuer| json!({"typ": "JWT", "alg": issuer.key.curve().jwt_alg(), "kid": "#atproto"}),
    );
    let others = json!([
        [
            AUDIENCE_DID,
            METHOD,
            OTHER_METHOD,
            "atproto_label",
            "did:key:zQ3sh",
            "none",
            "HS256"
        ],
        [
            "at+jwt",
            "application/DPoP+JWT",
            "EcdsaSecp256k1VerificationKey2019",
            "crit",
            "b64"
        ],
        [
            NOW_SECS - 31,
            NOW_SECS - 30,
            NOW_SECS + 30,
            NOW_SECS + 31,
            NOW_SECS + 330
        ],
        [
            f64::from(NOW_SECS) + 0.5,
            -0.0,
            253_402_300_799_i64,
            253_402_300_800_i64
        ],
    ]);
    documents
        .chain(claims)
        .chain(headers)
        .chain([others])
        .collect()
});

/// What is issued, what is signed and what is published, and the keys of the interoperability vectors.
fn seeds() -> Vec<Vec<u8>> {
    let issued = ISSUERS.iter().map(|issuer| issuer.token.clone());
    let own = ISSUERS.iter().flat_map(|issuer| {
        [
            issuer.public_key.to_multikey(),
            issuer.public_key.to_did_key(),
        ]
    });
    let files = [
        "crypto/signature-fixtures.json",
        "crypto/w3c_didkey_K256.json",
        "crypto/w3c_didkey_P256.json",
    ];
    let cases: Vec<Value> = files.into_iter().flat_map(conformance).collect();
    let keys = cases.iter().flat_map(|case| {
        ["publicKeyDid", "publicDidKey", "publicKeyMultibase"]
            .into_iter()
            .filter_map(|name| case[name].as_str().map(str::to_owned))
    });
    let donors = DONORS.iter().map(Value::to_string);
    issued
        .chain(own)
        .chain(keys)
        .chain(donors)
        .map(String::into_bytes)
        .collect()
}

/// Edits a token behind its base64, with the signature that it has; or claims, a document or a key.
fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let issuer = &random.pick(&*ISSUERS)?;
    let text = str::from_utf8(input).unwrap_or_default();
    match random.below(8) {
        0..3 => edit_token(text, random).or_else(|| Some(issuer.token.clone().into_bytes())),
        3 => {
            let key = issuer.public_key.to_multikey();
            let digits: Vec<char> = key.chars().collect();
            let (old, new) = (random.pick(&digits)?, random.pick(&digits)?);
            Some(key.replacen(*old, &new.to_string(), 1).into_bytes())
        }
        4 => {
            let header = mutate::json(b"", &DONORS, random)?;
            let claims = text.rsplit('\n').next().unwrap_or(text);
            let claims = mutate::json(claims.as_bytes(), &DONORS, random)?;
            Some([header.as_slice(), &claims].join(&b'\n'))
        }
        _ => {
            let (header, claims) = text.rsplit_once('\n').unwrap_or(("", text));
            let claims = mutate::json(claims.as_bytes(), &DONORS, random)?;
            let parts = [header.as_bytes(), &claims];
            Some(if header.is_empty() {
                claims
            } else {
                parts.join(&b'\n')
            })
        }
    }
}

fn edit_token(token: &str, random: &mut Random) -> Option<Vec<u8>> {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let place = random.below(parts.len().min(2));
    let json = BASE64URL_NOPAD.decode(parts[place].as_bytes()).ok()?;
    parts[place] = BASE64URL_NOPAD.encode(&mutate::json(&json, &DONORS, random)?);
    (parts.len() == 3).then(|| parts.join(".").into_bytes())
}
