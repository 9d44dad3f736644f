//! The contract of `DnsTxt` and `DnsSrv`.

mod zone;

use std::time::Duration;

use huddle_ports::{DnsError, DnsSrv, DnsTxt, Srv};

use super::{Broken, broken, expect};

pub use zone::zone;

/// Longer than any answer takes that comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long an answer is waited for that does not come.
const BRIEF: Duration = Duration::from_millis(300);

/// Checks what asks a resolver that answers as [`zone`] has it.
pub async fn dns<D: DnsTxt + DnsSrv + ?Sized>(dns: &D) -> Result<(), Broken> {
    records_are_told_whole(dns).await?;
    services_are_told_as_records_have_them(dns).await?;
    names_are_absolute_and_lead_on(dns).await?;
    nothing_is_an_answer(dns).await?;
    no_answer_is_an_error(dns).await?;
    what_is_no_name_is_told_from_what_is_not_there(dns).await
}

async fn texts<D: DnsTxt + ?Sized>(dns: &D, name: &str) -> Result<Vec<String>, Broken> {
    let texts = dns.txt(name, PATIENCE).await;
    let mut texts = texts.map_err(|error| broken(name, error))?;
    texts.sort();
    Ok(texts)
}

async fn services<D: DnsSrv + ?Sized>(dns: &D, name: &str) -> Result<Vec<Srv>, Broken> {
    let services = dns.srv(name, PATIENCE).await;
    let mut services = services.map_err(|error| broken(name, error))?;
    services.sort_by_key(|it| it.priority);
    Ok(services)
}

async fn records_are_told_whole<D: DnsTxt + ?Sized>(dns: &D) -> Result<(), Broken> {
    let told = texts(dns, "_atproto.texts.example.com").await?;
    let should = ["", "a\nb \u{1f5d3}", "did=did:plc:ana", "v=spf1 -all"];
    expect(
        "one text a record",
        told,
        should.map(str::to_owned).to_vec(),
    )?;
    let told = texts(dns, "long.example.com").await?;
    expect("all of many records", told.len(), zone::MANY)?;
    let is_whole = told.iter().all(|text| *text == zone::long_text());
    expect("each with all of its strings", is_whole, true)
}

async fn services_are_told_as_records_have_them<D: DnsSrv + ?Sized>(dns: &D) -> Result<(), Broken> {
    let told = services(dns, "_caldavs._tcp.example.com").await?;
    let should = [
        (1, 0, 443, "example.com"),
        (2, 65_535, 8443, "dav-1.example.com"),
        (3, 5, 0, "_dav.example.com"),
    ];
    expect("services", told, should.map(service).to_vec())?;
    let told = services(dns, "_caldav._tcp.example.com").await?;
    expect("decidedly none", told, vec![service((0, 0, 0, ""))])
}

fn service((priority, weight, port, target): (u16, u16, u16, &str)) -> Srv {
    Srv {
        priority,
        weight,
        port,
        target: target.to_owned(),
    }
}

/// Whether or not their last dot is written, and in whatever case; where they are another name for one that is.
async fn names_are_absolute_and_lead_on<D: DnsTxt + ?Sized>(dns: &D) -> Result<(), Broken> {
    let should = vec!["the text of another name".to_owned()];
    for name in [
        "alias.example.com",
        "alias.example.com.",
        "ALIAS.Example.Com",
    ] {
        expect(name, texts(dns, name).await?, should.clone())?;
    }
    Ok(())
}

async fn nothing_is_an_answer<D: DnsTxt + DnsSrv + ?Sized>(dns: &D) -> Result<(), Broken> {
    for name in [
        "unknown.example.com",
        "unknown.example.com.",
        "unknown",
        "empty.example.com",
        "lost.example.com",
        "-a_b-.example.com",
    ] {
        expect(name, texts(dns, name).await?, vec![])?;
        expect(name, services(dns, name).await?, vec![])?;
    }
    Ok(())
}

async fn no_answer_is_an_error<D: DnsTxt + DnsSrv + ?Sized>(dns: &D) -> Result<(), Broken> {
    for (name, error) in [
        ("failing.example.com", DnsError::Failed),
        ("refusing.example.com", DnsError::Failed),
        ("cut.example.com", DnsError::Failed),
    ] {
        expect(name, dns.txt(name, PATIENCE).await, Err(error))?;
        expect(name, dns.srv(name, PATIENCE).await, Err(error))?;
    }
    let name = "silent.example.com";
    expect(name, dns.txt(name, BRIEF).await, Err(DnsError::Timeout))?;
    expect(name, dns.srv(name, BRIEF).await, Err(DnsError::Timeout))?;
    // Over UDP anybody may send such things, and the answer is waited for.
    for name in ["rubbish.example.com", "longest.example.com"] {
        let outcome = dns.txt(name, BRIEF).await;
        if !matches!(outcome, Err(DnsError::Failed | DnsError::Timeout)) {
            return Err(broken(name, format!("it is {outcome:?}")));
        }
    }
    Ok(())
}

async fn what_is_no_name_is_told_from_what_is_not_there<D: DnsTxt + DnsSrv + ?Sized>(
    dns: &D,
) -> Result<(), Broken> {
    let labels = ["a".repeat(63), "a".repeat(64)].map(|label| format!("{label}.example.com"));
    let label = "a".repeat(63);
    // With the length of each label and the root, 255 octets and 256 (RFC 1035 §2.3.4).
    let names = [61, 62].map(|last| format!("{label}.{label}.{label}.{}", "a".repeat(last)));
    let [longest_label, long_label] = &labels;
    let [longest_name, long_name] = &names;
    for name in [longest_label, longest_name] {
        expect(name, texts(dns, name).await?, vec![])?;
    }
    for name in [
        "",
        ".",
        "..",
        ".example.com",
        "a..example.com",
        "example.com..",
        "a b.example.com",
        "a\\.b.example.com",
        "a/b.example.com",
        "*.example.com",
        "a\0.example.com",
        "\u{fc}.example.com",
        long_label,
        long_name,
    ] {
        expect(name, dns.txt(name, PATIENCE).await, Err(DnsError::BadName))?;
        expect(name, dns.srv(name, PATIENCE).await, Err(DnsError::BadName))?;
    }
    Ok(())
}
