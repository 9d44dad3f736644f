//! DNS over real sockets, from a server on this machine that says whatever it likes.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, SRV, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use huddle_native::{AddressLookup, SystemDns};
use huddle_ports::{DnsError, DnsSrv, DnsTxt, FetchError, Srv};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// A name server with one answer for everything.
struct Server {
    dns: SystemDns,
    /// The names and types that were asked for, over UDP.
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
enum Answer {
    Records(Vec<RData>),
    /// These records, but this code for questions of this type.
    Except(RecordType, ResponseCode, Vec<RData>),
    Code(ResponseCode),
    /// No answer over UDP but that it would be too long; these over TCP.
    Long(Vec<RData>),
    Silence,
    Rubbish,
}

impl Server {
    async fn start(answer: Answer) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(at).await.unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, over_tcp) = (Arc::clone(&asked), answer.clone());
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            loop {
                let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
                let question = Message::from_vec(&buffer[..length]).unwrap();
                let query = &question.queries[0];
                let line = format!("{} {}", query.name(), query.query_type());
                log.lock().unwrap().push(line);
                if let Some(reply) = reply(&question, &answer, false) {
                    udp.send_to(&reply, from).await.unwrap();
                }
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = tcp.accept().await.unwrap();
                let length = socket.read_u16().await.unwrap();
                let mut question = vec![0; length.into()];
                socket.read_exact(&mut question).await.unwrap();
                let question = Message::from_vec(&question).unwrap();
                let reply = reply(&question, &over_tcp, true).unwrap();
                let length = u16::try_from(reply.len()).unwrap();
                socket.write_u16(length).await.unwrap();
                socket.write_all(&reply).await.unwrap();
            }
        });
        Self {
            dns: SystemDns::with_servers(&[at]).unwrap(),
            asked,
        }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

fn reply(question: &Message, answer: &Answer, over_tcp: bool) -> Option<Vec<u8>> {
    let query = question.queries[0].clone();
    let mut reply = Message::response(question.metadata.id, OpCode::Query);
    reply.metadata.recursion_available = true;
    let records = match answer {
        Answer::Silence => return None,
        Answer::Rubbish => return Some(vec![0xff; 40]),
        Answer::Code(code) => {
            reply.metadata.response_code = *code;
            &[][..]
        }
        Answer::Long(_) if !over_tcp => {
            reply.metadata.truncation = true;
            &[]
        }
        Answer::Except(record_type, code, _) if *record_type == query.query_type() => {
            reply.metadata.response_code = *code;
            &[]
        }
        Answer::Records(records) | Answer::Except(_, _, records) | Answer::Long(records) => records,
    };
    for data in records {
        let fits = data.record_type() == query.query_type();
        if fits || data.record_type() == RecordType::CNAME {
            reply.add_answer(Record::from_rdata(query.name().clone(), 300, data.clone()));
        }
    }
    reply.add_query(query);
    Some(reply.to_vec().unwrap())
}

fn txt(strings: &[&[u8]]) -> RData {
    RData::TXT(TXT::from_bytes(strings.to_vec()))
}

const SECOND: Duration = Duration::from_secs(1);

async fn text(answer: Answer) -> Result<Vec<String>, DnsError> {
    let server = Server::start(answer).await;
    server.dns.txt("_atproto.ana.example.com", SECOND).await
}

#[tokio::test]
async fn where_a_service_is_is_told_as_the_records_have_it() {
    let name = |name: &str| Name::from_ascii(name).unwrap();
    let records = vec![
        RData::SRV(SRV::new(10, 5, 8443, name("dav.example.com."))),
        txt(&[b"path=/dav"]),
        RData::SRV(SRV::new(0, 0, 0, name("."))),
    ];
    let server = Server::start(Answer::Records(records)).await;
    let service = "_caldavs._tcp.example.com";
    let expect = [(10, 5, 8443, "dav.example.com"), (0, 0, 0, "")];
    let expect = expect.map(|(priority, weight, port, target)| Srv {
        priority,
        weight,
        port,
        target: target.to_owned(),
    });
    assert_eq!(server.dns.srv(service, SECOND).await, Ok(expect.to_vec()));
    assert_eq!(server.asked(), ["_caldavs._tcp.example.com. SRV"]);
    let nothing = Server::start(Answer::Code(ResponseCode::NXDomain)).await;
    assert_eq!(nothing.dns.srv(service, SECOND).await, Ok(Vec::new()));
    let failing = Server::start(Answer::Code(ResponseCode::ServFail)).await;
    let failed = failing.dns.srv(service, SECOND).await;
    assert_eq!(failed, Err(DnsError::Failed));
    let bad = nothing.dns.srv("a..b", SECOND).await;
    assert_eq!(bad, Err(DnsError::BadName));
}

#[tokio::test]
async fn each_record_is_one_text_whatever_its_pieces() {
    let records = vec![
        txt(&[b"did=did:plc:", b"ana", b""]),
        txt(&[b"v=spf1 -all"]),
        txt(&[b"not \xff UTF-8"]),
        txt(&[b""]),
    ];
    let mut texts = text(Answer::Records(records)).await.unwrap();
    texts.sort();
    assert_eq!(texts, ["", "did=did:plc:ana", "v=spf1 -all"]);
}

