//! What DNS and a handle's own host say about whose it is, read strictly.

use huddle_syntax::{Did, Handle};

/// Top-level domains that never resolve
/// (<https://atproto.com/specs/handle#additional-non-syntax-restrictions>).
const RESERVED_TLDS: &[&str] = &[
    "alt",
    "arpa",
    "example",
    "internal",
    "invalid",
    "local",
    "localhost",
    "onion",
];

/// What an answer about a handle says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing about a DID.
    Nothing,
    /// This DID.
    Of(Did),
    /// Something, but not exactly one DID.
    Unclear,
}

/// Whether the handle's top-level domain is reserved. `.test` is for development alone.
pub(crate) fn is_reserved(handle: &Handle, development: bool) -> bool {
    let handle = handle.as_str();
    let tld = handle.rsplit('.').next().unwrap_or(handle);
    RESERVED_TLDS.iter().any(|r| tld.eq_ignore_ascii_case(r))
        || (!development && tld.eq_ignore_ascii_case("test"))
}

/// Reads the TXT records of `_atproto.<handle>`. Records of other things are passed over; two that
/// begin with `did=` are unclear, whatever they say.
pub(crate) fn read_txt(records: &[String]) -> Claim {
    let mut dids = records.iter().filter_map(|r| r.strip_prefix("did="));
    match (dids.next(), dids.next()) {
        (None, _) => Claim::Nothing,
        (Some(did), None) => did.parse().map_or(Claim::Unclear, Claim::Of),
        (Some(_), Some(_)) => Claim::Unclear,
    }
}

/// Reads the body of `/.well-known/atproto-did`: one DID, white space around it. Anything else is
/// some other page.
pub(crate) fn read_well_known(body: &[u8]) -> Claim {
    str::from_utf8(body)
        .ok()
        .and_then(|text| text.trim_ascii().parse().ok())
        .map_or(Claim::Nothing, Claim::Of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(did: &str) -> Claim {
        Claim::Of(did.parse().unwrap())
    }

    #[test]
    fn text_records_are_clear_only_with_exactly_one_did() {
        #[track_caller]
        fn check(records: &[&str], expect: &Claim) {
            let records: Vec<String> = records.iter().map(ToString::to_string).collect();
            assert_eq!(read_txt(&records), *expect, "{records:?}");
        }
        check(&[], &Claim::Nothing);
        check(
            &["v=spf1 -all", "DID=did:plc:a", " did=did:plc:a"],
            &Claim::Nothing,
        );
        check(&["did=did:plc:a"], &of("did:plc:a"));
        check(&["v=spf1 -all", "did=did:plc:a", ""], &of("did:plc:a"));
        check(&["did=did:plc:a", "did=did:plc:b"], &Claim::Unclear);
        check(&["did=did:plc:a", "did=did:plc:a"], &Claim::Unclear);
        check(&["did=did:plc:a", "did="], &Claim::Unclear);
        check(&["did="], &Claim::Unclear);
        check(&["did=did:plc:a "], &Claim::Unclear);
        check(&["did=plc:a"], &Claim::Unclear);
    }

    #[test]
    fn the_well_known_page_is_one_did_or_some_other_page() {
        #[track_caller]
        fn check(body: &[u8], expect: &Claim) {
            assert_eq!(read_well_known(body), *expect);
        }
        check(b"did:plc:a", &of("did:plc:a"));
        check(b"  did:plc:a\r\n\n", &of("did:plc:a"));
        check(b"", &Claim::Nothing);
        check(b"<!doctype html><p>Not here", &Claim::Nothing);
        check(b"did:plc:a\ndid:plc:b", &Claim::Nothing);
        check(b"did=did:plc:a", &Claim::Nothing);
        check(b"\"did:plc:a\"", &Claim::Nothing);
        check(b"did:plc:a\xff", &Claim::Nothing);
        check("\u{feff}did:plc:a".as_bytes(), &Claim::Nothing);
    }

    #[test]
    fn reserved_top_level_domains_are_known_in_any_case() {
        for (handle, public, development) in [
            ("a.test", true, false),
            ("a.TEST", true, false),
            ("a.localhost", true, true),
            ("a.Local", true, true),
            ("a.arpa", true, true),
            ("a.internal", true, true),
            ("handle.invalid", true, true),
            ("test.example.com", false, false),
            ("a.example", true, true),
            ("a.com", false, false),
        ] {
            let parsed = handle.parse().unwrap();
            assert_eq!(is_reserved(&parsed, false), public, "{handle}");
            assert_eq!(is_reserved(&parsed, true), development, "{handle}");
        }
    }
}
