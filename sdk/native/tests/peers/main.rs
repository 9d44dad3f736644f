//! Mail by a server that nobody here wrote, aiosmtpd: what arrives in the mailboxes of both parties of a meeting, as the
//! libraries of others read it.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::booking::{Asked, Booking, BookingId, BookingIds, Constraints};
use huddle_core::effects::{Effects, Post};
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_core::index::Index as _;
use huddle_core::index::people::{self, Names};
use huddle_core::mail::{Addresses, Delivery, Links};
use huddle_core::outbox::Task;
use huddle_core::tasks::Tasks;
use huddle_core::transport::ask;
use huddle_core::user_connector::PutPreferences;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::{ActorName, Interval, Limits};
use huddle_mail::{Letters, Mailer as _, Message, Sender};
use huddle_native::{
    ActorStore, OsRandom, Pump, SmtpMailer, SqliteIndex, TaskFailed, TaskRunner, Trouble,
};
use huddle_ports::{Clock as _, Timestamp, Url};
use huddle_syntax::Did;
use huddle_testkit::{HostWindows, ListedWindows, SteppingClock};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use server::MailServer;

/// 2026-06-01T12:00Z.
const NOON: Timestamp = Timestamp::from_millis(1_780_315_200_000);

fn did(name: &str) -> Did {
    format!("did:web:{name}.example.com").parse().unwrap()
}

fn key(caller: &str, method: &str) -> Key {
    Key {
        caller: did(caller),
        method: method.into(),
        key: "k".into(),
        body_hash: String::new(),
    }
}

/// An installation that sends mail.
struct World {
    actors: Arc<ActorStore>,
    index: Arc<SqliteIndex>,
    clock: Arc<SteppingClock>,
    flows: Flows,
    addresses: Addresses,
    tasks: Tasks,
}

struct Runner(Tasks);

#[async_trait]
impl TaskRunner for Runner {
    async fn run(&self, task: &Task) -> Result<(), TaskFailed> {
        Ok(self.0.run(task).await?)
    }

    fn report(&self, trouble: &Trouble<'_>) {
        panic!("{trouble}");
    }
}

impl World {
    fn new(mailer: SmtpMailer) -> Self {
        let clock = Arc::new(SteppingClock::at(NOON));
        let actors = ActorStore::in_memory(clock.clone(), Limits::default()).unwrap();
        let (actors, index) = (
            Arc::new(actors),
            Arc::new(SqliteIndex::in_memory().unwrap()),
        );
        let hours = |hours| NOON + Duration::from_hours(hours);
        let windows = ListedWindows::new(vec![HostWindows {
            host: did("ada"),
            windows: vec![Interval::new(hours(20), hours(21)).unwrap()],
            offer: None,
        }]);
        let limits = Arc::new(Limits::default());
        let flows = Flows::new(actors.clone(), Arc::new(windows), clock.clone(), limits);
        let keys = KeyRing::parse(&format!("k:{:064x}", 7)).unwrap();
        let random = Arc::new(OsRandom);
        let addresses = Addresses::new(keys.clone(), random.clone());
        let sender: Sender = "Huddle <bookings@huddle.example>".parse().unwrap();
        let pages = Url::parse("https://huddle.example/").unwrap();
        let post = Post {
            mail: Arc::new(Letters::new(Arc::new(mailer), sender)),
            addresses: addresses.clone(),
            links: Some(Links::new(pages, keys, random)),
        };
        let effects = Effects::new(actors.clone(), index.clone(), clock.clone()).with_mail(post);
        let tasks = Tasks::new(actors.clone(), flows.clone(), index.clone());
        Self {
            tasks: tasks.with_effects(effects),
            actors,
            index,
            clock,
            flows,
            addresses,
        }
    }

    async fn name(&self, name: &str, display_name: &str) {
        let names = Names {
            handle: Some(format!("{name}.test").parse().unwrap()),
            display_name: Some(display_name.to_owned()),
        };
        let person = did(name);
        let mut statements = vec![people::seen(person.as_str(), NOON)];
        statements.extend(people::name(&person, &names, NOON));
        self.index.batch(statements).await.unwrap();
    }

