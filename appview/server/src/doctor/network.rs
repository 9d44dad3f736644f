//! What can be looked at over the network.

use futures_util::future::join_all;
use huddle_firehose::ingest::Source;
use huddle_native::{SmtpMailer, SmtpProblem, SystemClock, SystemDns};
use huddle_ports::{Clock as _, DnsError, DnsTxt as _, Fetch, Request, Response, Timestamp, Url};
use tokio::time::timeout;

use super::{Finding, PATIENCE};
use crate::config::Config;
use crate::serve::Network;

/// More than a request takes.
const OFF_SECS: u64 = 5;

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "network";
    let network = match config.network() {
        Ok(network) => network,
        Err(error) => {
            let advice = "names cannot be looked up: see /etc/resolv.conf";
            return vec![Finding::fail(CHECK, format!("{error:#}"), advice)];
        }
    };
    let fetch = &*network.fetch;
    let plc = place(fetch, "directory", "--plc", config.plc.clone());
    let graph = place(fetch, "graph", "--graph", config.graph.clone());
    let relays = config.firehose.iter().map(|url| firehose(&network, url));
    let relays = join_all(relays.collect::<Vec<_>>());
    let ((directory, by_directory), (graph, by_graph), relays, mail) =
        futures_util::join!(plc, graph, relays, mail(config));
    let by_directory = by_directory.map(|ahead| (ahead, "the directory's"));
    let by_graph = by_graph.map(|ahead| (ahead, "the graph's"));
    let clock = clock(by_directory.or(by_graph), config.limits.0.clock_skew_secs);
    let mut findings = vec![clock, directory, graph];
    findings.extend(mail);
    findings.extend(relays);
    findings
}

/// Whether mail can be sent, if any is to be. The server's address may hold a password, and is not told but for the host.
async fn mail(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "mail";
    let server = match config.mail.server() {
        Ok(Some(server)) => server,
        Ok(None) => return Vec::new(),
        Err(error) => {
            let advice = "write smtps://user:password@mail.example.com into it";
            return vec![Finding::fail(CHECK, format!("{error:#}"), advice)];
        }
    };
    let Some(sender) = &config.mail.mail_from else {
        let advice = "name one with --mail-from, e.g. bookings@huddle.example.com";
        return vec![Finding::fail(CHECK, "mail has no sender", advice)];
    };
    let domain = sender.address.domain();
    let (server, sender) = futures_util::join!(mail_server(CHECK, &server, domain), spf(domain));
    vec![server, sender]
}

/// Whether the server would take mail from us: it is connected to and logged in at, and nothing is sent.
async fn mail_server(check: &'static str, url: &Url, domain: &str) -> Finding {
    let host = url.host_str().unwrap_or_default();
    let mailer = match SmtpMailer::new(url, domain, &[]) {
        Ok(mailer) => mailer,
        Err(error) => {
            let advice =
                "write it as smtps://user:password@mail.example.com, or smtp://… for STARTTLS";
            return Finding::fail(check, format!("{host}: {error}"), advice);
        }
    };
    let problem = match timeout(PATIENCE, mailer.check()).await {
        Ok(Ok(())) => return Finding::ok(check, format!("{host} takes mail from here")),
        Ok(Err(problem)) => problem,
        Err(_) => SmtpProblem::Unreachable("it does not answer".to_owned()),
    };
    let advice = match problem {
        SmtpProblem::Unauthenticated(_) => {
            "look at the user and the password in the address of the mail server"
        }
        SmtpProblem::Refused(_) => "ask whoever runs it whether this machine may send by it",
        SmtpProblem::Unreachable(_) => {
            "look whether this machine may connect to it, and whether it speaks TLS: smtps:// from the start, smtp:// \
             by STARTTLS"
        }
    };
    Finding::fail(check, format!("{host}: {problem}"), advice)
}

/// The ends of domains that nobody has (RFC 2606 §2).
const NOBODYS: [&str; 4] = ["example", "invalid", "localhost", "test"];

/// Whether the domain of mail's sender says who may send mail for it (RFC 7208 §4.5).
async fn spf(domain: &str) -> Finding {
    const CHECK: &str = "sender";
    if NOBODYS.contains(&domain.rsplit('.').next().unwrap_or_default()) {
        let found = format!("nobody can have the domain {domain}");
        return Finding::warn(
            CHECK,
            found,
            "name a sender of a domain of yours with --mail-from",
        );
    }
    let records = match SystemDns::new() {
        Ok(dns) => dns.txt(domain, PATIENCE).await,
        Err(_) => Err(DnsError::Failed),
    };
    let advice = format!(
        "publish an SPF record that names the mail server, e.g. `{domain}. TXT \"v=spf1 mx -all\"`: mail of other \
         domains is taken for spam"
    );
    match records {
        Ok(records)
            if records
                .iter()
                .any(|it| it == "v=spf1" || it.starts_with("v=spf1 ")) =>
        {
            Finding::ok(CHECK, format!("{domain} says who sends its mail"))
        }
        Ok(_) => Finding::warn(
            CHECK,
            format!("{domain} does not say who sends its mail"),
            advice,
        ),
        Err(error) => Finding::warn(CHECK, format!("{domain}: {error}"), advice),
    }
}

