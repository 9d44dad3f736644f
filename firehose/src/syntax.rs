//! The syntax of identifiers, checked where they lie: `huddle-syntax` has types of their own for them, which
//! would cost an allocation each. A test holds the two against each other.

/// Whether this is a DID: <https://atproto.com/specs/did>.
#[inline]
pub(crate) fn is_did(text: &str) -> bool {
    match text.as_bytes().split_first_chunk() {
        // Nearly every one there is.
        Some((b"did:plc:", id)) if id.as_array::<24>().is_some_and(are_alphanumeric) => true,
        _ => is_any_did(text),
    }
}

/// Of all at once, which takes a few instructions, and not one by one up to the first that is not.
fn are_alphanumeric<const N: usize>(bytes: &[u8; N]) -> bool {
    let bytes = bytes.iter().map(u8::is_ascii_alphanumeric);
    bytes.fold(true, |all, is_one| all & is_one)
}

fn is_any_did(text: &str) -> bool {
    let parts = text
        .strip_prefix("did:")
        .and_then(|rest| rest.split_once(':'));
    parts.is_some_and(|(method, id)| {
        text.len() <= 2048
            && !method.is_empty()
            && method.bytes().all(|byte| byte.is_ascii_lowercase())
            && !id.is_empty()
            && !id.ends_with([':', '%'])
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._:%-".contains(&byte))
    })
}

/// The collection and the record key of a path in a repository, if it has both and nothing else:
/// <https://atproto.com/specs/nsid>, <https://atproto.com/specs/record-key>.
#[inline]
pub(crate) fn split_path(path: &str) -> Option<(&str, &str)> {
    let halves = halves(path)?;
    (is_nsid(halves.0) && is_record_key(halves.1)).then_some(halves)
}

/// What is before the first slash of a path, and what is behind it, unchecked. Paths are short: a loop over the bytes is
/// over before anything cleverer has begun.
#[inline]
pub(crate) fn halves(path: &str) -> Option<(&str, &str)> {
    let slash = path.bytes().position(|byte| byte == b'/')?;
    Some((&path[..slash], &path[slash + 1..]))
}

pub(crate) fn is_nsid(text: &str) -> bool {
    let mut rest = text.as_bytes();
    if rest.len() > 317 || !rest.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let mut labels = 1;
    loop {
        let end = rest.iter().position(|byte| !is(*byte, OF_LABEL));
        let (label, after) = rest.split_at(end.unwrap_or(rest.len()));
        if !(1..=63).contains(&label.len()) || label.starts_with(b"-") || label.ends_with(b"-") {
            return false;
        }
        match after {
            // The last one is the name.
            [] => return labels >= 3 && label[0].is_ascii_alphabetic() && !label.contains(&b'-'),
            [b'.', after @ ..] => rest = after,
            _ => return false,
        }
        labels += 1;
    }
}

pub(crate) fn is_record_key(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|byte| is(byte, OF_RECORD_KEY))
}

/// What a byte may stand in.
const OF_LABEL: u8 = 1;
const OF_RECORD_KEY: u8 = 2;

#[inline]
const fn is(byte: u8, of: u8) -> bool {
    PLACES[byte as usize] & of != 0
}

const PLACES: [u8; 256] = {
    let mut places = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        places[byte as usize] = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' => OF_LABEL | OF_RECORD_KEY,
            b'.' | b'_' | b':' | b'~' => OF_RECORD_KEY,
            _ => 0,
        };
        byte += 1;
    }
    places
};

#[cfg(test)]
mod tests {
    use super::{is_did, is_nsid, is_record_key, split_path};
    use huddle_syntax::{Did, Nsid, RecordKey};
    use huddle_testdata::shared_text;
    use proptest::prelude::*;

    /// Compares with the types of `huddle-syntax`, which are the reference.
    #[track_caller]
    fn check(text: &str) {
        assert_eq!(is_did(text), text.parse::<Did>().is_ok(), "DID {text:?}");
        assert_eq!(is_nsid(text), text.parse::<Nsid>().is_ok(), "NSID {text:?}");
        let is_key = text.parse::<RecordKey>().is_ok();
        assert_eq!(is_record_key(text), is_key, "record key {text:?}");
    }

    #[test]
    fn interop_vectors_are_judged_as_by_the_types() {
        for kind in ["did", "nsid", "recordkey"] {
            for verdict in ["valid", "invalid"] {
                let file = format!("conformance/interop/syntax/{kind}_syntax_{verdict}.txt");
                let Some(text) = shared_text(&file) else {
                    return;
                };
                text.lines().for_each(check);
            }
        }
    }

    #[test]
    fn lengths_end_where_those_of_the_types_end() {
        for length in [62, 63, 64, 511, 512, 513, 2039, 2040, 2041] {
            check(&"a".repeat(length));
            check(&format!("did:x:{}", "a".repeat(length)));
            check(&format!("did:plc:{}", "a".repeat(length)));
            check(&format!("a.b.{}", "a".repeat(length)));
            check(&format!("a.{}.b", "a".repeat(length)));
        }
    }

    #[test]
    fn a_did_that_only_looks_like_most_is_judged_like_any() {
        for odd in [".", "_", ":", "%", "-", "/", "é"] {
            check(&format!("did:plc:{odd}{}", "a".repeat(24 - odd.len())));
            check(&format!("did:plc:{}{odd}", "a".repeat(24 - odd.len())));
        }
    }

    #[test]
    fn a_path_is_a_collection_and_a_record_key() {
        assert_eq!(split_path("com.example.a/b"), Some(("com.example.a", "b")));
        for path in [
            "",
            "/",
            "com.example.a",
            "com.example.a/",
            "a/b",
            "com.example.a/b/c",
        ] {
            assert_eq!(split_path(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn texts_that_are_nearly_right_are_judged_as_by_the_types(
            text in "(did:)?[a-z]{0,3}[:.][a-zA-Z0-9.:%_~-]{0,12}\\PC?"
        ) {
            check(&text);
        }
    }
}