    async fn live_in(&self, name: &str, zone: &str) {
        let put = PutPreferences {
            key: key(name, "preferences"),
            document: format!(r#"{{"tz": "{zone}"}}"#),
            swap_revision: None,
        };
        let person = ActorName::user_connector(&did(name));
        ask(&*self.actors, &person, put).await.unwrap().unwrap();
    }

    async fn ask_to_confirm(&self, name: &str) {
        let address = format!("{name}@mail.example").parse().unwrap();
        let (actors, now) = (&*self.actors, self.clock.now());
        let asked = self
            .addresses
            .ask_to_confirm(actors, key(name, "ask"), &address, now);
        asked.await.unwrap().unwrap();
    }

    async fn confirm(&self, name: &str, token: &str) {
        let confirmed = self
            .addresses
            .confirm(&*self.actors, key(name, "confirm"), token);
        confirmed.await.unwrap().unwrap();
    }
}

/// What a message says in one of its forms.
#[track_caller]
fn part<'a>(message: &'a Value, kind: &str) -> &'a Value {
    let parts = message["parts"].as_array().unwrap();
    let part = parts.iter().find(|part| part["type"] == kind);
    part.unwrap_or_else(|| panic!("no {kind} in {message:#}"))
}

fn text<'a>(message: &'a Value, kind: &str) -> &'a str {
    part(message, kind)["text"].as_str().unwrap()
}

/// The messages that both got, by their mailboxes.
fn both(server: &mut MailServer) -> BTreeMap<String, Value> {
    let message = |_| {
        let message = server.next();
        assert_eq!(message["defects"], Value::Array(Vec::new()), "{message:#}");
        assert_eq!(message["envelope"]["from"], "bookings@huddle.example");
        let to = message["envelope"]["to"][0].as_str().unwrap().to_owned();
        (to, message)
    };
    (0..2).map(message).collect()
}

impl World {
    /// Both enter their addresses, and take the token that comes there.
    async fn confirm_addresses(&self, server: &mut MailServer) {
        for name in ["ada", "bob"] {
            self.ask_to_confirm(name).await;
            let message = server.next();
            let mut lines = text(&message, "text/plain").lines();
            let token = lines.find(|line| line.starts_with("k.")).unwrap();
            assert!(text(&message, "text/html").contains(token));
            self.confirm(name, token).await;
        }
    }

    /// A meeting is confirmed, moved and called off: its id, its two times, and what both got each time.
    async fn meeting(&self, server: &mut MailServer) -> Meeting {
        let asked = Asked {
            note: Some("Coffee; and, <i>cake</i>\nat yours?".into()),
            accepted: true,
            ..Asked::new(did("ada"), did("bob"))
        };
        let id = BookingIds::new(&[7; 32]).of_request(&did("bob"), "match", "k");
        let flows = &self.flows;
        let confirmed = flows.request(&id, asked, "hash".into()).await;
        let first = slot(&confirmed.unwrap().unwrap());
        let mut letters = vec![both(server)];
        let (moved, why) = (key("bob", "reschedule"), Some("A train".to_owned()));
        let moved = flows.reschedule(&id, moved, Constraints::default(), why);
        let second = slot(&moved.await.unwrap().unwrap());
        letters.push(both(server));
        let canceled = flows.cancel(&id, key("ada", "cancel"), None).await;
        canceled.unwrap().unwrap();
        letters.push(both(server));
        assert_ne!(first, second);
        Meeting {
            id,
            times: [first, second],
            letters,
        }
    }
}

/// A meeting that was confirmed, moved and called off.
struct Meeting {
    id: BookingId,
    times: [Interval; 2],
    /// What both got each time, by their mailboxes.
    letters: Vec<BTreeMap<String, Value>>,
}

fn slot(booking: &Booking) -> Interval {
    booking.phase.place().unwrap().slot
}

