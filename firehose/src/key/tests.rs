use super::{Curve, HALF_K256, HALF_P256, KeyError, VerifyingKey, base58, native, pure};
use crate::hash::sha256;
use huddle_testdata::shared_text;
use k256::ecdsa::signature::hazmat::PrehashSigner as _;
use proptest::prelude::*;
use serde_json::Value;

fn sign(curve: Curve, secret: &[u8; 32], digest: &[u8; 32]) -> ([u8; 33], [u8; 64]) {
    match curve {
        Curve::K256 => {
            let key = k256::ecdsa::SigningKey::from_slice(secret).unwrap();
            let signature: k256::ecdsa::Signature = key.sign_prehash(digest).unwrap();
            let point = key.verifying_key().to_sec1_point(true);
            let signature = signature.normalize_s().to_bytes();
            (point.as_bytes().try_into().unwrap(), signature.into())
        }
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(secret).unwrap();
            let signature: p256::ecdsa::Signature = key.sign_prehash(digest).unwrap();
            let point = key.verifying_key().to_sec1_point(true);
            let signature = signature.normalize_s().to_bytes();
            (point.as_bytes().try_into().unwrap(), signature.into())
        }
    }
}

/// What both ways say, which must be the same.
#[track_caller]
fn both(curve: Curve, point: &[u8; 33], digest: &[u8; 32], signature: &[u8; 64]) -> bool {
    let pure = pure::Key::new(curve, point).map(|key| key.verify(digest, signature));
    let native = native::Key::new(curve, point).map(|key| key.verify(digest, signature));
    // Of a high `s` they need not think the same: it is refused before they are asked.
    if super::is_low(curve, signature) {
        assert_eq!(pure, native, "{curve:?} {point:02x?} {signature:02x?}");
    } else {
        assert_eq!(pure.is_some(), native.is_some());
    }
    VerifyingKey::from_compressed(curve, point)
        .is_ok_and(|key| key.verify_digest(digest, signature).is_ok())
}

const CURVES: [Curve; 2] = [Curve::K256, Curve::P256];

#[test]
fn a_signature_is_valid_for_its_key_and_message_alone() {
    for curve in CURVES {
        let digest = sha256(b"message");
        let (point, signature) = sign(curve, &[7; 32], &digest);
        assert!(both(curve, &point, &digest, &signature));
        assert!(!both(curve, &point, &sha256(b"other"), &signature));
        let (other, _) = sign(curve, &[8; 32], &digest);
        assert!(!both(curve, &other, &digest, &signature));
        let key = VerifyingKey::from_compressed(curve, &point).unwrap();
        assert!(key.verify_digest(&digest, &signature[..63]).is_err());
        assert!(
            key.verify_digest(&digest, &[&signature[..], &[0]].concat())
                .is_err()
        );
    }
}

#[test]
fn numbers_at_the_edges_are_judged_alike() {
    let edges = |half: [u8; 32]| {
        let mut above = half;
        above[31] += 1;
        let mut one = [0; 32];
        one[31] = 1;
        [[0; 32], one, half, above, [0xff; 32]]
    };
    for (curve, half) in [(Curve::K256, HALF_K256), (Curve::P256, HALF_P256)] {
        let digest = sha256(b"message");
        let (point, _) = sign(curve, &[7; 32], &digest);
        for r in edges(half) {
            for s in edges(half) {
                let signature: [u8; 64] = [r, s].concat().try_into().unwrap();
                assert!(!both(curve, &point, &digest, &signature));
            }
        }
    }
}

