//! URIs of any scheme.

use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;

/// A URI of any scheme, e.g. `https://example.com/path`, of at most 8 KiB.
///
/// The scheme is that of RFC 3986 §3.1, and something has to follow it. The rest is not taken
/// apart: anything but white space and control characters is kept, because records in the network
/// hold characters that RFC 3986 would have encoded. Rules:
/// <https://atproto.com/specs/lexicon#uri>.
///
/// ```
/// use huddle_syntax::Uri;
///
/// let uri: Uri = "https://example.com/book".parse()?;
/// assert_eq!(uri.scheme(), "https");
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct Uri(Box<str>);

text_type!(Uri: "URI", check);

impl Uri {
    /// The part before the first colon, as it came: schemes do not distinguish case.
    pub fn scheme(&self) -> &str {
        self.as_str().split(':').next().unwrap_or_default()
    }
}

const MAX_LEN: usize = 8 * 1024;

fn check(text: &str) -> Verdict {
    ensure(text.len() <= MAX_LEN, "longer than 8 KiB")?;
    let (scheme, rest) = text.split_once(':').ok_or("has no scheme")?;
    ensure(
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()),
        "its scheme does not start with a letter",
    )?;
    ensure(
        scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)),
        "its scheme has a character other than letters, digits and `+-.`",
    )?;
    ensure(!rest.is_empty(), "nothing follows its scheme")?;
    ensure(
        !rest.contains(|c: char| c.is_whitespace() || c.is_control()),
        "has white space or a control character",
    )
}

#[cfg(test)]
mod tests {
    use super::Uri;

    #[track_caller]
    fn check(text: &str, problem: Option<&str>) {
        assert_eq!(
            text.parse::<Uri>().err().map(|error| error.problem()),
            problem,
            "{text:.80}"
        );
    }

    #[test]
    fn any_scheme_is_accepted() {
        check("mailto:alice@example.com", None);
        check("file:///etc/hosts", None);
        check("urn:uuid:00000000-0000-0000-0000-000000000000", None);
        check("web+at:x", None);
        check("https://example.com/日本", None);
    }

    #[test]
    fn a_text_that_is_no_uri_says_why() {
        check("", Some("has no scheme"));
        check("/path", Some("has no scheme"));
        check(
            "1password:x",
            Some("its scheme does not start with a letter"),
        );
        check(
            "a_b:x",
            Some("its scheme has a character other than letters, digits and `+-.`"),
        );
        check("https:", Some("nothing follows its scheme"));
        check(
            "https://a b",
            Some("has white space or a control character"),
        );
        check(
            "https://a\r\nhost: b",
            Some("has white space or a control character"),
        );
        check(
            "https://a\0",
            Some("has white space or a control character"),
        );
        check(
            "https://a\u{a0}b",
            Some("has white space or a control character"),
        );
        check(&format!("x:{}", "y".repeat(8190)), None);
        check(
            &format!("x:{}", "y".repeat(8191)),
            Some("longer than 8 KiB"),
        );
    }
}
