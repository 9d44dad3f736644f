//! Keys and signatures against the official vectors, and against forms that must not pass.

use data_encoding::{BASE64_NOPAD, HEXLOWER};
use huddle_identity::crypto::{BadSignature, Curve, KeyError, PublicKey, SigningKey};
use multibase::Base;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Counting, key};

fn cases(file: &str) -> Option<Vec<Value>> {
    let text = huddle_testdata::shared_text(&format!("conformance/interop/crypto/{file}"))?;
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    Some(cases)
}

#[test]
fn the_official_signatures_are_valid_and_invalid_as_they_say() {
    let Some(cases) = cases("signature-fixtures.json") else {
        return;
    };
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let comment = text("comment");
        // Some of the vectors are padded, some are not.
        let bytes = |name| {
            let text = text(name).trim_end_matches('=');
            BASE64_NOPAD.decode(text.as_bytes()).unwrap()
        };
        let curve = match text("didDocSuite") {
            "EcdsaSecp256r1VerificationKey2019" => Curve::P256,
            "EcdsaSecp256k1VerificationKey2019" => Curve::K256,
            other => panic!("{other}"),
        };
        assert_eq!(curve.jwt_alg(), text("algorithm"), "{comment}");
        let key = PublicKey::from_did_key(text("publicKeyDid")).expect(comment);
        assert_eq!(key.curve(), curve, "{comment}");
        assert_eq!(key.to_did_key(), text("publicKeyDid"), "{comment}");
        let legacy = PublicKey::from_legacy_multibase(curve, text("publicKeyMultibase"));
        assert_eq!(legacy.as_ref(), Ok(&key), "{comment}");

        let outcome = key.verify(&bytes("messageBase64"), &bytes("signatureBase64"));
        let is_valid = case["validSignature"].as_bool().unwrap();
        assert_eq!(outcome.is_ok(), is_valid, "{comment}");
    }
}

#[test]
fn private_keys_have_the_public_keys_of_the_w3c_vectors() {
    let (Some(k256), Some(p256)) = (cases("w3c_didkey_K256.json"), cases("w3c_didkey_P256.json"))
    else {
        return;
    };
    for case in k256 {
        let bytes = HEXLOWER
            .decode(case["privateKeyBytesHex"].as_str().unwrap().as_bytes())
            .unwrap();
        let key = SigningKey::from_bytes(Curve::K256, &bytes).unwrap();
        assert_eq!(key.public_key().to_did_key(), case["publicDidKey"]);
    }
    for case in p256 {
        let bytes = Base::Base58Btc
            .decode(case["privateKeyBytesBase58"].as_str().unwrap())
            .unwrap();
        let key = SigningKey::from_bytes(Curve::P256, &bytes).unwrap();
        assert_eq!(key.public_key().to_did_key(), case["publicDidKey"]);
    }
}

/// A multikey of these bytes after a multicodec prefix.
fn multikey(codec: [u8; 2], point: &[u8]) -> String {
    multibase::encode(Base::Base58Btc, [&codec[..], point].concat())
}

const P256_CODEC: [u8; 2] = [0x80, 0x24];
const K256_CODEC: [u8; 2] = [0xe7, 0x01];

/// The compressed and the uncompressed point of a key.
fn points(curve: Curve) -> (Vec<u8>, Vec<u8>) {
    let bytes = [7; 32];
    match curve {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(&bytes).unwrap();
            let key = key.verifying_key();
            (
                key.to_sec1_point(true).as_bytes().to_vec(),
                key.to_sec1_point(false).as_bytes().to_vec(),
            )
        }
        Curve::K256 => {
            let key = k256::ecdsa::SigningKey::from_slice(&bytes).unwrap();
            let key = key.verifying_key();
            (
                key.to_sec1_point(true).as_bytes().to_vec(),
                key.to_sec1_point(false).as_bytes().to_vec(),
            )
        }
    }
}

