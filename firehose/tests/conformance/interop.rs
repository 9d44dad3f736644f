//! The interoperability vectors of AT Protocol.

use crate::input;
use data_encoding::BASE64_NOPAD;
use huddle_firehose::car::Car;
use huddle_firehose::cbor::Reader;
use huddle_firehose::mst::{self, Operation};
use huddle_firehose::{Action, Cid, Frame, VerifyingKey};
use huddle_testdata::{shared, shared_text};
use serde_json::Value;
use std::collections::BTreeMap;

fn vectors(file: &str) -> Vec<Value> {
    let text = shared_text(&format!("conformance/interop/{file}"));
    text.map_or_else(Vec::new, |text| serde_json::from_str(&text).unwrap())
}

fn base64(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap().trim_end_matches('=');
    BASE64_NOPAD.decode(text.as_bytes()).unwrap()
}

#[test]
fn signatures_are_valid_in_the_one_form_that_is_accepted() {
    for vector in vectors("crypto/signature-fixtures.json") {
        let key = VerifyingKey::from_did_key(vector["publicKeyDid"].as_str().unwrap()).unwrap();
        let digest = *Cid::of_cbor(&base64(&vector["messageBase64"])).digest();
        let verdict = key.verify_digest(&digest, &base64(&vector["signatureBase64"]));
        assert_eq!(
            verdict.is_ok(),
            vector["validSignature"],
            "{}",
            vector["comment"]
        );
    }
}

#[test]
fn data_is_canonical_and_has_the_cid_that_it_should_have() {
    for vector in vectors("data-model/data-model-fixtures.json") {
        let bytes = base64(&vector["cbor_base64"]);
        let mut reader = Reader::new(&bytes);
        reader.skip().unwrap();
        reader.end().unwrap();
        assert_eq!(Cid::of_cbor(&bytes).to_string(), vector["cid"]);
    }
}

#[test]
fn data_that_the_model_does_not_have_is_refused() {
    for (file, is_valid) in [("invalid", false), ("valid", true)] {
        for vector in vectors(&format!("data-model/data-model-{file}.json")) {
            let mut bytes = Vec::new();
            encode(&vector["json"], &mut bytes);
            let mut reader = Reader::new(&bytes);
            let is_object = vector["json"].is_object();
            assert_eq!(
                is_object && reader.skip().is_ok(),
                is_valid,
                "{}",
                vector["note"]
            );
        }
    }
}

/// JSON as CBOR, kind by kind: what is a link or bytes in JSON alone is not made into one.
fn encode(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Null => to.push(0xf6),
        Value::Bool(value) => to.push(0xf4 + u8::from(*value)),
        Value::Number(number) => match number.as_f64().unwrap() {
            float if float.fract() != 0.0 => {
                to.push(0xfb);
                to.extend_from_slice(&float.to_be_bytes());
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            integer => head(0, integer as usize, to),
        },
        Value::String(text) => {
            head(3, text.len(), to);
            to.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len(), to);
            for item in items {
                encode(item, to);
            }
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| (name.len(), *name));
            head(5, fields.len(), to);
            for (name, field) in fields {
                encode(&Value::String(name.clone()), to);
                encode(field, to);
            }
        }
    }
}

fn head(kind: u8, argument: usize, to: &mut Vec<u8>) {
    match (u8::try_from(argument), u16::try_from(argument)) {
        (Ok(argument @ 0..24), _) => to.push(kind << 5 | argument),
        (Ok(argument), _) => to.extend_from_slice(&[kind << 5 | 0x18, argument]),
        (_, Ok(argument)) => {
            to.push(kind << 5 | 0x19);
            to.extend_from_slice(&argument.to_be_bytes());
        }
        _ => panic!("no vector has so large a number"),
    }
}

#[test]
fn keys_stand_at_the_height_that_they_should() {
    for vector in vectors("mst/key_heights.json") {
        let key = vector["key"].as_str().unwrap();
        assert_eq!(mst::height(key.as_bytes()), vector["height"], "{key:?}");
    }
    // The second character of these is their height.
    let keys = shared_text("conformance/interop/mst/example_keys.txt").unwrap_or_default();
    for key in keys.lines() {
        assert_eq!(
            mst::height(key.as_bytes()),
            key.as_bytes()[1] - b'0',
            "{key}"
        );
    }
}

fn cid(value: &Value) -> Cid {
    value.as_str().unwrap().parse().unwrap()
}

fn keys(value: &Value) -> impl Iterator<Item = Vec<u8>> + '_ {
    let keys = value.as_array().unwrap().iter();
    keys.map(|key| key.as_str().unwrap().into())
}

#[test]
fn a_proof_is_enough_to_undo_a_commit() {
    for vector in vectors("firehose/commit-proof-fixtures.json") {
        let comment = &vector["comment"];
        let record = cid(&vector["leafValue"]);
        let before = mst::build(&keys(&vector["keys"]).map(|key| (key, record)).collect());
        assert_eq!(before.root, cid(&vector["rootBeforeCommit"]), "{comment}");
        let change = |add, del| -> BTreeMap<_, _> {
            let adds = keys(&vector["adds"]).map(|key| (key, add));
            let dels = keys(&vector["dels"]).map(|key| (key, del));
            adds.chain(dels).collect()
        };
        let (insert, remove) = (Operation::Insert(record), Operation::Remove(record));
        let after = mst::apply(&before.blocks, before.root, &change(insert, remove)).unwrap();
        assert_eq!(after.root, cid(&vector["rootAfterCommit"]), "{comment}");

        let all: BTreeMap<_, _> = before.blocks.into_iter().chain(after.blocks).collect();
        let proof = vector["blocksInProof"].as_array().unwrap().iter().map(cid);
        let proof: BTreeMap<_, _> = proof.map(|cid| (cid, all[&cid].clone())).collect();
        let undone = mst::apply(&proof, after.root, &change(remove, insert)).unwrap();
        assert_eq!(undone.root, before.root, "{comment}");
    }
}

/// The same shapes as signed frames; their paths are none, so only their trees can be looked at.
#[test]
fn proofs_that_are_frames_can_be_undone() {
    let Some(folder) = shared("firehose/proof") else {
        return;
    };
    for frame in input::frames(&folder.join("frames.bin")).unwrap() {
        let Frame::Commit(event) = Frame::decode(&frame).unwrap() else {
            panic!("not a commit");
        };
        let car = Car::read(event.blocks).unwrap();
        let (_, block) = car.iter().find(|(cid, _)| *cid == event.commit).unwrap();
        let commit = huddle_firehose::RepoCommit::read(block).unwrap();
        let operations = event.ops.iter().map(|op| {
            let operation = match op.action {
                Action::Create => Operation::Remove(op.cid.unwrap()),
                _ => Operation::Insert(op.prev.unwrap()),
            };
            (op.path.as_bytes().to_vec(), operation)
        });
        let undone = mst::apply(&car, commit.data, &operations.collect()).unwrap();
        assert_eq!(Some(undone.root), event.prev_data);
    }
}
