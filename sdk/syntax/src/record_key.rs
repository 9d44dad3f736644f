//! Record keys: the names of records within a collection.

use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;
use crate::{Nsid, Tid};

/// The key of a record within its collection, e.g. `self` or a [`Tid`].
///
/// Case-sensitive. This is the general syntax; a lexicon may ask for a narrower one. Rules:
/// <https://atproto.com/specs/record-key#record-key-syntax>.
///
/// ```
/// use huddle_syntax::RecordKey;
///
/// assert!("self".parse::<RecordKey>().is_ok());
/// assert!("a/b".parse::<RecordKey>().is_err());
/// ```
#[derive(Clone)]
pub struct RecordKey(Box<str>);

text_type!(RecordKey: "record key", check);

impl From<Tid> for RecordKey {
    fn from(tid: Tid) -> Self {
        Self(tid.as_str().into())
    }
}

impl From<Nsid> for RecordKey {
    fn from(nsid: Nsid) -> Self {
        Self(nsid.as_str().into())
    }
}

const MAX_LEN: usize = 512;

pub(crate) fn check(text: &str) -> Verdict {
    ensure(!text.is_empty(), "empty")?;
    ensure(text.len() <= MAX_LEN, "longer than 512 bytes")?;
    ensure(
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_:~".contains(&b)),
        "has a character other than letters, digits and `.-_:~`",
    )?;
    ensure(text != "." && text != "..", "`.` and `..` are not allowed")
}

#[cfg(test)]
mod tests {
    use super::RecordKey;
    use crate::{Nsid, Tid};

    #[test]
    fn a_text_that_is_no_record_key_says_why() {
        #[track_caller]
        fn check(text: &str, problem: &str) {
            assert_eq!(
                text.parse::<RecordKey>().map_err(|error| error.problem()),
                Err(problem)
            );
        }
        check("", "empty");
        check("..", "`.` and `..` are not allowed");
        check(
            "#extra",
            "has a character other than letters, digits and `.-_:~`",
        );
        check(
            "é",
            "has a character other than letters, digits and `.-_:~`",
        );
        check(&"a".repeat(513), "longer than 512 bytes");
    }

    #[test]
    fn the_keys_that_lexicons_ask_for_are_record_keys() {
        #[track_caller]
        fn check(key: RecordKey) {
            assert_eq!(key.as_str().parse(), Ok(key));
        }
        check(Tid::from_parts(0, 0).unwrap().into());
        check("com.example.x-y.fooBar".parse::<Nsid>().unwrap().into());
    }
}