#[test]
fn a_multikey_is_a_compressed_point_of_the_curve_it_names() {
    for (curve, codec, other) in [
        (Curve::P256, P256_CODEC, K256_CODEC),
        (Curve::K256, K256_CODEC, P256_CODEC),
    ] {
        let (compressed, uncompressed) = points(curve);
        let good = multikey(codec, &compressed);
        assert_eq!(
            PublicKey::from_multikey(&good).unwrap(),
            key(curve, 7).public_key()
        );
        let hybrid = [&[6 | (uncompressed[64] & 1)][..], &uncompressed[1..]].concat();
        let compact = [&[5][..], &compressed[1..]].concat();
        for (text, error) in [
            (String::new(), KeyError::BadMultibase),
            ("z".to_owned(), KeyError::WrongCodec),
            (good[1..].to_owned(), KeyError::BadMultibase),
            (good.replacen('z', "Z", 1), KeyError::BadMultibase),
            (format!("{good}0"), KeyError::BadMultibase),
            (format!("{good} "), KeyError::BadMultibase),
            (good[..good.len() - 1].to_owned(), KeyError::WrongCodec),
            (
                multibase::encode(Base::Base64Url, &compressed),
                KeyError::BadMultibase,
            ),
            ("z1".repeat(4000), KeyError::BadMultibase),
            (multikey(codec, &uncompressed), KeyError::BadPoint),
            (multikey(codec, &hybrid), KeyError::BadPoint),
            (multikey(codec, &compact), KeyError::BadPoint),
            (multikey(codec, &[0]), KeyError::BadPoint),
            (multikey(codec, &[]), KeyError::BadPoint),
            (multikey(codec, &[2; 32]), KeyError::BadPoint),
            (multikey(codec, &[0xff; 33]), KeyError::BadPoint),
            (
                multikey(codec, &[&[2][..], &[0xff; 32]].concat()),
                KeyError::BadPoint,
            ),
            (multikey(codec, &compressed[..32]), KeyError::BadPoint),
            (
                multikey(codec, &[&compressed[..], &[0]].concat()),
                KeyError::BadPoint,
            ),
            // Ed25519, and the codec's number without its varint form.
            (multikey([0xed, 0x01], &[1; 32]), KeyError::WrongCodec),
            (multikey([0x12, 0x00], &compressed), KeyError::WrongCodec),
        ] {
            assert_eq!(PublicKey::from_multikey(&text), Err(error), "{text:.80}");
        }
        // The other curve's codec before this curve's point is another key or none, never this one.
        let swapped = PublicKey::from_multikey(&multikey(other, &compressed));
        assert!(swapped.is_err() || swapped.unwrap().curve() != curve);
    }
}

#[test]
fn a_did_key_needs_its_prefix() {
    let good = key(Curve::K256, 7).public_key();
    assert_eq!(
        PublicKey::from_did_key(&good.to_did_key()),
        Ok(good.clone())
    );
    for text in [
        good.to_multikey(),
        format!("did:web:{}", good.to_multikey()),
    ] {
        assert_eq!(PublicKey::from_did_key(&text), Err(KeyError::NotDidKey));
    }
}

#[test]
fn a_legacy_key_may_be_uncompressed_but_not_another_curves() {
    for curve in [Curve::P256, Curve::K256] {
        let (compressed, uncompressed) = points(curve);
        let encode = |bytes: &[u8]| multibase::encode(Base::Base58Btc, bytes);
        let expect = Ok(key(curve, 7).public_key());
        for point in [&compressed, &uncompressed] {
            assert_eq!(
                PublicKey::from_legacy_multibase(curve, &encode(point)),
                expect
            );
        }
        let other = match curve {
            Curve::P256 => Curve::K256,
            Curve::K256 => Curve::P256,
        };
        let wrong = PublicKey::from_legacy_multibase(other, &encode(&uncompressed));
        assert_eq!(wrong, Err(KeyError::BadPoint));
        let hybrid = [&[6 | (uncompressed[64] & 1)][..], &uncompressed[1..]].concat();
        let wrong = PublicKey::from_legacy_multibase(curve, &encode(&hybrid));
        assert_eq!(wrong, Err(KeyError::BadPoint));
    }
}

#[test]
fn bytes_that_are_no_private_key_are_refused() {
    for curve in [Curve::P256, Curve::K256] {
        for bytes in [&[][..], &[0; 32], &[0xff; 32], &[1; 31], &[1; 33]] {
            let outcome = SigningKey::from_bytes(curve, bytes);
            assert_eq!(outcome.unwrap_err(), KeyError::BadScalar, "{bytes:?}");
        }
    }
}

