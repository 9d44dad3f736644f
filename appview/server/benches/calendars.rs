//! How long a match takes where the host has connected two calendars: the first one, which has to ask both, and one soon
//! after, which does not; and the finalize, which asks them once more. Over HTTP with signed tokens and every commit on
//! the disk, one request after the other.
//!
//! The CalDAV server is in memory, in the same process, and answers each request after a fixed while: what is seen is how
//! many requests are waited for, and what Huddle adds to that.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints it, and may end in a panic"
)]

#[path = "support/hosts.rs"]
mod hosts;
#[path = "../tests/http/server.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use huddle_calendars::{CalendarPorts, ConnectedCalendars, Given};
use huddle_core::Limits;
use huddle_core::matching::{Matching, Sources};
use huddle_core::user_connector::connector::{Access, Provider};
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::user_connector::ticket::ConnectTicket;
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_native::{OsRandom, SystemClock};
use huddle_ports::{Clock as _, Fetch, FetchError, Request, Response, Url};
use huddle_schedule::Zone;
use huddle_schedule::disclosure::DisclosureKey;
use huddle_syntax::Did;
use huddle_testkit::CalendarServer;
use tokio::task::JoinSet;

use hosts::{Friends, publish};
use server::{Server, did};

const HOSTS: usize = 200;
const CALENDARS: usize = 2;
const EVENTS: u32 = 100;
/// How long the CalDAV server takes to answer.
const DELAY: Duration = Duration::from_millis(20);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("{CALENDARS} calendars of {EVENTS} events each, {DELAY:?} a request");
    println!("                  requests          p50          p99");
    for line in runtime.block_on(run()) {
        println!("{line}");
    }
}

/// A CalDAV server somewhere else.
struct Remote {
    server: CalendarServer,
    asked: AtomicUsize,
}

#[async_trait]
impl Fetch for Remote {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(DELAY).await;
        self.server.fetch(request).await
    }
}

/// How often something was done, how often the calendars were asked for it, and how long it took each time.
#[derive(Default)]
struct Measured {
    asked: usize,
    times: Vec<Duration>,
}

impl Measured {
    async fn measure<T>(&mut self, remote: &Remote, work: impl Future<Output = T>) -> T {
        let asked = remote.asked.load(Ordering::Relaxed);
        let begun = Instant::now();
        let done = work.await;
        self.times.push(begun.elapsed());
        self.asked += remote.asked.load(Ordering::Relaxed) - asked;
        done
    }

    fn line(mut self, name: &str) -> String {
        self.times.sort_unstable();
        let at = |percent: usize| self.times[self.times.len() * percent / 100];
        let each = self.asked / self.times.len();
        assert_eq!(
            self.asked % self.times.len(),
            0,
            "{name} is not always the same"
        );
        format!("{name:18} {each:7} {:12.1?} {:12.1?}", at(50), at(99))
    }
}

async fn run() -> [String; 3] {
    let place = Url::parse("https://calendars.test").unwrap();
    let remote = Arc::new(Remote {
        server: CalendarServer::new(place),
        asked: AtomicUsize::new(0),
    });
    let (server, calendars) = start(remote.clone()).await;
    let hosts: Vec<Did> = (0..HOSTS)
        .map(|number| did(&format!("host{number}")))
        .collect();
    publish(&server.index, &hosts).await;
    connect(&calendars, &remote, &hosts).await;
    let (mut cold, mut warm, mut check) = <(Measured, Measured, Measured)>::default();
    for host in &hosts {
        let [first, second] = [did(&server.fresh_key()), did(&server.fresh_key())];
        let matched = cold.measure(&remote, ask_for_a_meeting(&server, host, &first));
        let booking = matched.await;
        let again = warm.measure(&remote, ask_for_a_meeting(&server, host, &second));
        again.await;
        check
            .measure(&remote, accept(&server, &first, booking))
            .await;
    }
    [
        cold.line("match, cold"),
        warm.line("match, warm"),
        check.line("finalize"),
    ]
}

async fn start(remote: Arc<Remote>) -> (Server, ConnectedCalendars) {
    let limits = Limits::default();
    let of_matching = Arc::new(limits.clone());
    let mut connected = None;
    let server = Server::start_with(limits, |actors, index| {
        let ports = CalendarPorts {
            actors: actors.clone(),
            fetch: remote,
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
        };
        let keys = KeyRing::parse(&KeyRing::new_key("1", &OsRandom)).unwrap();
        let calendars = ConnectedCalendars::new(ports, keys, &of_matching);
        connected = Some(calendars.clone());
        let sources = Sources {
            index,
            actors,
            relationships: Arc::new(Friends),
            calendars: Arc::new(calendars),
            clock: Arc::new(SystemClock),
        };
        let key = DisclosureKey::new(&[7; 32]);
        Matching::new(sources, did("huddle"), key, of_matching)
    });
    (server.await, connected.unwrap())
}

/// Has each host connect their accounts.
async fn connect(calendars: &ConnectedCalendars, remote: &Arc<Remote>, hosts: &[Did]) {
    let mut connecting = JoinSet::new();
    for host in hosts {
        for number in 0..CALENDARS {
            let (calendars, remote, host) = (calendars.clone(), remote.clone(), host.clone());
            let user = format!("{} {number}", host.as_str().replace(':', " "));
            connecting.spawn(async move {
                remote.server.open(&user, "secret");
                for nth in 0..EVENTS {
                    let name = format!("{nth}.ics");
                    remote.server.write(&user, &name, &event(nth)).unwrap();
                }
                let now = SystemClock.now();
                let (provider, access) = (Provider::CalDav, Access::FreeBusy);
                let ticket = ConnectTicket::new(host, provider, access, &OsRandom, now);
                let given = Given::CalDav {
                    start: remote.server.place().as_str(),
                    user: &user,
                    password: "secret",
                };
                calendars.connect(&ticket, None, given).await.unwrap();
            });
        }
    }
    connecting.join_all().await;
}

/// One of five short meetings on each of the next days.
fn event(nth: u32) -> String {
    let day = SystemClock.now() + Duration::from_hours(24) * (nth / 5);
    let day = Zone::UTC.date(day).to_string().replace('-', "");
    let hour = 9 + nth % 5;
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\nUID:{nth}\r\n\
         DTSTAMP:20260101T000000Z\r\nDTSTART:{day}T{hour:02}0000Z\r\nDURATION:PT20M\r\nSUMMARY:Meeting {nth}\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

async fn ask_for_a_meeting(server: &Server, host: &Did, guest: &Did) -> String {
    let mut ask = matching::Input::new(host.clone());
    ask.idempotency_key = Some("calendars".into());
    let held = server.call::<matching::Match>(guest, &ask).await.unwrap();
    held.booking.unwrap().id
}

async fn accept(server: &Server, guest: &Did, booking: String) {
    let mut accept = finalize::Input::new(booking);
    accept.idempotency_key = Some("calendars".into());
    let confirmed = server.call::<finalize::Finalize>(guest, &accept).await;
    assert_eq!(confirmed.unwrap().booking.status, BookingStatus::Confirmed);
}
