//! What DNS says of where the calendars of an e-mail address are, and what is made of it.

use std::time::Duration;

use async_trait::async_trait;
use huddle_calendars::{CalendarError, locate};
use huddle_ports::{DnsError, DnsSrv, DnsTxt, Srv};

use crate::block_on;

/// What DNS answers to each kind of question.
struct Dns {
    srv: Result<Vec<Srv>, DnsError>,
    txt: Result<Vec<&'static str>, DnsError>,
}

const NAME: &str = "_caldavs._tcp.example.com";

#[async_trait]
impl DnsSrv for Dns {
    async fn srv(&self, name: &str, _: Duration) -> Result<Vec<Srv>, DnsError> {
        assert_eq!(name, NAME);
        self.srv.clone()
    }
}

#[async_trait]
impl DnsTxt for Dns {
    async fn txt(&self, name: &str, _: Duration) -> Result<Vec<String>, DnsError> {
        assert_eq!(name, NAME);
        let texts = self.txt.clone()?;
        Ok(texts.into_iter().map(str::to_owned).collect())
    }
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
    Srv {
        priority,
        weight,
        port,
        target: target.to_owned(),
    }
}

/// The address that was found, or the host that is to be given instead.
#[track_caller]
fn check(dns: &Dns, start: &str, expect: Option<&str>) {
    let located = match block_on(locate(dns, start)) {
        Ok(url) => url.map(String::from),
        Err(CalendarError::Elsewhere { host }) => Some(format!("give {host}")),
        Err(CalendarError::NotACalendar) => Some("nothing".to_owned()),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(
        located.as_deref(),
        expect,
        "{start} {:?} {:?}",
        dns.srv,
        dns.txt
    );
}

#[test]
fn dns_leads_to_a_path_and_to_another_host_only_by_way_of_the_person() {
    let here = || vec![srv(0, 1, 443, "example.com")];
    let well_known = Some("https://example.com/.well-known/caldav");
    for (records, texts, expect) in [
        (here(), vec!["path=/dav/"], Some("https://example.com/dav/")),
        (
            here(),
            vec!["other", "path=/dav"],
            Some("https://example.com/dav"),
        ),
        // It is a path, whatever it looks like.
        (
            here(),
            vec!["path=//evil.example.org/"],
            Some("https://example.com//evil.example.org/"),
        ),
        (here(), vec![], well_known),
        (
            vec![srv(0, 1, 443, "dav.example.net")],
            vec!["path=/dav/"],
            Some("give dav.example.net"),
        ),
        (
            vec![srv(0, 1, 8443, "dav.example.com")],
            vec![],
            Some("give dav.example.com:8443"),
        ),
        // The lowest priority, then the highest weight.
        (
            vec![
                srv(1, 9, 443, "a.example.net"),
                srv(0, 1, 443, "b.example.net"),
                srv(0, 2, 443, "c.example.net"),
            ],
            vec![],
            Some("give c.example.net"),
        ),
        (vec![srv(0, 0, 0, "")], vec![], Some("nothing")),
        (vec![], vec!["path=/dav"], None),
    ] {
        let dns = Dns {
            srv: Ok(records),
            txt: Ok(texts),
        };
        check(&dns, "ana@Example.com ", expect);
    }
}

#[test]
fn dns_that_fails_has_said_nothing() {
    for error in [DnsError::Timeout, DnsError::Failed, DnsError::BadName] {
        let silent = Dns {
            srv: Err(error),
            txt: Err(error),
        };
        check(&silent, "ana@example.com", None);
        let half = Dns {
            srv: Ok(vec![srv(0, 1, 443, "example.com")]),
            txt: Err(error),
        };
        let well_known = "https://example.com/.well-known/caldav";
        check(&half, "ana@example.com", Some(well_known));
    }
}

#[test]
fn what_is_no_mail_address_is_not_looked_up() {
    let dns = Dns {
        srv: Ok(vec![srv(0, 1, 443, "dav.example.net")]),
        txt: Ok(Vec::new()),
    };
    for start in ["", "ana@", "example.com", "https://ana@example.com/", "@"] {
        check(&dns, start, None);
    }
}