#[test]
fn generated_keys_differ_and_sign_for_themselves_only() {
    let random = Counting::default();
    for curve in [Curve::P256, Curve::K256] {
        let (one, two) = (
            SigningKey::generate(curve, &random),
            SigningKey::generate(curve, &random),
        );
        assert_ne!(one.public_key(), two.public_key());
        let signature = one.sign(b"hello");
        assert_eq!(one.public_key().verify(b"hello", &signature), Ok(()));
        assert_eq!(
            two.public_key().verify(b"hello", &signature),
            Err(BadSignature)
        );
        assert_eq!(
            one.public_key().verify(b"hullo", &signature),
            Err(BadSignature)
        );
    }
}

#[test]
#[should_panic(expected = "is not a key")]
fn a_broken_source_of_randomness_ends_in_a_panic_and_not_in_a_loop() {
    struct Zeros;
    impl huddle_ports::Random for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }
    SigningKey::generate(Curve::K256, &Zeros);
}

#[test]
fn only_the_one_form_of_a_signature_is_accepted() {
    for curve in [Curve::P256, Curve::K256] {
        let signer = key(curve, 9);
        let public = signer.public_key();
        let good = signer.sign(b"m");
        let (high, der) = match curve {
            Curve::P256 => {
                let signature = p256::ecdsa::Signature::from_slice(&good).unwrap();
                let high = p256::ecdsa::Signature::from_scalars(signature.r(), -*signature.s());
                (
                    high.unwrap().to_vec(),
                    signature.to_der().as_bytes().to_vec(),
                )
            }
            Curve::K256 => {
                let signature = k256::ecdsa::Signature::from_slice(&good).unwrap();
                let high = k256::ecdsa::Signature::from_scalars(signature.r(), -*signature.s());
                (
                    high.unwrap().to_vec(),
                    signature.to_der().as_bytes().to_vec(),
                )
            }
        };
        assert_eq!(high[..32], good[..32]);
        for bad in [
            high,
            der,
            good[..63].to_vec(),
            [&good[..], &[0]].concat(),
            Vec::new(),
            vec![0; 64],
            vec![0xff; 64],
            [&good[32..], &good[..32]].concat(),
            [&good[..32], &[0; 32]].concat(),
            [&[0; 32], &good[32..]].concat(),
        ] {
            assert_eq!(public.verify(b"m", &bad), Err(BadSignature), "{bad:?}");
        }
        assert_eq!(public.verify(b"m", &good), Ok(()));
    }
}

#[test]
fn debug_shows_public_keys_and_hides_private_ones() {
    let private = SigningKey::from_bytes(Curve::P256, &[0xab; 32]).unwrap();
    let text = format!("{private:?}");
    assert!(text.contains(&private.public_key().to_did_key()));
    assert!(format!("{:?}", private.public_key()).contains("did:key:zDn"));
    assert!(!text.contains("abab") && !text.contains("171"), "{text}");
}

proptest! {
    // Signing takes milliseconds in a debug build.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_signed_verifies_and_its_key_survives_its_text(
        bytes in any::<[u8; 32]>(),
        message in any::<Vec<u8>>(),
        flip in 0..512_usize,
    ) {
        for curve in [Curve::P256, Curve::K256] {
            let Ok(key) = SigningKey::from_bytes(curve, &bytes) else { continue };
            let public = PublicKey::from_did_key(&key.public_key().to_did_key()).unwrap();
            prop_assert_eq!(&public, &key.public_key());
            let mut signature = key.sign(&message);
            prop_assert_eq!(public.verify(&message, &signature), Ok(()));
            signature[flip / 8] ^= 1 << (flip % 8);
            prop_assert_eq!(public.verify(&message, &signature), Err(BadSignature));
        }
    }

    #[test]
    fn no_text_and_no_bytes_make_a_key_panic(text in ".{0,200}", bytes in any::<Vec<u8>>()) {
        let _ = PublicKey::from_did_key(&text);
        let _ = PublicKey::from_multikey(&format!("z{text}"));
        let _ = PublicKey::from_multikey(&multibase::encode(Base::Base58Btc, &bytes));
        for curve in [Curve::P256, Curve::K256] {
            let _ = PublicKey::from_compressed(curve, &bytes);
            let _ = key(curve, 1).public_key().verify(&bytes, &bytes);
        }
    }
}
