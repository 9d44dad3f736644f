//! `did:web`, as far as the protocol allows it: a host name, no path.

use huddle_ports::{FetchPolicy, Url};
use huddle_syntax::Did;

/// Where the document of a `did:web` is, or `None` if the protocol or `policy` does not allow that
/// one.
///
/// Allowed is a bare host name (<https://atproto.com/specs/did>). In development `localhost` too,
/// with a port or without, which is asked over `http`.
pub(crate) fn document_url(did: &Did, policy: &FetchPolicy) -> Option<Url> {
    let host = did.as_str().strip_prefix("did:web:")?;
    let (name, port) = match host.split_once("%3A").or_else(|| host.split_once("%3a")) {
        None => (host, None),
        Some((name, port)) => (name, Some(port)),
    };
    let is_local = name == "localhost" && policy.is_development();
    if port.is_some_and(|port| !is_local || !is_port(port)) {
        return None;
    }
    // Only characters of host names: what is left of `:` and `%` would be a path, or hide
    // something.
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    {
        return None;
    }
    let scheme = if is_local { "http" } else { "https" };
    let colon = if port.is_some() { ":" } else { "" };
    let port = port.unwrap_or_default();
    let url = Url::parse(&format!(
        "{scheme}://{name}{colon}{port}/.well-known/did.json"
    ))
    .ok()?;
    // A number is read as an address by URLs; a trailing dot would make a second name for one host.
    let is_name = url.domain().is_some() && !name.ends_with('.');
    (is_name && policy.check_url(&url).is_ok()).then_some(url)
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0')
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(policy: &FetchPolicy, did: &str, expect: Option<&str>) {
        let parsed = did.parse().unwrap();
        let url = document_url(&parsed, policy);
        assert_eq!(url.as_ref().map(Url::as_str), expect, "{did}");
    }

    #[test]
    fn a_bare_host_name_is_asked_over_https() {
        let policy = FetchPolicy::public();
        check(
            &policy,
            "did:web:example.com",
            Some("https://example.com/.well-known/did.json"),
        );
        check(
            &policy,
            "did:web:a-b.Example.com",
            Some("https://a-b.example.com/.well-known/did.json"),
        );
    }

    #[test]
    fn everything_but_a_public_host_name_is_refused() {
        for did in [
            "did:web:localhost",
            "did:web:localhost%3A3000",
            "did:web:example.com%3A443",
            "did:web:example.com%3A3000",
            "did:web:example.com:user",
            "did:web:example.com:",
            "did:web:example.com%2Fpath",
            "did:web:user%40example.com",
            "did:web:127.0.0.1",
            "did:web:8.8.8.8",
            "did:web:2130706433",
            "did:web:0x7f.1",
            "did:web:%5B%3A%3A1%5D",
            "did:web:intranet",
            "did:web:service.internal",
            "did:web:printer.local",
            "did:web:example.com.",
            "did:web:example..com",
            "did:web:example.com%3A",
            "did:web:exa_mple.com",
            "did:web:%65xample.com",
        ] {
            if let Ok(parsed) = did.parse() {
                assert_eq!(document_url(&parsed, &FetchPolicy::public()), None, "{did}");
            }
        }
    }

    #[test]
    fn development_adds_localhost_with_a_port_over_http() {
        let policy = FetchPolicy::development();
        check(
            &policy,
            "did:web:localhost%3A3000",
            Some("http://localhost:3000/.well-known/did.json"),
        );
        check(
            &policy,
            "did:web:localhost%3a3000",
            Some("http://localhost:3000/.well-known/did.json"),
        );
        check(
            &policy,
            "did:web:localhost",
            Some("http://localhost/.well-known/did.json"),
        );
        check(
            &policy,
            "did:web:example.com",
            Some("https://example.com/.well-known/did.json"),
        );
        for did in [
            "did:web:localhost%3A",
            "did:web:localhost%3A0",
            "did:web:localhost%3A099",
            "did:web:localhost%3A65536",
            "did:web:localhost%3A80%3A81",
            "did:web:localhost%3A-1",
            "did:web:127.0.0.1%3A3000",
            "did:web:example.com%3A3000",
            "did:web:localhost:user",
        ] {
            if let Ok(parsed) = did.parse() {
                assert_eq!(document_url(&parsed, &policy), None, "{did}");
            }
        }
    }
}
