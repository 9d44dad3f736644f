//! What jacquard makes of the frames, in its own time. It neither hashes blocks nor takes operations without
//! signatures, so it has only three of the levels.

use crate::{levels, meter};
use huddle_firehose::Frame;
use jacquard_api::com_atproto::sync::subscribe_repos::SubscribeReposMessage;
use jacquard_common::types::crypto::PublicKey;
use jacquard_repo::car::reader::parse_car_bytes;
use jacquard_repo::commit::firehose::validate_v1_1;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::hint::black_box;

pub(crate) fn measure(frames: &[Vec<u8>], keys: &[u8], mut tell: impl FnMut(&str, f64)) {
    let texts: HashMap<String, String> = serde_json::from_slice(keys).expect("an object of keys");
    let keys: HashMap<&str, PublicKey<'static>> = texts
        .iter()
        .map(|(did, text)| {
            let text = text.strip_prefix("did:key:").expect("a did:key");
            (did.as_str(), PublicKey::decode_owned(text).expect("a key"))
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without anything");
    let commits = levels::count(frames, |frame| matches!(frame, Frame::Commit(_)));
    for level in ["a", "b", "e"] {
        let expected = if level == "a" { frames.len() } else { commits };
        let name = format!("jacquard_{level}");
        let mut work = levels::Work::new(&name, frames, expected, |frame| {
            let message = SubscribeReposMessage::<SmolStr>::decode_framed(frame);
            match (level, black_box(message)) {
                ("a", message) => message.is_ok(),
                ("b", Ok(SubscribeReposMessage::Commit(commit))) => {
                    black_box(runtime.block_on(parse_car_bytes(&commit.blocks))).is_ok()
                }
                (_, Ok(SubscribeReposMessage::Commit(commit))) => {
                    let key = &keys[commit.repo.as_ref() as &str];
                    black_box(runtime.block_on(validate_v1_1(&commit, key))).is_ok()
                }
                _ => false,
            }
        });
        let rate = meter::per_second(frames.len(), || {
            black_box(work.pass());
        });
        tell(level, rate);
    }
}
