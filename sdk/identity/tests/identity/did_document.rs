//! Reading DID documents as they are found, and as they should not be.

use huddle_identity::crypto::Curve;
use huddle_identity::{DidDocument, DocumentError};
use huddle_ports::Url;
use huddle_syntax::Handle;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{ANA, BOB, did, document, key};

fn read(json: &Value) -> Result<DidDocument, DocumentError> {
    DidDocument::from_json(&did(ANA), json.to_string().as_bytes())
}

fn good() -> Value {
    document(ANA, "ana.example.com", &key(Curve::K256, 1).public_key())
}

/// The usual document with one member replaced.
fn with(member: &str, value: Value) -> DidDocument {
    let mut json = good();
    json[member] = value;
    read(&json).unwrap()
}

#[test]
fn a_usual_document_says_who_where_and_with_which_key() {
    let document = read(&good()).unwrap();
    assert_eq!(document.id().as_str(), ANA);
    assert_eq!(document.handle(), Some("ana.example.com".parse().unwrap()));
    assert_eq!(document.pds().unwrap().as_str(), "https://pds.example.com/");
    assert_eq!(
        document.signing_key().unwrap(),
        key(Curve::K256, 1).public_key()
    );
    assert_eq!(document.key("other"), Err(DocumentError::NoKey));
    assert_eq!(document.also_known_as(), ["at://ana.example.com"]);
    assert_eq!(
        document.verification_methods()[0].kind.as_deref(),
        Some("Multikey")
    );
}

#[test]
fn what_is_not_the_documents_of_that_did_is_refused() {
    let mut others = good();
    others["id"] = BOB.into();
    assert_eq!(read(&others), Err(DocumentError::OtherDid));
    let mut long = good().to_string();
    long.push_str(&" ".repeat(DidDocument::MAX_BYTES - long.len()));
    DidDocument::from_json(&did(ANA), long.as_bytes()).expect("as long as it may be");
    long.push(' ');
    let outcome = DidDocument::from_json(&did(ANA), long.as_bytes());
    assert_eq!(outcome, Err(DocumentError::TooLong));
    for text in [
        "",
        "null",
        "[]",
        "\"did:plc:anaanaanaanaanaanaanaana\"",
        "{}",
        "{\"id\":null}",
        "{\"id\":1}",
        "{\"id\":\"ana\"}",
        "{\"id\":\"did:plc:anaanaanaanaanaanaanaana\"",
        "{\"id\":\"did:plc:anaanaanaanaanaanaanaana\"} x",
        "{\"id\":\"did:plc:bob\",\"id\":\"did:plc:anaanaanaanaanaanaanaana\"}",
        "{\"id\":\"did:plc:anaanaanaanaanaanaanaana\",\"service\":[],\"service\":[]}",
        &format!("{{\"id\":{}", "[".repeat(10_000)),
        &format!("{{\"id\":\"{ANA}\",\"service\":{}", "[".repeat(10_000)),
    ] {
        let outcome = DidDocument::from_json(&did(ANA), text.as_bytes());
        assert_eq!(outcome, Err(DocumentError::NotADocument), "{text:.80}");
    }
}