#[tokio::test(flavor = "multi_thread")]
async fn both_mailboxes_hold_invitations_that_others_read_as_we_wrote_them() {
    let Some(mut server) = MailServer::start("plain", &[]) else {
        return;
    };
    let url = Url::parse(&format!("smtp://localhost:{}", server.port)).unwrap();
    let world = World::new(SmtpMailer::new(&url, "huddle.example", &[]).unwrap());
    let name = "Ada Löwe\r\nBcc: everybody@mail.example";
    world.name("ada", name).await;
    world.name("bob", "<b>Bob</b> ☕").await;
    world.live_in("bob", "Asia/Tokyo").await;
    let (stop, stopped) = oneshot::channel::<()>();
    let runner = Arc::new(Runner(world.tasks.clone()));
    let pump = Pump::new(world.actors.clone(), runner, Arc::new(OsRandom));
    let pump = tokio::spawn(pump.run(async {
        // Whoever drops the other end has it stop as well.
        let _ = stopped.await;
    }));
    world.confirm_addresses(&mut server).await;
    let meeting = world.meeting(&mut server).await;
    drop(stop);
    pump.await.unwrap();
    check_letters(&meeting);
    check_calendars(&meeting);
}

#[track_caller]
fn check_letters(meeting: &Meeting) {
    let with = "meeting with Ada Löwe Bcc: everybody@mail.example";
    let expect = ["Confirmed", "Moved", "Canceled"].map(|kind| format!("{kind}: {with}, "));
    let mut ids = BTreeSet::new();
    for (both, expect) in meeting.letters.iter().zip(expect) {
        let subject = both["bob@mail.example"]["headers"]["subject"].as_str();
        assert!(subject.unwrap().starts_with(&expect), "{subject:?}");
        for (to, message) in both {
            assert!(message["headers"]["bcc"].is_null(), "{message:#}");
            ids.insert(message["headers"]["message-id"].to_string());
            let other = if to.starts_with("ada") {
                "bob@"
            } else {
                "ada@"
            };
            assert!(!message.to_string().contains(other), "{message:#}");
            let calendar = part(message, "text/calendar");
            let method = format!("METHOD:{}", calendar["method"].as_str().unwrap());
            let mut lines = calendar["text"].as_str().unwrap().lines();
            assert!(lines.any(|line| line == method), "{calendar:#}");
        }
    }
    assert_eq!(ids.len(), 6, "{ids:?}");
    let bobs = &meeting.letters[0]["bob@mail.example"];
    let plain = text(bobs, "text/plain");
    assert!(plain.contains("(Asia/Tokyo)"), "{plain}");
    let cancel = "https://huddle.example/cancel-booking?token=";
    assert!(plain.contains(cancel), "{plain}");
    let html = text(bobs, "text/html");
    assert!(html.contains("&#60;i&#62;cake&#60;/i&#62;"), "{html}");
    let adas = text(&meeting.letters[1]["ada@mail.example"], "text/plain");
    assert!(adas.contains("> A train"), "{adas}");
}

/// The libraries of others read the same in every file, and that is what we meant.
#[track_caller]
fn check_calendars(meeting: &Meeting) {
    let messages = meeting.letters.iter().flat_map(BTreeMap::values);
    let files = messages.map(|message| text(message, "text/calendar").to_owned());
    let Some([python, node]) = server::read(&files.collect::<Vec<_>>()) else {
        return;
    };
    assert_eq!(python, node);
    let [first, second] = meeting.times;
    let expect = [
        ("REQUEST", 0, first, "CONFIRMED"),
        ("REQUEST", 1, second, "CONFIRMED"),
        ("CANCEL", 2, second, "CANCELLED"),
    ];
    for (both, (method, sequence, slot, status)) in python.chunks(2).zip(expect) {
        for (event, mailbox) in both.iter().zip(["ada@mail.example", "bob@mail.example"]) {
            assert_eq!(event["uid"], meeting.id.as_str());
            assert_eq!(event["method"], method);
            assert_eq!(event["sequence"], sequence);
            assert_eq!(event["status"], status);
            assert_eq!(event["start"], told(slot.start()));
            assert_eq!(event["end"], told(slot.end()));
            let organizer = &event["organizer"];
            assert_eq!(organizer["address"], "mailto:bookings@huddle.example");
            assert_eq!(organizer["name"], "@ada.test");
            let attendees = event["attendees"].as_array().unwrap();
            assert_eq!(attendees.len(), 1);
            assert_eq!(attendees[0]["address"], format!("mailto:{mailbox}"));
        }
    }
}

