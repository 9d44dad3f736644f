//! Questions and answers of DNS, as far as addresses, texts and services go (RFC 1035 §4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use huddle_ports::{DnsError, Srv, dns_labels};

/// The kinds of records that are asked for (RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 2782).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    A = 1,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
}

/// The class of the Internet.
const INTERNET: u16 = 1;

/// The most octets of a name, with the length of each label (RFC 1035 §2.3.4).
const MAX_NAME: usize = 255;

/// The header's flag that asks for recursion.
const RECURSION: u16 = 0x0100;

/// What a resolver answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) addresses: Vec<IpAddr>,
    /// One a record, its strings joined; those that are not UTF-8 are left out.
    pub(super) texts: Vec<String>,
    /// Those at what cannot be the name of a host are left out.
    pub(super) services: Vec<Srv>,
    /// For how long all of this holds, the aliases that lead to it too; nothing is said of a name without records.
    pub(super) ttl: Option<Duration>,
}

/// The question for the records of a name.
pub(super) fn question(name: &str, kind: Kind) -> Result<Vec<u8>, DnsError> {
    let labels = dns_labels(name)?;
    let mut message = Vec::with_capacity(name.len() + 18);
    // The id is zero, so that caches see the same question (RFC 8484 §4.1); one question follows.
    for field in [0, RECURSION, 1, 0, 0, 0] {
        message.extend_from_slice(&u16::to_be_bytes(field));
    }
    for label in labels {
        let length = u8::try_from(label.len()).map_err(|_| DnsError::BadName)?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    for field in [kind as u16, INTERNET] {
        message.extend_from_slice(&field.to_be_bytes());
    }
    Ok(message)
}

/// The records of a kind in an answer, none if the name has none or is not there; `None` if the resolver could not
/// say, or it is no answer.
pub(super) fn read(message: &[u8], kind: Kind) -> Option<Records> {
    const RESPONSE: u16 = 0x8000;
    const TRUNCATED: u16 = 0x0200;
    const CODE: u16 = 0x000f;
    const NO_SUCH_NAME: u16 = 3;

    let mut rest = Rest(message);
    let (_id, flags) = (rest.number()?, rest.number()?);
    let (questions, answers) = (rest.number()?, rest.number()?);
    rest.take(4)?;
    if flags & RESPONSE == 0 || flags & TRUNCATED != 0 {
        return None;
    }
    match flags & CODE {
        0 => {}
        NO_SUCH_NAME => return Some(Records::default()),
        _ => return None,
    }
    for _ in 0..questions {
        rest.skip_name()?;
        rest.take(4)?;
    }
    let mut records = Records::default();
    for _ in 0..answers {
        // Whatever its owner: a resolver answers with the records at the end of a chain of aliases.
        rest.skip_name()?;
        let (of_kind, class) = (rest.number()?, rest.number()?);
        let ttl = rest.ttl()?;
        records.ttl = Some(records.ttl.map_or(ttl, |shortest| shortest.min(ttl)));
        let length = rest.number()?;
        let data = rest.take(length.into())?;
        if of_kind == kind as u16 && class == INTERNET {
            records.add(kind, data, message)?;
        }
    }
    Some(records)
}

impl Records {
    /// Takes the data of a record of a message.
    fn add(&mut self, kind: Kind, data: &[u8], message: &[u8]) -> Option<()> {
        match kind {
            Kind::A => {
                let address: [u8; 4] = data.try_into().ok()?;
                self.addresses.push(Ipv4Addr::from(address).into());
            }
            Kind::Aaaa => {
                let address: [u8; 16] = data.try_into().ok()?;
                self.addresses.push(Ipv6Addr::from(address).into());
            }
            Kind::Txt => self.texts.extend(String::from_utf8(joined(data)?).ok()),
            Kind::Srv => {
                let mut rest = Rest(data);
                let (priority, weight, port) = (rest.number()?, rest.number()?, rest.number()?);
                let target = host(&labels(rest, message)?);
                self.services.extend(target.map(|target| Srv {
                    priority,
                    weight,
                    port,
                    target,
                }));
            }
        }
        Some(())
    }
}

/// The labels of the name that comes next. Nobody should compress one in such a record (RFC 2782), and whoever reads it
/// has to bear it (RFC 3597 §4).
fn labels<'a>(mut rest: Rest<'a>, message: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let (mut labels, mut octets, mut bound) = (Vec::new(), 1, message.len());
    loop {
        match rest.take(1)?[0] {
            0 => return Some(labels),
            length @ 1..=63 => {
                let label = rest.take(length.into())?;
                octets += 1 + label.len();
                if octets > MAX_NAME {
                    return None;
                }
                labels.push(label);
            }
            high @ 0xc0.. => {
                let low = rest.take(1)?[0];
                let place = usize::from(u16::from_be_bytes([high & 0x3f, low]));
                // Each pointer leads to before the last one, so that none leads round in circles.
                if place >= bound {
                    return None;
                }
                bound = place;
                rest = Rest(&message[place..]);
            }
            _ => return None,
        }
    }
}

