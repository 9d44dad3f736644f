//! Tokens that somebody without the key can make of one that was issued.

use super::signed;
use data_encoding::BASE64URL_NOPAD;
use huddle_identity::crypto::{Curve, SigningKey};

/// All of them for a token that was signed on this curve.
pub(super) fn all(token: &str, curve: Curve) -> Vec<String> {
    let (message, signature) = token.rsplit_once('.').expect("a token has three parts");
    let (header, payload) = message.split_once('.').expect("a token has three parts");
    let bytes = decoded(signature);
    let (r, s) = bytes.split_at(32);
    let with = |signature: &[u8]| format!("{message}.{}", BASE64URL_NOPAD.encode(signature));

    let mut forgeries = vec![
        format!("{message}."),
        with(&[0; 64]),
        with(&[0xff; 64]),
        with(&[s, r].concat()),
        // Whoever has a signature has a second one, unless `s` must be the lower of two.
        with(&[r, &negated(s, curve)].concat()),
        with(&[r, s, &[0]].concat()),
        with(&[r, &s[..31]].concat()),
        with(&der(r, s)),
        // The same bytes, written in another way.
        format!("{token}=="),
        format!("{message}.{}", with_another_last_digit(signature)),
    ];
    let parts = [header, payload]
        .map(|part| String::from_utf8(decoded(part)).expect("what was read as JSON is text"));
    let [header_text, payload_text] = &parts;
    for curve in [Curve::K256, Curve::P256] {
        let stranger = SigningKey::from_bytes(curve, &[9; 32]).expect("a number below the order");
        forgeries.push(signed(header_text, payload_text, &stranger));
    }
    // The same claims in other bytes, with the signature of these.
    let spaced = BASE64URL_NOPAD.encode(format!("{payload_text} ").as_bytes());
    forgeries.push(format!("{header}.{spaced}.{signature}"));
    let unsigned = BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#);
    forgeries.push(format!("{unsigned}.{payload}."));
    forgeries
}

fn decoded(part: &str) -> Vec<u8> {
    BASE64URL_NOPAD
        .decode(part.as_bytes())
        .expect("a token is base64url")
}

/// The order of a curve less `s`, both of them numbers of 32 bytes.
fn negated(s: &[u8], curve: Curve) -> Vec<u8> {
    // SEC 2 §2.4.1 and §2.4.2.
    let order = data_encoding::HEXUPPER
        .decode(match curve {
            Curve::K256 => b"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141",
            Curve::P256 => b"FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
        })
        .expect("the orders are in hexadecimal digits");
    let mut difference = vec![0; 32];
    let mut borrow = false;
    for place in (0..32).rev() {
        let (digit, first) = order[place].overflowing_sub(s[place]);
        let (digit, second) = digit.overflowing_sub(borrow.into());
        difference[place] = digit;
        borrow = first || second;
    }
    difference
}

/// A signature as X.509 writes it, which JWS does not (RFC 7518 §3.4).
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integers = [r, s]
        .map(|integer| [&[2, 33, 0], integer].concat())
        .concat();
    [&[0x30, 70], integers.as_slice()].concat()
}

/// 64 bytes leave four bits of the last digit unused, which must be 0.
fn with_another_last_digit(signature: &str) -> String {
    let mut digits = signature.to_owned();
    let last = digits
        .pop()
        .map_or('A', |digit| char::from(digit as u8 + 1));
    digits.push(last);
    digits
}
