//! What jacquard makes of the frames, in its own time. It neither hashes blocks nor takes operations without
//! signatures, so it has only three of the levels.

use super::meter;
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
    for level in ["a", "b", "e"] {
        let rate = meter::per_second(frames.len(), || {
            for frame in frames {
                let message = SubscribeReposMessage::<SmolStr>::decode_framed(black_box(frame));
                let Ok(SubscribeReposMessage::Commit(commit)) = black_box(message) else {
                    continue;
                };
                match level {
                    "a" => {}
                    "b" => {
                        let _ = black_box(runtime.block_on(parse_car_bytes(&commit.blocks)));
                    }
                    _ => {
                        let key = &keys[commit.repo.as_ref() as &str];
                        let _ = black_box(runtime.block_on(validate_v1_1(&commit, key)));
                    }
                }
            }
        });
        tell(level, rate);
    }
}