/// The host that is called so, if one can be.
fn host(labels: &[&[u8]]) -> Option<String> {
    let mut bytes = labels.iter().copied().flatten();
    let is_name = bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_name {
        return None;
    }
    String::from_utf8(labels.join(&b'.')).ok()
}

/// The character-strings of a text record, one after the other.
fn joined(data: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Rest(data);
    let mut text = Vec::with_capacity(data.len());
    while !rest.0.is_empty() {
        let length = rest.take(1)?[0];
        text.extend_from_slice(rest.take(length.into())?);
    }
    Some(text)
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        let bytes: [u8; 2] = self.take(2)?.try_into().ok()?;
        Some(u16::from_be_bytes(bytes))
    }

    /// Seconds; what has the highest bit set is none (RFC 2181 §8).
    fn ttl(&mut self) -> Option<Duration> {
        let secs: [u8; 4] = self.take(4)?.try_into().ok()?;
        let secs = i32::from_be_bytes(secs);
        Some(Duration::from_secs(u64::try_from(secs).unwrap_or(0)))
    }

    /// Names end with an empty label or a pointer to the rest of them (RFC 1035 §4.1.4), which is not followed.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match self.take(1)?[0] {
                0 => return Some(()),
                length @ 1..=63 => self.take(length.into())?,
                0xc0.. => return self.take(1).map(|_| ()),
                _ => return None,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer with these flags and records, each of a kind and data, after the question for `a.example`.
    fn answer(flags: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = question("a.example", Kind::A).unwrap();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        let count = u16::try_from(records.len()).unwrap();
        message[6..8].copy_from_slice(&count.to_be_bytes());
        for (kind, data) in records {
            message.extend_from_slice(&[0xc0, 12]);
            message.extend_from_slice(&kind.to_be_bytes());
            message.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
            message.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            message.extend_from_slice(data);
        }
        message
    }

    fn addresses(addresses: &[&str]) -> Records {
        Records {
            addresses: addresses.iter().map(|it| it.parse().unwrap()).collect(),
            ttl: Some(Duration::from_mins(1)),
            ..Records::default()
        }
    }

    fn texts(texts: &[&str]) -> Records {
        Records {
            texts: texts.iter().map(|&it| it.to_owned()).collect(),
            ttl: Some(Duration::from_mins(1)),
            ..Records::default()
        }
    }

    #[test]
    fn a_question_is_written_as_rfc_8484_shows_it() {
        // RFC 8484 §4.1.1: www.example.com, type A.
        let expected = "AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB";
        for name in ["www.example.com", "www.example.com."] {
            let written = question(name, Kind::A).unwrap();
            assert_eq!(data_encoding::BASE64URL_NOPAD.encode(&written), expected);
        }
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = ["a".repeat(63).as_str(); 4].join(".");
        for name in ["", ".", "a..b", ".a", "ünicode.example", &long, &longer] {
            assert_eq!(question(name, Kind::A), Err(DnsError::BadName), "{name}");
        }
    }

    #[test]
    fn records_of_the_kind_are_read_and_aliases_left_out() {
        const ALIAS: u16 = 5;
        let v4 = answer(0x8180, &[(ALIAS, &[1, b'b', 0]), (1, &[192, 0, 2, 7])]);
        assert_eq!(read(&v4, Kind::A), Some(addresses(&["192.0.2.7"])));
        assert_eq!(read(&v4, Kind::Aaaa), Some(addresses(&[])));
        let v6 = answer(
            0x8180,
            &[(
                28,
                &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            )],
        );
        assert_eq!(read(&v6, Kind::Aaaa), Some(addresses(&["2001:db8::1"])));
    }

    #[test]
    fn records_hold_for_as_long_as_the_first_of_them_that_runs_out() {
        let holds = |ttls: &[u32]| {
            let records = vec![(1, &[192, 0, 2, 7][..]); ttls.len()];
            let mut message = answer(0x8180, &records);
            let first = message.len() - 16 * ttls.len();
            for (record, ttl) in message[first..].chunks_mut(16).zip(ttls) {
                record[6..10].copy_from_slice(&ttl.to_be_bytes());
            }
            let ttl = read(&message, Kind::A).unwrap().ttl;
            ttl.map(|ttl| ttl.as_secs())
        };
        assert_eq!(holds(&[]), None);
        assert_eq!(holds(&[60]), Some(60));
        assert_eq!(holds(&[300, 20, 60]), Some(20));
        assert_eq!(holds(&[60, 0]), Some(0));
        assert_eq!(holds(&[60, 1 << 31]), Some(0), "RFC 2181 §8");
    }

    #[test]
    fn the_strings_of_a_text_record_are_joined_and_what_is_no_text_is_left_out() {
        let text = answer(
            0x8180,
            &[
                (16, b"\x04did=\x09did:web:a"),
                (16, b"\x01\xff"),
                (16, b"\x00"),
            ],
        );
        assert_eq!(read(&text, Kind::Txt), Some(texts(&["did=did:web:a", ""])));
    }

    /// The data of an SRV record whose target is written so.
    fn service(target: &[u8]) -> Vec<u8> {
        [&[0, 10, 0, 5, 0x20, 0xfb][..], target].concat()
    }

    /// The targets that are read of records whose targets are written so, after the question for `a.example`.
    #[track_caller]
    fn check_targets(written: &[&[u8]], expect: Option<&[&str]>) {
        let data: Vec<_> = written.iter().map(|target| service(target)).collect();
        let records: Vec<_> = data.iter().map(|data| (33, &data[..])).collect();
        let found = read(&answer(0x8180, &records), Kind::Srv);
        let expect = expect.map(|targets| {
            let target = |target: &&str| Srv {
                priority: 10,
                weight: 5,
                port: 8443,
                target: (*target).to_owned(),
            };
            targets.iter().map(target).collect::<Vec<_>>()
        });
        assert_eq!(found.map(|found| found.services), expect, "{written:?}");
    }

    #[test]
    fn services_are_read_with_the_names_of_their_hosts() {
        let long: Vec<u8> = [&[63; 64][..]; 4].concat();
        check_targets(&[b"\x03dav\x04test\x00"], Some(&["dav.test"]));
        // The end of RFC 2782: no service is to be had.
        check_targets(&[b"\x00"], Some(&[""]));
        // The question's name begins at 12, and its `example` at 14.
        check_targets(
            &[b"\x03dav\xc0\x0e", b"\xc0\x0c"],
            Some(&["dav.example", "a.example"]),
        );
        check_targets(
            &[b"\x05a.b/c\x00", b"\x01\xff\x00", b"\x01b\x00"],
            Some(&["b"]),
        );
        check_targets(&[b"\x03da"], None);
        check_targets(&[b"\x40"], None);
        check_targets(&[&long], None);
    }

    #[test]
    fn a_name_that_leads_round_in_circles_is_none() {
        // The data of the first record begins after the header, the question and what stands before data.
        let place = u8::try_from(question("a.example", Kind::A).unwrap().len() + 12 + 6).unwrap();
        for target in [
            &[0xc0, place][..],
            &[0xc0, place + 2, 0xc0, place],
            &[1, b'a', 0xc0, place],
            &[0xff, 0xff],
        ] {
            check_targets(&[target], None);
        }
    }

    #[test]
    fn a_name_that_is_not_there_has_no_records_and_a_failure_is_no_answer() {
        assert_eq!(
            read(&answer(0x8183, &[]), Kind::A),
            Some(Records::default())
        );
        for flags in [0x8182, 0x8185, 0x0180, 0x8380] {
            assert_eq!(read(&answer(flags, &[]), Kind::A), None, "{flags:#x}");
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        let records: &[(u16, &[u8])] = &[(16, b"\x04did="), (16, b"\x01a")];
        let whole = answer(0x8180, records);
        assert!(read(&whole, Kind::Txt).is_some());
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length], Kind::Txt), None, "{length} bytes");
        }
        for data in [&b"\x05did="[..], b"\x40"] {
            assert_eq!(read(&answer(0x8180, &[(16, data)]), Kind::Txt), None);
        }
        assert_eq!(read(&answer(0x8180, &[(1, &[127, 0, 0])]), Kind::A), None);
    }
}
