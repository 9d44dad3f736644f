//! AT URIs: the addresses of repositories, collections and records.

use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;
use crate::{AtIdentifier, Did, Nsid, RecordKey, SyntaxError, at_identifier, nsid, record_key};
use std::str::FromStr;

/// An AT URI, e.g. `at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/3k5nobkf2w72g`.
///
/// The form that lexicons use: an authority, perhaps a collection, perhaps a record key, each valid
/// by itself, and no query. A fragment is kept if it is a path such as `#/embed`, although
/// references to records have none. At most 8 KiB. Rules:
/// <https://atproto.com/specs/at-uri-scheme#restricted-at-uri-syntax>.
///
/// ```
/// use huddle_syntax::AtUri;
///
/// let uri: AtUri = "at://alice.example.com/com.example.event/self".parse()?;
/// assert_eq!(uri.authority(), "alice.example.com");
/// assert_eq!(uri.collection(), Some("com.example.event".parse()?));
/// assert_eq!(uri.rkey(), Some("self".parse()?));
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct AtUri(Box<str>);

text_type!(AtUri: "AT URI", check);

impl AtUri {
    /// The lasting address of a record: with the DID of its repository, not a handle.
    pub fn for_record(repository: &Did, collection: &Nsid, rkey: &RecordKey) -> Self {
        // Every part has a limit of its own: together they stay below 3 KiB.
        Self(format!("at://{repository}/{collection}/{rkey}").into())
    }

    /// The account whose repository is meant.
    pub fn authority(&self) -> AtIdentifier {
        checked(self.parts().authority)
    }

    /// The collection within the repository, if one is named.
    pub fn collection(&self) -> Option<Nsid> {
        self.parts().collection.map(checked)
    }

    /// The key of the record within the collection, if one is named.
    pub fn rkey(&self) -> Option<RecordKey> {
        self.parts().rkey.map(checked)
    }

    /// What follows `#`, with percent-encoding as it came: a path into the record, e.g. `/embed`.
    pub fn fragment(&self) -> Option<&str> {
        self.parts().fragment
    }

    fn parts(&self) -> Parts<'_> {
        split(self.as_str()).expect("an AT URI was split when it was checked")
    }
}

/// Makes an identifier of a part that [`check`] has seen.
fn checked<T: FromStr<Err = SyntaxError>>(part: &str) -> T {
    part.parse()
        .expect("the parts of an AT URI were checked with it")
}

struct Parts<'a> {
    authority: &'a str,
    collection: Option<&'a str>,
    rkey: Option<&'a str>,
    fragment: Option<&'a str>,
}

const MAX_LEN: usize = 8 * 1024;

fn check(text: &str) -> Verdict {
    ensure(text.len() <= MAX_LEN, "longer than 8 KiB")?;
    let parts = split(text)?;
    at_identifier::check(parts.authority).map_err(|_| "its authority is no DID or handle")?;
    if let Some(collection) = parts.collection {
        nsid::check(collection).map_err(|_| "its collection is no NSID")?;
    }
    if let Some(rkey) = parts.rkey {
        record_key::check(rkey).map_err(|_| "its record key is not valid")?;
    }
    parts.fragment.map_or(Ok(()), check_fragment)
}

fn split(text: &str) -> Result<Parts<'_>, &'static str> {
    let rest = text
        .strip_prefix("at://")
        .ok_or("does not start with `at://`")?;
    let (path, fragment) = match rest.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (rest, None),
    };
    ensure(!path.contains('?'), "has a query")?;
    ensure(!path.ends_with('/'), "ends with a slash")?;
    let mut segments = path.split('/');
    let authority = segments.next().unwrap_or_default();
    let (collection, rkey) = (segments.next(), segments.next());
    ensure(
        segments.next().is_none(),
        "has more segments than a collection and a record key",
    )?;
    Ok(Parts {
        authority,
        collection,
        rkey,
        fragment,
    })
}

fn check_fragment(fragment: &str) -> Verdict {
    ensure(
        fragment.starts_with('/'),
        "its fragment does not start with `/`",
    )?;
    ensure(
        fragment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/[]%".contains(&b)),
        "its fragment has a character that a URI does not allow",
    )?;
    ensure(
        fragment.split('%').skip(1).all(starts_with_two_hex_digits),
        "its fragment has a `%` without two hex digits",
    )
}

