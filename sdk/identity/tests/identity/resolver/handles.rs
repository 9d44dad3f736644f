//! Whom a handle points to, as DNS and its own host say.

use huddle_ports::{Clock, DnsError};

use super::*;

#[tokio::test]
async fn dns_names_the_did_and_the_host_is_not_asked() {
    let setup = setup();
    assert_eq!(handle(&setup, "Ana.Example.Com").await, Ok(ANA.to_owned()));
    assert_eq!(setup.dns.take_asked(), [TEXT_RECORD]);
    assert!(setup.web.take_asked().is_empty());
}

#[tokio::test]
async fn two_dids_in_dns_are_none_whatever_the_host_says() {
    let setup = Setup::new();
    let records = [format!("did={ANA}"), format!("did={BOB}")];
    setup.dns.put(TEXT_RECORD, &[&records[0], &records[1]]);
    setup.web.put(WELL_KNOWN, Page::Is(200, ANA.into()));
    assert_eq!(
        handle(&setup, "ana.example.com").await,
        Err(IdentityError::UnclearHandle)
    );
    assert!(setup.web.take_asked().is_empty());
}

#[tokio::test]
async fn the_host_is_asked_when_dns_says_nothing() {
    let page = |status, body: &str| Page::Is(status, body.as_bytes().to_vec());
    for (answer, expect) in [
        (page(200, ANA), Ok(ANA.to_owned())),
        (page(200, &format!("\n {ANA}\r\n")), Ok(ANA.to_owned())),
        (
            Page::At("https://ana.example.com/elsewhere", ANA.into()),
            Ok(ANA.to_owned()),
        ),
        (
            Page::At(
                "https://www.ana.example.com/.well-known/atproto-did",
                ANA.into(),
            ),
            Ok(ANA.to_owned()),
        ),
        (page(200, "<html>"), Err(IdentityError::NotFound)),
        (
            page(200, &format!("{ANA}\n{BOB}")),
            Err(IdentityError::NotFound),
        ),
        (page(200, &" ".repeat(5000)), Err(IdentityError::NotFound)),
        (page(203, ANA), Ok(ANA.to_owned())),
        (page(299, ANA), Ok(ANA.to_owned())),
        (page(204, ""), Err(IdentityError::NotFound)),
        (page(300, ANA), Err(IdentityError::NotFound)),
        (page(404, ANA), Err(IdentityError::NotFound)),
        (page(401, ANA), Err(IdentityError::NotFound)),
        (page(429, ANA), Err(IdentityError::Unavailable)),
        (page(500, ANA), Err(IdentityError::Unavailable)),
        (
            Page::Fails(FetchError::UnknownHost),
            Err(IdentityError::NotFound),
        ),
        (
            Page::Fails(FetchError::Redirect(RedirectError::TooMany)),
            Err(IdentityError::NotFound),
        ),
        (
            Page::Fails(FetchError::Blocked(Blocked::Scheme)),
            Err(IdentityError::NotAllowed),
        ),
        (
            Page::Fails(FetchError::Certificate(String::new())),
            Err(IdentityError::Certificate),
        ),
        (
            Page::Fails(FetchError::Timeout),
            Err(IdentityError::Unavailable),
        ),
    ] {
        let setup = Setup::new();
        setup.dns.put(TEXT_RECORD, &["v=spf1 -all"]);
        setup.web.put(WELL_KNOWN, answer);
        assert_eq!(handle(&setup, "ana.example.com").await, expect);
    }
}

#[tokio::test]
async fn without_dns_the_host_can_say_yes_but_not_no() {
    for error in [DnsError::Timeout, DnsError::Failed] {
        for refusal in [
            Page::Is(404, Vec::new()),
            Page::Fails(FetchError::Certificate(String::new())),
            Page::Fails(FetchError::Blocked(Blocked::Scheme)),
        ] {
            let setup = Setup::new();
            setup.dns.fail(TEXT_RECORD, error);
            setup.web.put(WELL_KNOWN, refusal);
            let outcome = handle(&setup, "ana.example.com").await;
            assert_eq!(outcome, Err(IdentityError::Unavailable));
        }
        let setup = Setup::new();
        setup.dns.fail(TEXT_RECORD, error);
        setup.web.put(WELL_KNOWN, Page::Is(200, ANA.into()));
        assert_eq!(handle(&setup, "ana.example.com").await, Ok(ANA.to_owned()));
    }
    // Where there can be no record, DNS has said that there is none.
    let setup = Setup::new();
    setup.dns.fail(TEXT_RECORD, DnsError::BadName);
    let outcome = handle(&setup, "ana.example.com").await;
    assert_eq!(outcome, Err(IdentityError::NotFound));
}

#[tokio::test]
async fn the_longest_handles_stand_at_their_host_alone() {
    let setup = Setup::new();
    let labels = format!("{0}.{0}.{0}.{0}", "a".repeat(62));
    let longest = format!("{}.com", &labels[..249]);
    assert_eq!(longest.len(), 253);
    let url = format!("https://{longest}/.well-known/atproto-did");
    setup.web.put(&url, Page::Is(200, ANA.into()));
    assert_eq!(handle(&setup, &longest).await, Ok(ANA.to_owned()));
    assert!(setup.dns.take_asked().is_empty());
}

#[tokio::test]
async fn a_handle_at_a_forbidden_host_asks_nobody_not_even_dns() {
    let setup = Setup::new();
    let outcome = handle(&setup, "printer.lan").await;
    assert_eq!(outcome, Err(IdentityError::NotAllowed));
    assert!(setup.web.take_asked().is_empty() && setup.dns.take_asked().is_empty());
}

#[tokio::test]
async fn dns_and_the_host_of_a_handle_share_the_time_of_one_lookup() {
    let setup = Setup::new();
    setup.dns.fail(TEXT_RECORD, DnsError::Timeout);
    setup.web.put(WELL_KNOWN, Page::Slow(ANA.into()));
    let started = setup.clock.now();
    assert_eq!(handle(&setup, "ana.example.com").await, Ok(ANA.to_owned()));
    let elapsed = setup.clock.now().since(started);
    assert_eq!(elapsed, IdentityConfig::default().lookup_timeout);
}
