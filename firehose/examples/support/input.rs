//! Reads what the examples are given: files of frames and of keys.

use huddle_firehose::VerifyingKey;
use std::collections::HashMap;
use std::path::Path;

/// The keys of accounts, by DID.
pub(crate) type Keys = HashMap<String, VerifyingKey>;

/// What is wrong with a file.
pub(crate) type Error = Box<dyn std::error::Error>;

/// A number of 32 bits, then so many frames, each after its length in 32 bits.
pub(crate) fn frames(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    read_frames(&bytes).ok_or_else(|| format!("{}: cut off", path.display()).into())
}

fn read_frames(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (count, mut rest) = read_number(bytes)?;
    let mut frames = Vec::new();
    for _ in 0..count {
        let (length, after) = read_number(rest)?;
        let (frame, after) = after.split_at_checked(length)?;
        frames.push(frame.to_vec());
        rest = after;
    }
    rest.is_empty().then_some(frames)
}

fn read_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_be_bytes(*number)).ok()?, rest))
}

/// A JSON object of DIDs and their `did:key`.
pub(crate) fn keys(path: &Path) -> Result<Keys, Error> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let texts: HashMap<String, String> = serde_json::from_str(&text)?;
    let keys = texts.into_iter().map(|(did, key)| {
        let key = VerifyingKey::from_did_key(&key).map_err(|error| format!("{did}: {error}"))?;
        Ok((did, key))
    });
    keys.collect()
}
