//! Namespaced identifiers: the names of lexicons, and so of record types and XRPC methods.

use crate::handle::check_label;
use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;

/// A namespaced identifier, e.g. `com.example.fooBar`: a reversed domain name and a name in it.
///
/// Neither the glob `com.example.*` nor a fragment `com.example.foo#bar` is part of one. Rules:
/// <https://atproto.com/specs/nsid#nsid-syntax>.
///
/// ```
/// use huddle_syntax::Nsid;
///
/// let nsid: Nsid = "com.example.calendar.event".parse()?;
/// assert_eq!(nsid.authority(), "calendar.example.com");
/// assert_eq!(nsid.name(), "event");
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct Nsid(Box<str>);

text_type!(Nsid: "NSID", check);

impl Nsid {
    /// The domain name whose owner decides what the NSID means, in the order of DNS.
    pub fn authority(&self) -> String {
        self.segments().rev().skip(1).collect::<Vec<_>>().join(".")
    }

    /// The last segment, e.g. `fooBar`.
    pub fn name(&self) -> &str {
        self.as_str().rsplit('.').next().unwrap_or_default()
    }

    /// The parts between the dots: at least three, from the top-level domain to the name.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.as_str().split('.')
    }
}

/// A name of 63 bytes in an authority of 253. The authority by itself may be longer, if the name is
/// shorter: the specification says otherwise, but its official vectors hold such an NSID.
const MAX_LEN: usize = 317;

pub(crate) fn check(text: &str) -> Verdict {
    ensure(text.len() <= MAX_LEN, "longer than 317 bytes")?;
    let (authority, name) = text
        .rsplit_once('.')
        .ok_or("has fewer than three segments")?;
    ensure(authority.contains('.'), "has fewer than three segments")?;
    authority.split('.').try_for_each(check_label)?;
    ensure(
        !starts_with_digit(authority),
        "its first segment starts with a digit",
    )?;
    ensure(!name.is_empty(), "its name is empty")?;
    ensure(name.len() <= 63, "its name is longer than 63 bytes")?;
    ensure(
        name.bytes().all(|b| b.is_ascii_alphanumeric()),
        "its name has a character other than letters and digits",
    )?;
    ensure(!starts_with_digit(name), "its name starts with a digit")
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::Nsid;

    #[test]
    fn a_text_that_is_no_nsid_says_why() {
        #[track_caller]
        fn check(text: &str, problem: &str) {
            assert_eq!(
                text.parse::<Nsid>().map_err(|error| error.problem()),
                Err(problem)
            );
        }
        check("", "has fewer than three segments");
        check("com.example", "has fewer than three segments");
        check("com.example.", "its name is empty");
        check("com..name", "has an empty label");
        check("1com.example.name", "its first segment starts with a digit");
        check("com.example.2name", "its name starts with a digit");
        check(
            "com.example.na-me",
            "its name has a character other than letters and digits",
        );
        check(
            "com.example.name#main",
            "its name has a character other than letters and digits",
        );
        check(
            "com.example.*",
            "its name has a character other than letters and digits",
        );
        check(
            &format!("com.example.{}", "a".repeat(64)),
            "its name is longer than 63 bytes",
        );
        check(
            &format!("{}name", "a.".repeat(157)),
            "longer than 317 bytes",
        );
    }

    #[test]
    fn the_longest_nsid_has_317_bytes() {
        let text = format!("{}a.{}", "a.".repeat(126), "a".repeat(63));
        assert_eq!(text.len(), 317);
        assert_eq!(text.parse::<Nsid>().unwrap(), text.as_str());
    }

    #[test]
    fn segments_are_read_from_either_end() {
        let nsid: Nsid = "com.example.fooBar".parse().unwrap();
        assert_eq!(
            nsid.segments().collect::<Vec<_>>(),
            ["com", "example", "fooBar"]
        );
        assert_eq!(nsid.segments().next_back(), Some(nsid.name()));
    }
}
