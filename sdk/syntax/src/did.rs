//! Decentralized identifiers: the lasting name of an account or service.

use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;

/// A decentralized identifier, e.g. `did:plc:z72i7hdynmk6r22z27h6tvur`.
///
/// Any method is accepted: whether one can be resolved is not a question of syntax. Rules:
/// <https://atproto.com/specs/did#at-protocol-did-identifier-syntax>.
///
/// ```
/// use huddle_syntax::Did;
///
/// let did: Did = "did:web:example.com".parse()?;
/// assert_eq!(did.method(), "web");
/// assert_eq!(did.method_specific_id(), "example.com");
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct Did(Box<str>);

text_type!(Did: "DID", check);

impl Did {
    /// The part that says how to resolve the DID, e.g. `plc`.
    pub fn method(&self) -> &str {
        self.method_and_id().0
    }

    /// All that follows the method, with percent-encoding as it came, e.g. `localhost%3A3000`.
    pub fn method_specific_id(&self) -> &str {
        self.method_and_id().1
    }

    fn method_and_id(&self) -> (&str, &str) {
        split(self.as_str()).expect("a DID was split when it was checked")
    }
}

const MAX_LEN: usize = 2048;

pub(crate) fn check(text: &str) -> Verdict {
    ensure(text.len() <= MAX_LEN, "longer than 2048 bytes")?;
    let (method, id) = split(text)?;
    let is_method = !method.is_empty() && method.bytes().all(|b| b.is_ascii_lowercase());
    ensure(is_method, "its method is not lower-case letters")?;
    ensure(!id.is_empty(), "nothing follows its method")?;
    ensure(
        id.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._:%-".contains(&b)),
        "has a character other than letters, digits and `._:%-`",
    )?;
    // What follows a percent sign is left to the resolver, as the specification allows.
    ensure(!id.ends_with([':', '%']), "ends with `:` or `%`")
}

fn split(text: &str) -> Result<(&str, &str), &'static str> {
    let rest = text
        .strip_prefix("did:")
        .ok_or("does not start with `did:`")?;
    rest.split_once(':').ok_or("has no `:` after its method")
}

#[cfg(test)]
mod tests {
    use super::Did;

    #[test]
    fn a_text_that_is_no_did_says_why() {
        #[track_caller]
        fn check(text: &str, problem: &str) {
            assert_eq!(
                text.parse::<Did>().map_err(|error| error.problem()),
                Err(problem)
            );
        }
        check("", "does not start with `did:`");
        check("DID:plc:abc", "does not start with `did:`");
        check("did:plc", "has no `:` after its method");
        check("did::abc", "its method is not lower-case letters");
        check("did:k256:abc", "its method is not lower-case letters");
        check("did:plc:", "nothing follows its method");
        check(
            "did:plc:abc#atproto",
            "has a character other than letters, digits and `._:%-`",
        );
        check(
            "did:plc:abcé",
            "has a character other than letters, digits and `._:%-`",
        );
        check("did:web:a%", "ends with `:` or `%`");
        check(
            &format!("did:web:{}", "a".repeat(2041)),
            "longer than 2048 bytes",
        );
    }

    #[test]
    fn the_specific_identifier_may_hold_colons() {
        let did: Did = "did:web:localhost%3A3000:user".parse().unwrap();
        assert_eq!(
            (did.method(), did.method_specific_id()),
            ("web", "localhost%3A3000:user")
        );
    }
}
