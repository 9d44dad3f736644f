//! Handles: the domain names that accounts go by.

use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;

/// A handle, e.g. `alice.example.com`: a domain name that may point to an account.
///
/// Compared and kept as it came; domain names do not distinguish case, so that two handles are of
/// the same account if their [`normalized`](Handle::normalized) forms are equal. Top-level domains
/// that nobody can register, e.g. `.invalid`, are valid here and fail to resolve. Rules:
/// <https://atproto.com/specs/handle#handle-identifier-syntax>.
///
/// ```
/// use huddle_syntax::Handle;
///
/// let handle: Handle = "Alice.Example.COM".parse()?;
/// assert_eq!(handle.normalized(), "alice.example.com");
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct Handle(Box<str>);

text_type!(Handle: "handle", check);

impl Handle {
    /// The handle in lower case: the form to store, compare and show.
    #[must_use]
    pub fn normalized(&self) -> Self {
        Self(self.0.to_ascii_lowercase().into())
    }
}

/// The 255 bytes that a domain name may take on the wire (RFC 1035 §2.3.4), as text.
const MAX_LEN: usize = 253;

pub(crate) fn check(text: &str) -> Verdict {
    ensure(text.len() <= MAX_LEN, "longer than 253 bytes")?;
    text.split('.').try_for_each(check_label)?;
    let (_, top) = text.rsplit_once('.').ok_or("has no dot")?;
    ensure(
        !top.starts_with(|c: char| c.is_ascii_digit()),
        "its last label starts with a digit",
    )
}

/// Checks one label of a domain name (RFC 1035 §2.3.1, with the leading digit of RFC 1123 §2.1).
pub(crate) fn check_label(label: &str) -> Verdict {
    ensure(!label.is_empty(), "has an empty label")?;
    ensure(label.len() <= 63, "has a label longer than 63 bytes")?;
    ensure(
        label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-'),
        "has a character other than letters, digits, hyphens and dots",
    )?;
    ensure(
        !label.starts_with('-') && !label.ends_with('-'),
        "has a hyphen at the edge of a label",
    )
}

#[cfg(test)]
mod tests {
    use super::Handle;

    #[test]
    fn a_text_that_is_no_handle_says_why() {
        #[track_caller]
        fn check(text: &str, problem: &str) {
            assert_eq!(
                text.parse::<Handle>().map_err(|error| error.problem()),
                Err(problem)
            );
        }
        check("", "has an empty label");
        check("alice", "has no dot");
        check("alice.", "has an empty label");
        check("alice..test", "has an empty label");
        check("alice.1test", "its last label starts with a digit");
        check("-alice.test", "has a hyphen at the edge of a label");
        check(
            "@alice.test",
            "has a character other than letters, digits, hyphens and dots",
        );
        check(
            "älice.test",
            "has a character other than letters, digits, hyphens and dots",
        );
        check(
            &format!("{}.test", "a".repeat(64)),
            "has a label longer than 63 bytes",
        );
        check(
            &format!("{}test", "a.".repeat(125)),
            "longer than 253 bytes",
        );
    }
}
