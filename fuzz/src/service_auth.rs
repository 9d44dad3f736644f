//! Target `service_auth`: what strangers send to say who they are, and where their keys come from.

use crate::mutate::{self, Random};
use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use huddle_identity::crypto::{Curve, PublicKey, SigningKey};
use huddle_identity::{
    Caller, DidDocument, Freshness, IdentityError, MemoryReplayStore, ServiceAuthConfig,
    ServiceAuthError, ServiceAuthVerifier, ServiceRef, SigningKeys,
};
use huddle_ports::{Clock, Timestamp};
use huddle_syntax::{Did, Nsid};
use serde_json::{Value, json};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

const ISSUERS: [(&str, Curve); 2] =
    [("did:plc:z72i7hdynmk6r22z27h6tvur", Curve::K256), ("did:web:pds.example.com", Curve::P256)];
const AUDIENCE: &str = "did:web:huddle.example.com#huddle_appview";
const METHOD: &str = "com.huddle.listOffers";
const NOW_SECS: i64 = 1_767_268_800;

/// A token is taken only as it was issued, byte for byte. Claims that are properly signed are taken only
/// if they are what they must be, and once. Documents and keys are refused or survive a rewrite.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    token(text);
    ISSUERS.iter().zip(&*KEYS).for_each(|((did, _), key)| claims(text, did, key));
    document(text);
    key(text);
    if let Ok(service) = text.parse::<ServiceRef>() {
        assert_eq!(service.to_string(), text);
    }
}