#[tokio::test]
async fn nothing_there_is_an_answer_and_no_answer_is_an_error() {
    let nothing = Ok(Vec::new());
    assert_eq!(text(Answer::Records(Vec::new())).await, nothing);
    assert_eq!(text(Answer::Code(ResponseCode::NXDomain)).await, nothing);
    assert_eq!(
        text(Answer::Code(ResponseCode::ServFail)).await,
        Err(DnsError::Failed)
    );
    assert_eq!(
        text(Answer::Code(ResponseCode::Refused)).await,
        Err(DnsError::Failed)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up() {
    for answer in [Answer::Silence, Answer::Rubbish] {
        assert_eq!(text(answer.clone()).await, Err(DnsError::Timeout));
        let server = Server::start(answer).await;
        let outcome = server.dns.addresses("example.com").await;
        assert_eq!(outcome, Err(FetchError::Resolve));
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_for_udp_comes_over_tcp() {
    let long: &[u8] = &[b'x'; 255];
    let records = vec![txt(&[long; 10])];
    let texts = text(Answer::Long(records)).await.unwrap();
    assert_eq!(texts, ["x".repeat(2550)]);
}

#[tokio::test]
async fn every_address_of_both_families_is_found() {
    let records = vec![
        RData::A(A::new(93, 184, 215, 14)),
        RData::A(A::new(10, 0, 0, 1)),
        RData::AAAA(AAAA::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)),
    ];
    let server = Server::start(Answer::Records(records)).await;
    let mut addresses = server.dns.addresses("example.com").await.unwrap();
    addresses.sort();
    let expect: Vec<IpAddr> = vec![
        "10.0.0.1".parse().unwrap(),
        "93.184.215.14".parse().unwrap(),
        "fd00::1".parse().unwrap(),
    ];
    assert_eq!(addresses, expect);
    // Absolute: no search list, and each family asked for once.
    assert_eq!(server.asked(), ["example.com. A", "example.com. AAAA"]);
}

#[tokio::test]
async fn a_host_without_addresses_is_unknown() {
    for answer in [
        Answer::Records(Vec::new()),
        Answer::Code(ResponseCode::NXDomain),
    ] {
        let server = Server::start(answer).await;
        for host in ["gone.example.com", "gone.example.com.", "single"] {
            let outcome = server.dns.addresses(host).await;
            assert_eq!(outcome, Err(FetchError::UnknownHost), "{host}");
        }
    }
    let server = Server::start(Answer::Code(ResponseCode::ServFail)).await;
    let outcome = server.dns.addresses("example.com").await;
    assert_eq!(outcome, Err(FetchError::Resolve));
}

#[tokio::test]
async fn a_host_is_unknown_only_if_both_families_say_so() {
    let v4 = RData::A(A::new(93, 184, 215, 14));
    let v6 = RData::AAAA(AAAA::new(0x2606, 0x4700, 0, 0, 0, 0, 0, 1));
    let records = || vec![v4.clone(), v6.clone()];
    for (failing, records, expect) in [
        (RecordType::A, Vec::new(), Err(FetchError::Resolve)),
        (RecordType::AAAA, Vec::new(), Err(FetchError::Resolve)),
        (RecordType::A, records(), Ok(vec![v6.ip_addr().unwrap()])),
        (RecordType::AAAA, records(), Ok(vec![v4.ip_addr().unwrap()])),
    ] {
        let server = Server::start(Answer::Except(failing, ResponseCode::ServFail, records)).await;
        let outcome = server.dns.addresses("example.com").await;
        assert_eq!(outcome, expect, "no answer about {failing}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lookup_of_text_ends_when_its_time_is_up() {
    let server = Server::start(Answer::Silence).await;
    let started = tokio::time::Instant::now();
    let outcome = server.dns.txt("example.com", SECOND).await;
    assert_eq!(outcome, Err(DnsError::Timeout));
    assert!(
        started.elapsed() < SECOND * 11 / 10,
        "{:?}",
        started.elapsed()
    );
    assert!(server.asked().len() > 1, "a packet may be lost");
}

#[tokio::test]
async fn aliases_in_circles_end() {
    let alias = RData::CNAME(CNAME(Name::from_ascii("loop.example.com.").unwrap()));
    let server = Server::start(Answer::Records(vec![alias])).await;
    server.dns.addresses("loop.example.com").await.unwrap_err();
    assert!(server.asked().len() < 50, "{}", server.asked().len());
}

#[tokio::test]
async fn localhost_is_this_machine_and_nobody_is_asked() {
    let records = vec![RData::A(A::new(93, 184, 215, 14))];
    let server = Server::start(Answer::Records(records)).await;
    let addresses = server.dns.addresses("localhost").await.unwrap();
    assert!(addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    assert!(server.asked().is_empty(), "{:?}", server.asked());
}

#[tokio::test]
async fn what_is_not_a_name_is_not_asked_for() {
    let server = Server::start(Answer::Records(Vec::new())).await;
    let long = format!("{}.com", "a".repeat(64));
    for name in ["a..b", &long, "a b.com\0\u{e9}", &"a.".repeat(200)] {
        assert_eq!(
            server.dns.txt(name, SECOND).await,
            Err(DnsError::BadName),
            "{name}"
        );
        let outcome = server.dns.addresses(name).await;
        assert_eq!(outcome, Err(FetchError::UnknownHost), "{name}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn the_machines_own_configuration_can_be_read() {
    SystemDns::new().unwrap();
    // No server at all is an answer too, in time.
    let nobody: &[SocketAddr] = &[];
    let dns = SystemDns::with_servers(nobody).unwrap();
    dns.txt("example.com", SECOND).await.unwrap_err();
}