#[test]
fn forms_that_the_protocol_does_not_use_are_passed_over() {
    let document = read(&json!({
        "id": ANA,
        "@context": {"any": ["thing"]},
        "controller": [BOB],
        "alsoKnownAs": [1, null, "https://ana.example.com", "at://ana.example.com"],
        "verificationMethod": [
            "did:key:zQ3sh",
            {"type": "Multikey", "controller": ANA},
            {"id": "#jwk", "type": "JsonWebKey2020", "controller": ANA, "publicKeyJwk": {}},
            {"id": "#atproto", "type": "Multikey", "controller": ANA, "publicKeyMultibase": key(Curve::P256, 1).public_key().to_multikey()},
        ],
        "service": [
            {"id": "#atproto_pds", "type": ["AtprotoPersonalDataServer"], "serviceEndpoint": "https://a.example.com"},
            {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": {"uri": "https://b.example.com"}},
            {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "https://c.example.com"},
        ],
    }))
    .unwrap();
    assert_eq!(document.handle(), Some("ana.example.com".parse().unwrap()));
    assert_eq!(document.signing_key().unwrap().curve(), Curve::P256);
    assert_eq!(document.key("jwk"), Err(DocumentError::BadKey));
    assert_eq!(document.pds().unwrap().as_str(), "https://c.example.com/");

    for nothing in [json!(null), json!("x"), json!({}), json!(7)] {
        let document = read(&json!({
            "id": ANA,
            "alsoKnownAs": nothing,
            "verificationMethod": nothing,
            "service": nothing,
        }))
        .unwrap();
        assert_eq!(document.handle(), None);
        assert_eq!(document.signing_key(), Err(DocumentError::NoKey));
        assert_eq!(document.pds(), Err(DocumentError::NoService));
    }
}

#[test]
fn the_first_valid_handle_uri_is_the_handle_and_others_are_passed_over() {
    for (names, expect) in [
        (
            json!(["at://a.example.com", "at://b.example.com"]),
            Some("a.example.com"),
        ),
        (
            json!(["https://a.example.com", "at://b.example.com"]),
            Some("b.example.com"),
        ),
        (json!(["at://A.Example.com"]), Some("A.Example.com")),
        (
            json!([
                "at://not a handle",
                "at://b.example.com",
                "at://c.example.com"
            ]),
            Some("b.example.com"),
        ),
        (
            json!(["at://a.example.com/path", "at://b.example.com"]),
            Some("b.example.com"),
        ),
        (json!(["at://not a handle"]), None),
        (json!(["at://a.example.com/path"]), None),
        (json!([format!("at://{BOB}")]), None),
        (json!(["AT://a.example.com"]), None),
        (json!(["at://"]), None),
        (json!([]), None),
    ] {
        let handle = with("alsoKnownAs", names.clone()).handle();
        assert_eq!(handle.as_ref().map(Handle::as_str), expect, "{names}");
    }
}

#[test]
fn a_key_is_found_by_its_name_in_this_document() {
    let text = key(Curve::K256, 1).public_key().to_multikey();
    for (id, found) in [
        ("#atproto".to_owned(), true),
        (format!("{ANA}#atproto"), true),
        (format!("{BOB}#atproto"), false),
        ("atproto".to_owned(), false),
        (format!("{ANA}atproto"), false),
        (format!("{ANA}#atproto_label"), false),
        (format!("{ANA}##atproto"), false),
        (format!("{ANA}{ANA}#atproto"), false),
        ("#Atproto".to_owned(), false),
        (String::new(), false),
    ] {
        let document = with(
            "verificationMethod",
            json!([{"id": id, "type": "Multikey", "controller": ANA, "publicKeyMultibase": text}]),
        );
        assert_eq!(document.signing_key().is_ok(), found, "{id}");
    }
}

#[test]
fn the_first_key_of_that_name_counts_and_only_the_dids_own() {
    let text = key(Curve::K256, 1).public_key().to_multikey();
    let good = json!({"id": "#atproto", "type": "Multikey", "controller": ANA, "publicKeyMultibase": text});
    let altered = |member: &str, value: Value| {
        let mut method = good.clone();
        method[member] = value;
        method
    };
    let without = |member: &str| {
        let mut method = good.clone();
        method.as_object_mut().unwrap().remove(member);
        method
    };
    for (first, expect) in [
        (altered("controller", json!(BOB)), Ok(())),
        (altered("id", json!("#other")), Ok(())),
        (json!({"id": "#atproto"}), Err(DocumentError::BadKey)),
        (without("type"), Err(DocumentError::BadKey)),
        (
            altered("type", json!(["Multikey"])),
            Err(DocumentError::BadKey),
        ),
        (
            altered("type", json!("JsonWebKey2020")),
            Err(DocumentError::BadKey),
        ),
        (without("controller"), Err(DocumentError::BadKey)),
        (
            altered("controller", json!([ANA])),
            Err(DocumentError::BadKey),
        ),
        (without("publicKeyMultibase"), Err(DocumentError::BadKey)),
        (
            altered("publicKeyMultibase", json!(7)),
            Err(DocumentError::BadKey),
        ),
        (
            altered("publicKeyMultibase", json!("z7")),
            Err(DocumentError::BadKey),
        ),
    ] {
        let document = with("verificationMethod", json!([first, good]));
        assert_eq!(document.signing_key().map(|_| ()), expect, "{first}");
    }
    let others = with(
        "verificationMethod",
        json!([altered("controller", json!(BOB))]),
    );
    assert_eq!(others.signing_key(), Err(DocumentError::NoKey));
}

#[test]
fn old_and_new_key_forms_are_read_and_others_are_not() {
    let (k256, p256) = (
        key(Curve::K256, 1).public_key(),
        key(Curve::P256, 1).public_key(),
    );
    let legacy = |key: &huddle_identity::crypto::PublicKey| {
        let (_, bytes) = multibase::decode(key.to_multikey()).unwrap();
        multibase::encode(multibase::Base::Base58Btc, &bytes[2..])
    };
    for (kind, text, expect) in [
        ("Multikey", k256.to_multikey(), Ok(&k256)),
        ("Multikey", p256.to_multikey(), Ok(&p256)),
        (
            "EcdsaSecp256k1VerificationKey2019",
            legacy(&k256),
            Ok(&k256),
        ),
        (
            "EcdsaSecp256r1VerificationKey2019",
            legacy(&p256),
            Ok(&p256),
        ),
        (
            "EcdsaSecp256k1VerificationKey2019",
            k256.to_multikey(),
            Err(DocumentError::BadKey),
        ),
        ("Multikey", legacy(&k256), Err(DocumentError::BadKey)),
        ("Multikey", k256.to_did_key(), Err(DocumentError::BadKey)),
        (
            "Ed25519VerificationKey2020",
            k256.to_multikey(),
            Err(DocumentError::BadKey),
        ),
        ("multikey", k256.to_multikey(), Err(DocumentError::BadKey)),
        ("", k256.to_multikey(), Err(DocumentError::BadKey)),
        ("Multikey", String::new(), Err(DocumentError::BadKey)),
    ] {
        let document = with(
            "verificationMethod",
            json!([{"id": "#atproto", "type": kind, "controller": ANA, "publicKeyMultibase": text}]),
        );
        assert_eq!(
            document.signing_key().as_ref(),
            expect.as_ref().copied(),
            "{kind} {text}"
        );
    }
}

#[test]
fn an_endpoint_is_an_origin() {
    for (endpoint, expect) in [
        ("https://pds.example.com", Ok("https://pds.example.com/")),
        ("https://pds.example.com/", Ok("https://pds.example.com/")),
        (
            "https://pds.example.com:8443",
            Ok("https://pds.example.com:8443/"),
        ),
        ("http://localhost:2583", Ok("http://localhost:2583/")),
        (
            "https://pds.example.com/path",
            Err(DocumentError::BadEndpoint),
        ),
        (
            "https://pds.example.com/?q",
            Err(DocumentError::BadEndpoint),
        ),
        (
            "https://pds.example.com/#f",
            Err(DocumentError::BadEndpoint),
        ),
        (
            "https://user@pds.example.com",
            Err(DocumentError::BadEndpoint),
        ),
        (
            "https://:pw@pds.example.com",
            Err(DocumentError::BadEndpoint),
        ),
        ("ftp://pds.example.com", Err(DocumentError::BadEndpoint)),
        ("javascript:alert(1)", Err(DocumentError::BadEndpoint)),
        ("pds.example.com", Err(DocumentError::BadEndpoint)),
        ("//pds.example.com", Err(DocumentError::BadEndpoint)),
        ("", Err(DocumentError::BadEndpoint)),
    ] {
        let document = with(
            "service",
            json!([{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": endpoint}]),
        );
        let pds = document.pds();
        assert_eq!(
            pds.as_ref().map(Url::as_str),
            expect.as_ref().copied(),
            "{endpoint}"
        );
    }
}

#[test]
fn a_service_is_found_by_name_and_kind() {
    let document = with(
        "service",
        json!([
            {"id": "#huddle_appview", "type": "Other", "serviceEndpoint": "https://a.example.com"},
            {"id": format!("{ANA}#huddle_appview"), "type": "HuddleAppView", "serviceEndpoint": "https://b.example.com"},
        ]),
    );
    let endpoint = document.endpoint("huddle_appview", "HuddleAppView");
    assert_eq!(endpoint.unwrap().as_str(), "https://b.example.com/");
    assert_eq!(
        document.endpoint("huddle_appview", "BskyAppView"),
        Err(DocumentError::NoService)
    );
    assert_eq!(document.services().len(), 2);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "(at://|did:plc:|#atproto|Multikey|z)?.{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let name =
            "id|type|controller|publicKeyMultibase|serviceEndpoint|alsoKnownAs|verificationMethod|service";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_is_read_or_refused_and_survives_being_written(
        names in json_value(),
        keys in json_value(),
        services in json_value(),
    ) {
        let json = json!({
            "id": ANA,
            "alsoKnownAs": names,
            "verificationMethod": keys,
            "service": services,
        });
        let document = read(&json).unwrap();
        let _ = (document.handle(), document.signing_key(), document.pds());
        let written = serde_json::to_vec(&document).unwrap();
        prop_assert_eq!(DidDocument::from_json(&did(ANA), &written), Ok(document));
    }

    #[test]
    fn no_bytes_make_a_document_panic(bytes in any::<Vec<u8>>()) {
        let _ = DidDocument::from_json(&did(ANA), &bytes);
    }
}
