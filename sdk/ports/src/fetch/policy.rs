//! Whom a request may be made to.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::{AddressKind, special_kind};

/// Why a request is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Not `https`.
    #[error("only https is allowed")]
    Scheme,
    /// A port that the policy does not name.
    #[error("the port {0} is not allowed")]
    Port(u16),
    /// A user name or a password in the URL.
    #[error("a URL with a user or a password is not allowed")]
    UserInfo,
    /// No host at all.
    #[error("the URL has no host")]
    NoHost,
    /// No address to connect to.
    #[error("the host has no address")]
    NoAddress,
    /// A host name without a dot, which only means something on a local network.
    #[error("a host name needs a dot")]
    SingleLabel,
    /// A name that is reserved for local or special use.
    #[error("the host name is reserved")]
    ReservedName,
    /// The host's address, or one of several, is not on the public Internet.
    #[error("the host has an address that is not public ({0})")]
    Address(AddressKind),
}

/// The rules about whom a request may be made to: the guard against server-side request forgery.
///
/// The public policy allows `https` to port 443 of hosts on the public Internet, and nothing else:
///
/// - no user information in the URL;
/// - no host name that is a single label or ends in a name reserved for local or special use;
/// - no address that is loopback, private, link-local, shared, reserved, for documentation,
///   multicast, that carries an IPv4 address inside an IPv6 one, or where a cloud platform keeps
///   metadata. Of a name with several addresses **all** must be public.
///
/// So a machine that reaches the IPv4 Internet through NAT64 alone reaches only hosts that have
/// IPv6 addresses of their own.
///
/// ```
/// use huddle_ports::{Blocked, FetchPolicy, Url};
///
/// let policy = FetchPolicy::public();
/// assert_eq!(policy.check_url(&Url::parse("https://example.com/feed.ics").unwrap()), Ok(()));
/// assert_eq!(policy.check_url(&Url::parse("http://example.com/").unwrap()), Err(Blocked::Scheme));
/// assert!(matches!(
///     policy.check_url(&Url::parse("https://0x7f.1/").unwrap()),
///     Err(Blocked::Address(_))
/// ));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPolicy {
    ports: Vec<u16>,
    development: bool,
}

/// Names that end in one of these mean something on a local network, to a special resolver, or
/// nothing: the registry of RFC 6761 with its later entries (RFC 6762, RFC 7686, RFC 8375, RFC
/// 9476), ICANN's `internal`, and the ones that networks use without asking and ICANN therefore
/// does not delegate.
const RESERVED_SUFFIXES: &[&str] = &[
    "alt",
    "arpa",
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
];

impl FetchPolicy {
    /// The rules for a service on the Internet.
    pub fn public() -> Self {
        Self {
            ports: vec![443],
            development: false,
        }
    }

    /// The public rules, and beside them this machine: any port of a loopback address, `http` too,
    /// by any name that resolves to nothing else. Never for a service that others can reach.
    pub fn development() -> Self {
        Self {
            development: true,
            ..Self::public()
        }
    }

    /// The same rules with one more port, for example 8443, where CalDAV servers are often found.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.ports.push(port);
        self
    }

    /// Whether this machine may be reached too.
    pub fn is_development(&self) -> bool {
        self.development
    }

    /// Everything that can be said without a look-up. A name that passes is not yet allowed: its
    /// addresses have to pass [`check_addresses`](Self::check_addresses).
    pub fn check_url(&self, url: &Url) -> Result<(), Blocked> {
        let blocked = self.public_problem(url);
        if !self.development || matches!(blocked, Some(Blocked::UserInfo | Blocked::NoHost)) {
            return blocked.map_or(Ok(()), Err);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Blocked::Scheme);
        }
        match literal_address(url) {
            Some(address) if is_loopback(address) => Ok(()),
            Some(_) => blocked.map_or(Ok(()), Err),
            // Whether the name is this machine's is for `check_addresses` to say.
            None => Ok(()),
        }
    }

    /// Whether a connection to these addresses, found for the host of `url`, may be made. One
    /// address that may not be reached blocks them all: who answers with one is not to be trusted
    /// with the others.
    pub fn check_addresses(&self, url: &Url, addresses: &[IpAddr]) -> Result<(), Blocked> {
        self.check_url(url)?;
        if self.development && !addresses.is_empty() && addresses.iter().all(|a| is_loopback(*a)) {
            return Ok(());
        }
        if let Some(blocked) = self.public_problem(url) {
            return Err(blocked);
        }
        if addresses.is_empty() {
            return Err(Blocked::NoAddress);
        }
        match addresses.iter().find_map(|a| special_kind(*a)) {
            Some(kind) => Err(Blocked::Address(kind)),
            None => Ok(()),
        }
    }

    /// What the public rules have against `url` itself.
    fn public_problem(&self, url: &Url) -> Option<Blocked> {
        if !url.username().is_empty() || url.password().is_some() {
            return Some(Blocked::UserInfo);
        }
        let Some(host) = url.host() else {
            return Some(Blocked::NoHost);
        };
        if url.scheme() != "https" {
            return Some(Blocked::Scheme);
        }
        if let Some(port) = url.port_or_known_default()
            && !self.ports.contains(&port)
        {
            return Some(Blocked::Port(port));
        }
        match host {
            Host::Domain(name) => name_problem(name),
            Host::Ipv4(address) => special_kind(address.into()).map(Blocked::Address),
            Host::Ipv6(address) => special_kind(address.into()).map(Blocked::Address),
        }
    }
}

