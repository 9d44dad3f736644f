//! Our lexicons and our server, used by programs that nobody here wrote: the client that `@atproto/lex` makes
//! of the lexicons, and the reference Personal Data Server, which passes calls on and signs them.
//!
//! What the peers are asked to do is in `tests/peers`; what has to come of it is here.

mod firehose;
mod node;

use node::{Peer, Program};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

/// What came of each call, by its name in the script.
struct Outcomes(BTreeMap<String, Value>);

impl Outcomes {
    fn of(program: Program) -> Self {
        let by_name = |line: Value| (line["call"].as_str().expect("a name").to_owned(), line);
        Self(program.finish().into_iter().map(by_name).collect())
    }

    #[track_caller]
    fn get(&self, call: &str) -> &Value {
        self.0
            .get(call)
            .unwrap_or_else(|| panic!("{call:?} was not called"))
    }

    /// Checks that a call was answered, and that the client found the answer to be as the lexicon says.
    #[track_caller]
    fn accepted(&self, call: &str) -> &Value {
        let outcome = self.get(call);
        assert_eq!(outcome["status"], 200, "{call}: {outcome:#}");
        assert!(outcome["failure"].is_null(), "{call}: {outcome:#}");
        &outcome["body"]
    }

    /// Checks that a call was refused with this error, whose message has this in it.
    #[track_caller]
    fn refused(&self, call: &str, status: u16, error: &str, message: &str) {
        let outcome = self.get(call);
        assert_eq!(outcome["status"], status, "{call}: {outcome:#}");
        assert_eq!(outcome["error"], error, "{call}: {outcome:#}");
        let text = outcome["message"].as_str().expect("errors have messages");
        assert!(
            text.contains(message),
            "{call}: {message:?} is not in {text:?}"
        );
    }

    /// As [`refused`](Self::refused); and the client knows the error from the lexicon, or knows that it does not.
    #[track_caller]
    fn refused_as(&self, call: &str, status: u16, error: &str, declared: bool) {
        self.refused(call, status, error, "");
        let outcome = self.get(call);
        assert_eq!(outcome["declared"], declared, "{call}: {outcome:#}");
    }
}

/// Our server. The first line says where it is, and who.
fn contract_server(arguments: &[&str]) -> (Program, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_contract-server"));
    command.args(arguments);
    let mut server = Program::start(command);
    let started = server.line();
    let text = |key: &str| started[key].as_str().expect("a text").to_owned();
    (server, text("listening"), text("did"))
}

/// The client, made of our lexicons as they are now.
fn client() -> Option<Peer> {
    let client = Peer::stage("lexclient")?;
    let lexicons = huddle_testdata::workspace_root().join("lexicons");
    let lexicons = lexicons
        .to_str()
        .expect("the path of the checkout is UTF-8");
    let options = [
        "--no-pretty",
        "--import-ext",
        ".ts",
        "--lexicons",
        lexicons,
        "--out",
        "lexicons",
    ];
    client.run("lex", &[&["build"][..], &options[..]].concat());
    Some(client)
}

#[test]
fn a_client_made_of_our_lexicons_accepts_every_answer_and_understands_every_refusal() {
    let Some(client) = client() else { return };
    client.run("tsc", &[]);
    let (_server, service, _) = contract_server(&[]);
    let outcomes = Outcomes::of(client.start("anonymous.ts", &[&service]));

    let offers = outcomes.accepted("query")["offers"]
        .as_array()
        .expect("a list")
        .clone();
    assert_eq!(
        offers[0]["record"]["$type"], "com.huddle.slotOffer",
        "{offers:#?}"
    );
    outcomes.accepted("query without what is optional");
    outcomes.refused_as("declared error", 400, "HostNotFound", true);
    outcomes.refused_as("signed in by nobody", 401, "AuthenticationRequired", false);

    let unsent = outcomes.get("refused by the client")["message"]
        .as_str()
        .expect("a text");
    assert!(unsent.contains("host"), "{unsent}");
    for (call, status, error, message) in [
        ("parameter of another format", 400, "InvalidRequest", "host"),
        ("parameter out of bounds", 400, "InvalidRequest", "limit"),
        (
            "parameter that is no number",
            400,
            "InvalidRequest",
            "limit",
        ),
        ("parameter missing", 400, "InvalidRequest", "host"),
        ("parameter twice", 400, "InvalidRequest", "host"),
        ("input of another type", 400, "InvalidRequest", "record"),
        ("input missing a field", 400, "InvalidRequest", "record"),
        ("input that is no JSON", 400, "InvalidRequest", ""),
        (
            "input in another encoding",
            415,
            "UnsupportedMediaType",
            "application/json",
        ),
        ("wrong verb", 405, "InvalidRequest", ""),
        ("unknown method", 501, "MethodNotImplemented", ""),
    ] {
        outcomes.refused(call, status, error, message);
    }
}

#[test]
fn a_real_server_passes_calls_on_and_who_called_is_verified() {
    let (Some(client), Some(network)) = (client(), Peer::stage("atproto")) else {
        return;
    };
    // The directory has to know where the service is, and the service who it is, before either starts.
    let port = free_port();
    let mut network = network.start(
        "network.mjs",
        &["accounts", &format!("http://localhost:{port}")],
    );
    let addresses = network.line();
    let address = |key: &str| addresses[key].as_str().expect("an address");
    let (plc, pds, plc_did) = (address("plc"), address("pds"), address("service"));

    let (_by_web, web_service, web_did) = contract_server(&["--plc", plc]);
    let port = port.to_string();
    let (_by_plc, plc_service, _) =
        contract_server(&["--plc", plc, "--port", &port, "--did", plc_did]);
    assert!(web_did.starts_with("did:web:localhost%3A"), "{web_did}");
    for (did, service) in [(web_did.as_str(), &web_service), (plc_did, &plc_service)] {
        check_signed_in(&Outcomes::of(
            client.start("signed_in.ts", &[pds, did, service]),
        ));
    }
}

/// A port that stays free until a server has it: of those that systems do not give to whoever asks for any, and others here
/// take higher ones.
fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (12_000..20_000)
        .find(is_free)
        .expect("this machine has a free port")
}

#[track_caller]
fn check_signed_in(outcomes: &Outcomes) {
    let account = &outcomes.get("account")["did"];
    outcomes.accepted("query");
    outcomes.refused_as("declared error", 400, "HostNotFound", true);
    outcomes.refused_as("declared error of a procedure", 400, "SelfBooking", true);
    outcomes.refused(
        "invalid input",
        400,
        "InvalidRequest",
        "constraints/durationMin",
    );
    for call in ["procedure", "with a token of our own"] {
        assert_eq!(
            &outcomes.accepted(call)["booking"]["guestDid"],
            account,
            "{call}"
        );
    }

    let cid = &outcomes.get("record here")["cid"];
    assert_eq!(&outcomes.get("record in the repository")["cid"], cid);
    assert_eq!(&outcomes.accepted("record at the service")["cid"], cid);

    for (call, error) in [
        ("with the same token again", "JwtReplayed"),
        ("with a token for another method", "BadJwtLexiconMethod"),
        ("with a token for another service", "BadJwtAudience"),
        (
            "with a token in the name of somebody else",
            "BadJwtSignature",
        ),
        ("with a token in the name of nobody", "BadJwtIss"),
    ] {
        outcomes.refused_as(call, 401, error, false);
    }
}