/// Whether a host lets its firehose be followed: it is asked for what comes from now on, and left once it agrees.
async fn firehose(network: &Network, url: &Url) -> Finding {
    const CHECK: &str = "firehose";
    const ADVICE: &str = "look whether this machine can reach it, or name another relay or data server with --firehose";
    let stream = Source::Repos.url(url.as_str(), None);
    let problem = match timeout(PATIENCE, network.sockets.try_open(&stream)).await {
        Ok(Ok(())) => return Finding::ok(CHECK, format!("{url} can be followed")),
        Ok(Err(error)) => format!("cannot be followed: {error}"),
        Err(_) => format!("did not answer within {} seconds", PATIENCE.as_secs()),
    };
    Finding::fail(CHECK, format!("{url} {problem}"), ADVICE)
}

/// Whether somebody answers there, and how far this machine's clock is ahead of theirs in seconds, as far as they say.
async fn place(
    fetch: &dyn Fetch,
    check: &'static str,
    setting: &'static str,
    url: Url,
) -> (Finding, Option<i64>) {
    let advice = format!("look whether this machine can reach it, or name another with {setting}");
    let asked = timeout(PATIENCE, fetch.fetch(Request::get(url.clone()))).await;
    let answer = match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            return (
                Finding::fail(check, format!("{url}: {error}"), advice),
                None,
            );
        }
        Err(_) => {
            let found = format!("{url} did not answer within {} seconds", PATIENCE.as_secs());
            return (Finding::fail(check, found, advice), None);
        }
    };
    let ahead = ahead(&answer, SystemClock.now());
    if answer.status.is_server_error() {
        let found = format!("{url} answers {}", answer.status);
        return (Finding::warn(check, found, advice), ahead);
    }
    (Finding::ok(check, format!("{url} answers")), ahead)
}

/// By the `Date` of an answer, which is cut to whole seconds.
fn ahead(answer: &Response, now: Timestamp) -> Option<i64> {
    let date = answer.headers.get("date")?.to_str().ok()?;
    let date = httpdate::parse_http_date(date).ok()?;
    let theirs = date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Some(now.as_millis() / 1000 - i64::try_from(theirs).ok()?)
}

/// How far it is ahead, and of whose; one that is off by more than `skew_secs` takes valid tokens for expired ones.
fn clock(ahead: Option<(i64, &str)>, skew_secs: u32) -> Finding {
    const CHECK: &str = "clock";
    const ADVICE: &str = "keep it right with NTP: tokens and holds go by it";
    let Some((ahead, whose)) = ahead else {
        let advice = "look with `timedatectl`, or mend the way to the directory";
        return Finding::warn(CHECK, "nobody said what time it is", advice);
    };
    let off = ahead.unsigned_abs();
    let found = match ahead {
        0 => "right to the second".to_owned(),
        1.. => format!("{off} s ahead of {whose}"),
        _ => format!("{off} s behind {whose}"),
    };
    if off > skew_secs.into() {
        Finding::fail(CHECK, found, ADVICE)
    } else if off > OFF_SECS {
        Finding::warn(CHECK, found, ADVICE)
    } else {
        Finding::ok(CHECK, found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_that_is_farther_off_than_tokens_bear_fails() {
        assert_eq!(clock(None, 30).verdict, Verdict::Warn);
        for (ahead, skew_secs, verdict) in [
            (0, 30, Verdict::Ok),
            (-5, 30, Verdict::Ok),
            (6, 30, Verdict::Warn),
            (-30, 30, Verdict::Warn),
            (31, 30, Verdict::Fail),
            (31, 60, Verdict::Warn),
            (4, 3, Verdict::Fail),
            (-3600, 30, Verdict::Fail),
        ] {
            let found = clock(Some((ahead, "the graph's")), skew_secs);
            assert_eq!(found.verdict, verdict, "{ahead}");
            let is_told = ahead == 0 || found.found.ends_with(" the graph's");
            assert!(is_told, "{}", found.found);
        }
    }
}