fn starts_with_two_hex_digits(text: &str) -> bool {
    matches!(text.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::AtUri;

    #[track_caller]
    fn check(text: &str, problem: Option<&str>) {
        let actual = text.parse::<AtUri>().err().map(|error| error.problem());
        assert_eq!(actual, problem, "{text:.80}");
    }

    #[test]
    fn a_uri_says_which_part_of_it_is_wrong() {
        check("AT://a.example", Some("does not start with `at://`"));
        check("at://", Some("its authority is no DID or handle"));
        check(
            "at:///com.example.event",
            Some("its authority is no DID or handle"),
        );
        check(
            "at://a.example:443",
            Some("its authority is no DID or handle"),
        );
        check("at://a.example/", Some("ends with a slash"));
        check("at://a.example/events", Some("its collection is no NSID"));
        check("at://a.example//self", Some("its collection is no NSID"));
        check(
            "at://a.example/com.example.event/..",
            Some("its record key is not valid"),
        );
        check(
            "at://a.example/com.example.event/a/b",
            Some("has more segments than a collection and a record key"),
        );
        check("at://a.example?limit=1", Some("has a query"));
        check("#at://a.example", Some("does not start with `at://`"));
        check(&format!("at://a.example#/{}", "x".repeat(8176)), None);
        check(
            &format!("at://a.example#/{}", "x".repeat(8177)),
            Some("longer than 8 KiB"),
        );
    }

    #[test]
    fn a_fragment_is_a_path_of_uri_characters() {
        check("at://a.example#/", None);
        check(
            "at://a.example/com.example.event/self#/a[0]/%C3%A9?",
            Some("its fragment has a character that a URI does not allow"),
        );
        check("at://a.example/com.example.event/self#/a[0]/%C3%A9", None);
        check(
            "at://a.example#",
            Some("its fragment does not start with `/`"),
        );
        check(
            "at://a.example#name",
            Some("its fragment does not start with `/`"),
        );
        check(
            "at://a.example#/%C",
            Some("its fragment has a `%` without two hex digits"),
        );
        check(
            "at://a.example#/%%41",
            Some("its fragment has a `%` without two hex digits"),
        );
        check(
            "at://a.example#/é",
            Some("its fragment has a character that a URI does not allow"),
        );
    }

    #[test]
    fn parts_are_what_the_text_says() {
        #[track_caller]
        fn check(text: &str, collection: Option<&str>, rkey: Option<&str>, fragment: Option<&str>) {
            let uri: AtUri = text.parse().unwrap();
            assert_eq!(uri.authority(), "did:web:a.example");
            assert_eq!(uri.collection().as_ref().map(AsRef::as_ref), collection);
            assert_eq!(uri.rkey().as_ref().map(AsRef::as_ref), rkey);
            assert_eq!(uri.fragment(), fragment);
        }
        let (collection, rkey, fragment) =
            (Some("com.example.event"), Some("~1"), Some("/a/b%20c"));
        check("at://did:web:a.example", None, None, None);
        check("at://did:web:a.example#/a/b%20c", None, None, fragment);
        check(
            "at://did:web:a.example/com.example.event",
            collection,
            None,
            None,
        );
        check(
            "at://did:web:a.example/com.example.event/~1",
            collection,
            rkey,
            None,
        );
        check(
            "at://did:web:a.example/com.example.event/~1#/a/b%20c",
            collection,
            rkey,
            fragment,
        );
    }

    #[test]
    fn the_address_of_a_record_is_valid_even_of_the_longest_parts() {
        let did = format!("did:web:{}", "a".repeat(2040)).parse().unwrap();
        let label = "a".repeat(63);
        let nsid = format!("{label}.{label}.{label}.{}.{label}", "a".repeat(61))
            .parse()
            .unwrap();
        let rkey = "a".repeat(512).parse().unwrap();
        let uri = AtUri::for_record(&did, &nsid, &rkey);
        assert_eq!(uri.as_str().parse(), Ok(uri));
    }
}