/// As the readers tell a moment.
fn told(moment: Timestamp) -> String {
    let seconds = moment.as_secs();
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    assert_eq!(seconds / 86400, NOON.as_secs() / 86400 + 1);
    format!("2026-06-02T{hours:02}:{minutes:02}:00Z")
}

/// A certificate for this machine, and its key.
fn certificate(folder: &TempDir) -> (Vec<u8>, [std::path::PathBuf; 2]) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let files = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&files[0], certificate.pem()).unwrap();
    fs::write(&files[1], key.serialize_pem()).unwrap();
    (certificate.pem().into_bytes(), files)
}

fn message(to: &str) -> Message {
    Message {
        from: "bookings@huddle.example".parse().unwrap(),
        to: to.parse().unwrap(),
        bytes: b"Subject: Hello\r\n\r\n.Hello\r\n".to_vec(),
    }
}

#[tokio::test]
async fn a_password_goes_over_tls_only_and_to_nobody_whose_certificate_is_unknown() {
    let folder = TempDir::new().unwrap();
    let (root, files) = certificate(&folder);
    let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    for (kind, scheme, end) in [("tls", "smtps", ""), ("starttls", "smtp", "?tls=required")] {
        let Some(mut server) = MailServer::start(kind, &files) else {
            return;
        };
        let mailer = |password: &str, roots: &[&[u8]]| {
            let port = server.port;
            let url = format!("{scheme}://huddle:{password}@localhost:{port}{end}");
            SmtpMailer::new(&Url::parse(&url).unwrap(), "huddle.example", roots).unwrap()
        };
        let unknown = mailer("secret", &[])
            .send(&message("bob@mail.example"))
            .await;
        assert!(
            matches!(unknown, Delivery::TryLater { .. }),
            "{kind}: {unknown:?}"
        );
        let wrong = mailer("wrong", &[&root])
            .send(&message("bob@mail.example"))
            .await;
        assert!(
            matches!(wrong, Delivery::TryLater { .. }),
            "{kind}: {wrong:?}"
        );
        let sent = mailer("secret", &[&root])
            .send(&message("bob@mail.example"))
            .await;
        assert_eq!(sent, Delivery::Sent, "{kind}");
        let taken = server.next();
        assert_eq!(taken["greeting"], "huddle.example");
        assert_eq!(taken["parts"][0]["text"].as_str().unwrap().trim(), ".Hello");
    }
}

#[tokio::test]
async fn what_the_server_says_decides_and_no_address_is_repeated() {
    let Some(server) = MailServer::start("plain", &[]) else {
        return;
    };
    let url = Url::parse(&format!("smtp://localhost:{}", server.port)).unwrap();
    let mailer = SmtpMailer::new(&url, "huddle.example", &[]).unwrap();
    let problem = async |name: &str| {
        let delivery = mailer.send(&message(&format!("{name}@mail.example"))).await;
        assert!(
            !format!("{delivery:?}").contains("mail.example"),
            "{delivery:?}"
        );
        delivery
    };
    let later = |delivery| matches!(delivery, Delivery::TryLater { .. });
    assert!(later(problem("later").await));
    assert!(later(problem("drop").await));
    let refused = Delivery::Refused("the mail server answers 550".into());
    assert_eq!(problem("never").await, refused);
    drop(server);
    assert!(later(problem("bob").await));
}