#[test]
fn the_higher_of_two_signatures_is_refused() {
    // n - s, which is as good to the equation.
    let order = |half: [u8; 32]| {
        let mut twice = [0; 32];
        let mut carry = 1;
        for (to, from) in twice.iter_mut().zip(half).rev() {
            let sum = u16::from(from) * 2 + carry;
            (*to, carry) = ((sum & 0xff) as u8, sum >> 8);
        }
        twice
    };
    for (curve, half) in [(Curve::K256, HALF_K256), (Curve::P256, HALF_P256)] {
        let digest = sha256(b"message");
        let (point, mut signature) = sign(curve, &[7; 32], &digest);
        assert!(both(curve, &point, &digest, &signature));
        let mut borrow = 0;
        for (s, n) in signature[32..].iter_mut().zip(order(half)).rev() {
            let (difference, first) = n.overflowing_sub(*s);
            let (difference, second) = difference.overflowing_sub(borrow);
            (*s, borrow) = (difference, u8::from(first || second));
        }
        let key = pure::Key::new(curve, &point).unwrap();
        assert!(key.verify(&digest, &signature) || curve == Curve::K256);
        assert!(!both(curve, &point, &digest, &signature));
    }
}

#[test]
fn keys_are_read_from_their_texts() {
    let Some(text) = shared_text("conformance/interop/crypto/w3c_didkey_K256.json") else {
        return;
    };
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    for vector in vectors {
        let hex = vector["privateKeyBytesHex"].as_str().unwrap();
        let secret = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let digest = sha256(b"message");
        let (_, signature) = sign(Curve::K256, &secret.try_into().unwrap(), &digest);
        let key = VerifyingKey::from_did_key(vector["publicDidKey"].as_str().unwrap()).unwrap();
        assert_eq!(key.verify_digest(&digest, &signature), Ok(()));
    }
}

#[test]
fn a_text_that_is_no_key_says_why() {
    #[track_caller]
    fn check(text: &str, expect: KeyError) {
        assert_eq!(VerifyingKey::from_did_key(text).unwrap_err(), expect);
    }
    check("did:plc:ewvi7nxzyoun6zhxrhs64oiz", KeyError::NotDidKey);
    check("did:key:", KeyError::Multibase);
    check("did:key:uZXhhbXBsZQ", KeyError::Multibase);
    check(
        &format!("did:key:z{}", "1".repeat(2000)),
        KeyError::Multibase,
    );
    check(&format!("did:key:z{}", "0".repeat(48)), KeyError::Multibase);
    // Ed25519.
    check(
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        KeyError::Codec,
    );
    let nowhere = [&[0xe7, 1, 2][..], &[0xff; 32]].concat();
    let nowhere = multibase::encode(multibase::Base::Base58Btc, nowhere);
    check(&format!("did:key:{nowhere}"), KeyError::Point);
    let full = [&[0xe7, 1, 4][..], &[1; 32]].concat();
    let full = multibase::encode(multibase::Base::Base58Btc, full);
    check(&format!("did:key:{full}"), KeyError::Point);
}

proptest! {
    #[test]
    fn both_ways_judge_any_key_and_signature_alike(
        mut secret: [u8; 32],
        message: [u8; 32],
        flip in 0_usize..64 * 8,
        point in 0_usize..33 * 8,
    ) {
        // Below the order of either group, and not zero.
        secret[0] = 1;
        for curve in CURVES {
            let (mut key, mut signature) = sign(curve, &secret, &message);
            prop_assert!(both(curve, &key, &message, &signature));
            signature[flip / 8] ^= 1 << (flip % 8);
            prop_assert!(!both(curve, &key, &message, &signature));
            key[point / 8] ^= 1 << (point % 8);
            both(curve, &key, &message, &signature);
        }
    }

    #[test]
    fn base58_is_read_as_by_a_library(mut codec: [u8; 2], point: [u8; 32]) {
        // A zero in front is a digit of its own there, and no key has one.
        codec[0] |= 1;
        let bytes = [&codec[..], &[2], &point].concat();
        let text = multibase::encode(multibase::Base::Base58Btc, &bytes);
        let read = base58(&text[1..]).map(|(codec, point)| [&codec[..], &point].concat());
        prop_assert_eq!(read, Some(bytes));
    }
}