impl Default for FetchPolicy {
    /// The public rules.
    fn default() -> Self {
        Self::public()
    }
}

/// The address of a URL whose host is written as one.
pub(super) fn literal_address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
    }
}

fn is_loopback(address: IpAddr) -> bool {
    special_kind(address) == Some(AddressKind::Loopback)
}

fn name_problem(name: &str) -> Option<Blocked> {
    // A trailing dot only says that the name is absolute.
    let name = name.strip_suffix('.').unwrap_or(name);
    let last_label = name.rsplit('.').next().unwrap_or(name);
    let reserved = RESERVED_SUFFIXES
        .iter()
        .any(|suffix| last_label.eq_ignore_ascii_case(suffix));
    if reserved {
        Some(Blocked::ReservedName)
    } else if name.split('.').any(str::is_empty) {
        Some(Blocked::NoHost)
    } else if last_label.len() == name.len() {
        Some(Blocked::SingleLabel)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[track_caller]
    fn check(policy: &FetchPolicy, text: &str, addresses: &[&str], expect: Result<(), Blocked>) {
        let addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        assert_eq!(
            policy.check_addresses(&url(text), &addresses),
            expect,
            "{text}"
        );
    }

    #[test]
    fn the_conformance_cases_are_blocked_and_allowed_as_they_say() {
        let Some(text) = huddle_testdata::shared_text("conformance/ssrf_cases.json") else {
            return;
        };
        let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
        let policy = FetchPolicy::public();
        let list = |name: &str| {
            let list = cases[name].as_array().unwrap().clone();
            assert!(!list.is_empty());
            list.into_iter()
                .map(|case| case.as_str().unwrap().to_owned())
        };
        for case in list("block") {
            // What is not an absolute URL cannot even be asked for.
            if let Ok(url) = Url::parse(&case) {
                policy.check_url(&url).expect_err(&case);
            }
        }
        for case in list("allow") {
            assert_eq!(policy.check_url(&url(&case)), Ok(()), "{case}");
        }
    }

    #[test]
    fn each_public_rule_has_its_reason() {
        let policy = FetchPolicy::public();
        for (text, reason) in [
            ("http://example.com/", Blocked::Scheme),
            ("ftp://example.com/", Blocked::Scheme),
            ("ws://example.com/", Blocked::Scheme),
            ("wss://example.com/", Blocked::Scheme),
            ("gopher://example.com/", Blocked::Scheme),
            ("file:///etc/passwd", Blocked::NoHost),
            ("data:text/plain,x", Blocked::NoHost),
            ("javascript:alert(1)", Blocked::NoHost),
            ("https://example.com:22/", Blocked::Port(22)),
            ("https://example.com:80/", Blocked::Port(80)),
            ("https://example.com:8443/", Blocked::Port(8443)),
            ("https://example.com:0/", Blocked::Port(0)),
            ("https://user@example.com/", Blocked::UserInfo),
            ("https://:secret@example.com/", Blocked::UserInfo),
            ("https://example.com@127.0.0.1/", Blocked::UserInfo),
            ("https://localhost/", Blocked::ReservedName),
            ("https://LOCALHOST./", Blocked::ReservedName),
            ("https://a.localhost/", Blocked::ReservedName),
            ("https://printer.local/", Blocked::ReservedName),
            ("https://metadata.google.internal/", Blocked::ReservedName),
            ("https://router.home.arpa/", Blocked::ReservedName),
            ("https://x.onion/", Blocked::ReservedName),
            ("https://intranet/", Blocked::ReservedName),
            ("https://ai/", Blocked::SingleLabel),
            ("https://ai./", Blocked::SingleLabel),
            ("https://example..com/", Blocked::NoHost),
            ("https://./", Blocked::NoHost),
            ("https://127.1/", Blocked::Address(AddressKind::Loopback)),
            (
                "https://2130706433/",
                Blocked::Address(AddressKind::Loopback),
            ),
            (
                "https://0177.0.0.1/",
                Blocked::Address(AddressKind::Loopback),
            ),
            (
                "https://0x7f000001/",
                Blocked::Address(AddressKind::Loopback),
            ),
            (
                "https://①②⑦.0.0.1/",
                Blocked::Address(AddressKind::Loopback),
            ),
            (
                "https://127。0。0。1/",
                Blocked::Address(AddressKind::Loopback),
            ),
            (
                "https://%31%32%37.0.0.1/",
                Blocked::Address(AddressKind::Loopback),
            ),
            (
                "https://[::ffff:7f00:1]/",
                Blocked::Address(AddressKind::Embedded),
            ),
            (
                "https://[2001::1]/",
                Blocked::Address(AddressKind::Embedded),
            ),
            (
                "https://[fec0::1]/",
                Blocked::Address(AddressKind::SiteLocal),
            ),
            (
                "https://168.63.129.16/",
                Blocked::Address(AddressKind::Metadata),
            ),
        ] {
            assert_eq!(policy.check_url(&url(text)), Err(reason), "{text}");
        }
    }

    #[test]
    fn names_that_only_resemble_reserved_ones_are_allowed() {
        let policy = FetchPolicy::public();
        for text in [
            "https://localhost.example.com/",
            "https://internal.example.com/",
            "https://mylocal.com/",
            "https://notlocalhost.org./",
            "https://xn--bcher-kva.de/",
            "https://bücher.de/",
            "https://example.com:443/",
        ] {
            assert_eq!(policy.check_url(&url(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn one_address_that_is_not_public_blocks_all_of_them() {
        let policy = FetchPolicy::public();
        let private = Err(Blocked::Address(AddressKind::Private));
        check(
            &policy,
            "https://example.com/",
            &["8.8.8.8", "2606:4700::1"],
            Ok(()),
        );
        check(
            &policy,
            "https://example.com/",
            &["8.8.8.8", "10.0.0.1"],
            private,
        );
        check(
            &policy,
            "https://example.com/",
            &["10.0.0.1", "8.8.8.8"],
            private,
        );
        check(
            &policy,
            "https://example.com/",
            &["8.8.8.8", "::ffff:8.8.8.8"],
            Err(Blocked::Address(AddressKind::Embedded)),
        );
        check(
            &policy,
            "https://example.com/",
            &["127.0.0.1"],
            Err(Blocked::Address(AddressKind::Loopback)),
        );
    }

    #[test]
    fn a_host_without_addresses_is_not_allowed_for_want_of_a_bad_one() {
        for policy in [FetchPolicy::public(), FetchPolicy::development()] {
            check(
                &policy,
                "https://example.com/",
                &[],
                Err(Blocked::NoAddress),
            );
        }
    }

    #[test]
    fn another_port_is_allowed_only_where_it_was_named() {
        let policy = FetchPolicy::public().with_port(8443);
        check(&policy, "https://example.com:8443/", &["8.8.8.8"], Ok(()));
        check(&policy, "https://example.com/", &["8.8.8.8"], Ok(()));
        check(
            &policy,
            "https://example.com:8080/",
            &["8.8.8.8"],
            Err(Blocked::Port(8080)),
        );
    }

    #[test]
    fn development_adds_this_machine_and_nothing_else() {
        let policy = FetchPolicy::development();
        assert!(policy.is_development() && !FetchPolicy::default().is_development());
        let private = Err(Blocked::Address(AddressKind::Private));
        for (text, addresses, expect) in [
            ("http://localhost:2583/", &["127.0.0.1", "::1"][..], Ok(())),
            ("http://127.0.0.1:2583/", &["127.0.0.1"], Ok(())),
            ("http://[::1]:2583/", &["::1"], Ok(())),
            ("https://app.huddle.internal/", &["127.0.0.1"], Ok(())),
            ("https://ana.test/", &["127.0.0.1"], Ok(())),
            ("https://example.com/", &["8.8.8.8"], Ok(())),
            ("http://example.com/", &["8.8.8.8"], Err(Blocked::Scheme)),
            (
                "https://example.com:2583/",
                &["8.8.8.8"],
                Err(Blocked::Port(2583)),
            ),
            (
                "https://localhost/",
                &["8.8.8.8"],
                Err(Blocked::ReservedName),
            ),
            (
                "http://localhost/",
                &["127.0.0.1", "8.8.8.8"],
                Err(Blocked::Scheme),
            ),
            (
                "https://example.com/",
                &["127.0.0.1", "10.0.0.1"],
                Err(Blocked::Address(AddressKind::Loopback)),
            ),
            ("https://example.com/", &["10.0.0.1"], private),
            ("https://10.0.0.1/", &["10.0.0.1"], private),
            ("http://10.0.0.1/", &["10.0.0.1"], Err(Blocked::Scheme)),
            ("https://ana.test/", &[], Err(Blocked::ReservedName)),
            ("ftp://localhost/", &["127.0.0.1"], Err(Blocked::Scheme)),
            (
                "http://a:b@localhost/",
                &["127.0.0.1"],
                Err(Blocked::UserInfo),
            ),
            (
                "http://[::ffff:127.0.0.1]/",
                &["::ffff:127.0.0.1"],
                Err(Blocked::Scheme),
            ),
        ] {
            check(&policy, text, addresses, expect);
        }
    }

    #[test]
    fn development_refuses_a_foreign_address_before_any_lookup() {
        let policy = FetchPolicy::development();
        assert_eq!(
            policy.check_url(&url("http://10.0.0.1/")),
            Err(Blocked::Scheme)
        );
        assert_eq!(
            policy.check_url(&url("https://169.254.169.254/")),
            Err(Blocked::Address(AddressKind::LinkLocal))
        );
        assert_eq!(policy.check_url(&url("http://127.0.0.1:9/")), Ok(()));
    }
}
