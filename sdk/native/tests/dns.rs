//! DNS over real sockets, from a server on this machine that says whatever it likes: the contract of the ports, and what
//! only this adapter does.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

#[path = "servers/names.rs"]
mod names;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use huddle_native::{AddressLookup, SystemDns};
use huddle_ports::{DnsError, DnsSrv, DnsTxt, FetchError, Srv};
use huddle_testkit::contract::{self, Broken};

/// A name server with one answer for everything.
struct Server {
    dns: SystemDns,
    /// The names and types that were asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
enum Answer {
    Records(Vec<RData>),
    /// These records, but this code for questions of this type.
    Except(RecordType, ResponseCode, Vec<RData>),
    Code(ResponseCode),
    Silence,
    Rubbish,
}

impl Server {
    async fn start(answer: Answer) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let at = names::serve(move |question, _max_bytes| {
            let question = Message::from_vec(question).unwrap();
            let query = &question.queries[0];
            let line = format!("{} {}", query.name(), query.query_type());
            log.lock().unwrap().push(line);
            reply(&question, &answer)
        })
        .await;
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

fn reply(question: &Message, answer: &Answer) -> Option<Vec<u8>> {
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
        Answer::Except(record_type, code, _) if *record_type == query.query_type() => {
            reply.metadata.response_code = *code;
            &[]
        }
        Answer::Records(records) | Answer::Except(_, _, records) => records,
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

const SECOND: Duration = Duration::from_secs(1);

async fn text(answer: Answer) -> Result<Vec<String>, DnsError> {
    let server = Server::start(answer).await;
    server.dns.txt("_atproto.ana.example.com", SECOND).await
}

async fn by_the_contract() -> SystemDns {
    SystemDns::with_servers(&[names::serve(contract::zone).await]).unwrap()
}

#[tokio::test]
async fn dns_keeps_to_the_contract_of_its_ports() -> Result<(), Broken> {
    contract::dns(&by_the_contract().await).await
}

type Texts = fn(Result<Vec<String>, DnsError>) -> Result<Vec<String>, DnsError>;
type Services = fn(Result<Vec<Srv>, DnsError>) -> Result<Vec<Srv>, DnsError>;

/// An adapter that does something wrong with what DNS has said.
struct Mistaken {
    dns: SystemDns,
    texts: Texts,
    services: Services,
}

#[async_trait]
impl DnsTxt for Mistaken {
    async fn txt(&self, name: &str, timeout: Duration) -> Result<Vec<String>, DnsError> {
        (self.texts)(self.dns.txt(name, timeout).await)
    }
}

#[async_trait]
impl DnsSrv for Mistaken {
    async fn srv(&self, name: &str, timeout: Duration) -> Result<Vec<Srv>, DnsError> {
        (self.services)(self.dns.srv(name, timeout).await)
    }
}

#[tokio::test]
async fn the_contract_finds_out_what_is_wrong() {
    let texts: [Texts; 4] = [
        |texts| Ok(texts.unwrap_or_default()),
        |texts| texts.map(|it| it.into_iter().filter(|text| !text.is_empty()).collect()),
        |texts| texts.map(|it| it.into_iter().take(30).collect()),
        |texts| texts.map_err(|_| DnsError::Timeout),
    ];
    let services: [Services; 3] = [
        |services| Ok(services.unwrap_or_default()),
        |services| services.map_err(|_| DnsError::Failed),
        |services| {
            let dotted = |it: Srv| Srv {
                target: format!("{}.", it.target),
                ..it
            };
            services.map(|it| it.into_iter().map(dotted).collect())
        },
    ];
    let (as_they_are, as_it_is): (Texts, Services) = (|it| it, |it| it);
    let wrong = texts.map(|texts| (texts, as_it_is)).into_iter();
    let wrong = wrong.chain(services.map(|services| (as_they_are, services)));
    for (index, (texts, services)) in wrong.enumerate() {
        let dns = by_the_contract().await;
        let mistaken = Mistaken {
            dns,
            texts,
            services,
        };
        let outcome = contract::dns(&mistaken).await;
        assert!(outcome.is_err(), "mistake {index}");
    }
}

#[tokio::test]
async fn a_name_is_asked_for_once_and_as_it_is() {
    let server = Server::start(Answer::Code(ResponseCode::NXDomain)).await;
    for name in ["_atproto.ana", "_atproto.ana.example.com"] {
        assert_eq!(server.dns.txt(name, SECOND).await, Ok(Vec::new()));
    }
    let service = "_caldavs._tcp.example.com";
    assert_eq!(server.dns.srv(service, SECOND).await, Ok(Vec::new()));
    assert_eq!(
        server.asked(),
        [
            "_atproto.ana. TXT",
            "_atproto.ana.example.com. TXT",
            "_caldavs._tcp.example.com. SRV"
        ]
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
    // A packet may be lost, so there is another, which the server reads in its own time. Bounded by the test runner.
    tokio::time::resume();
    while server.asked().len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
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
