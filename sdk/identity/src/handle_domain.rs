//! Where the domain of a handle says whose it is, and what it says, read strictly.

use huddle_ports::{FetchPolicy, Url};
use huddle_syntax::{Did, Handle};

use crate::resolver::IdentityError;

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

/// The longest name that can be asked of DNS (RFC 1035 §2.3.4, without the root's dot).
const MAX_DNS_NAME_LEN: usize = 253;

/// What the text records of a handle say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing about a DID.
    Nothing,
    /// This DID.
    Of(Did),
    /// Something, but not exactly one DID.
    Unclear,
}

/// Where the TXT records of `handle` are, or `None` if its name is too long to have any: such a
/// handle stands at its own host alone (<https://atproto.com/specs/handle#dns-txt-method>).
pub(crate) fn text_record_name(handle: &Handle) -> Option<String> {
    let name = format!("_atproto.{handle}");
    (name.len() <= MAX_DNS_NAME_LEN).then_some(name)
}

/// The page at the handle's own host, if the protocol resolves such a handle and `policy` lets that
/// host be asked.
///
/// `.test` is for development alone; those hosts are on this machine, where there is no `https`.
pub(crate) fn well_known_url(handle: &Handle, policy: &FetchPolicy) -> Result<Url, IdentityError> {
    let text = handle.as_str();
    let tld = text.rsplit('.').next().unwrap_or(text);
    let is_test = tld.eq_ignore_ascii_case("test");
    if RESERVED_TLDS.iter().any(|r| tld.eq_ignore_ascii_case(r))
        || (is_test && !policy.is_development())
    {
        return Err(IdentityError::Unsupported);
    }
    let scheme = if is_test { "http" } else { "https" };
    let url = Url::parse(&format!("{scheme}://{text}/.well-known/atproto-did"))
        .map_err(|_| IdentityError::Unsupported)?;
    policy
        .check_url(&url)
        .map_err(|_| IdentityError::NotAllowed)?;
    Ok(url)
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
pub(crate) fn read_well_known(body: &[u8]) -> Option<Did> {
    str::from_utf8(body).ok()?.trim_ascii().parse().ok()
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
        fn check(body: &[u8], expect: Option<&str>) {
            let did = read_well_known(body);
            assert_eq!(did.as_ref().map(Did::as_str), expect);
        }
        check(b"did:plc:a", Some("did:plc:a"));
        check(b"  did:plc:a\r\n\n", Some("did:plc:a"));
        check(b"", None);
        check(b"<!doctype html><p>Not here", None);
        check(b"did:plc:a\ndid:plc:b", None);
        check(b"did=did:plc:a", None);
        check(b"\"did:plc:a\"", None);
        check(b"did:plc:a\xff", None);
        check("\u{feff}did:plc:a".as_bytes(), None);
    }

    #[test]
    fn the_page_of_a_handle_is_at_a_host_that_may_be_asked() {
        #[track_caller]
        fn check(handle: &str, policy: &FetchPolicy, expect: Result<&str, IdentityError>) {
            let url = well_known_url(&handle.parse().unwrap(), policy);
            let expect = expect.map(|origin| format!("{origin}/.well-known/atproto-did"));
            assert_eq!(url.map(String::from), expect, "{handle}");
        }
        let (public, development) = (FetchPolicy::public(), FetchPolicy::development());
        for policy in [&public, &development] {
            check("a.com", policy, Ok("https://a.com"));
            check("test.example.com", policy, Ok("https://test.example.com"));
            for reserved in [
                "a.localhost",
                "a.Local",
                "a.arpa",
                "a.internal",
                "handle.invalid",
                "a.example",
            ] {
                check(reserved, policy, Err(IdentityError::Unsupported));
            }
        }
        for test in ["a.test", "a.TEST"] {
            check(test, &public, Err(IdentityError::Unsupported));
            check(test, &development, Ok("http://a.test"));
        }
        // Names that networks use without asking: the protocol has nothing against them.
        for private in ["a.corp", "a.lan", "a.home"] {
            check(private, &public, Err(IdentityError::NotAllowed));
        }
    }

    #[test]
    fn a_handle_that_is_too_long_has_no_text_records() {
        for (len, has_records) in [(20, true), (244, true), (245, false), (253, false)] {
            let labels = format!("{0}.{0}.{0}.{0}", "a".repeat(62));
            let handle = format!("{}.com", &labels[..len - 4]);
            let handle = handle.parse().unwrap();
            assert_eq!(text_record_name(&handle).is_some(), has_records, "{len}");
        }
    }
}
