//! Calendars that people have connected: what is kept of them, when they are asked, and what comes of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{join_all, select};
use huddle_calendars::{CalendarError, CalendarPorts, ConnectedCalendars, Given, NotConnected};
use huddle_core::booking::{Booking, BookingId, Phase};
use huddle_core::calendar_events::{CalendarEvents as _, Outcome};
use huddle_core::idempotency::Key;
use huddle_core::matching::{Busy, Calendars as _, Freshness};
use huddle_core::transport::ask;
use huddle_core::user_connector::PutPreferences;
use huddle_core::user_connector::connector::{
    Access, BeginReading, ConnectRefused, Connector, ConnectorId, Disconnect, EndReading,
    ForgetEvent, GetCalendars, Health, Problem, Provider, Read, Reseal, Unread,
};
use huddle_core::user_connector::rotation::reseal;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::user_connector::ticket::ConnectTicket;
use huddle_core::{ActorName, Ask, Interval, Limits};
use huddle_native::ActorStore;
use huddle_ports::{Clock as _, Fetch, FetchError, GuardedFetch, Request, Response};
use huddle_schedule::IntervalSet;
use huddle_testkit::{CountingRandom, SteppingClock};

use crate::block_on;
use crate::booking::{ana, booking, confirmed, held, id};
use crate::script::{Answer, Fault, Script};
use crate::server::{EVENT, FEED, HOST, NOW, hours, serve, works};

const KEEP: Duration = Duration::from_mins(5);

/// A person, and the server of their calendars.
pub(crate) struct World {
    pub(crate) script: Script,
    pub(crate) clock: Arc<SteppingClock>,
    actors: Arc<ActorStore>,
    random: Arc<CountingRandom>,
    pub(crate) calendars: ConnectedCalendars,
}

fn key(number: u8) -> String {
    format!("k{number}:{}", format!("{number:02x}").repeat(32))
}

fn keys(text: &str) -> KeyRing {
    KeyRing::parse(text).unwrap()
}

impl World {
    pub(crate) fn new(script: Script) -> Self {
        let clock = Arc::new(SteppingClock::at(NOW));
        let actors = ActorStore::in_memory(clock.clone(), Limits::default()).unwrap();
        Self::over(script, clock, Arc::new(actors))
    }

    fn over(script: Script, clock: Arc<SteppingClock>, actors: Arc<ActorStore>) -> Self {
        let random = Arc::new(CountingRandom::default());
        let ports = CalendarPorts {
            actors: actors.clone(),
            fetch: Arc::new(script.fetch()),
            clock: clock.clone(),
            random: random.clone(),
        };
        Self {
            calendars: ConnectedCalendars::new(ports, keys(&key(1)), &Limits::default()),
            script,
            clock,
            actors,
            random,
        }
    }

    fn ports(&self) -> CalendarPorts {
        CalendarPorts {
            actors: self.actors.clone(),
            fetch: Arc::new(self.script.fetch()),
            clock: self.clock.clone(),
            random: self.random.clone(),
        }
    }

    /// The same, as another process with these keys sees it.
    fn with_keys(&self, text: &str) -> ConnectedCalendars {
        ConnectedCalendars::new(self.ports(), keys(text), &Limits::default())
    }

    /// The same, as a process with these limits sees it.
    fn within(mut self, limits: &Limits) -> Self {
        self.calendars = ConnectedCalendars::new(self.ports(), keys(&key(1)), limits);
        self
    }

    fn ticket(&self, provider: Provider, access: Access) -> ConnectTicket {
        ConnectTicket::new(ana(), provider, access, &*self.random, self.clock.now())
    }

    pub(crate) async fn connect_feed(&self) -> ConnectorId {
        let ticket = self.ticket(Provider::Ics, Access::FreeBusy);
        let id = self.calendars.connect(&ticket, None, a_feed()).await;
        self.script.take_sent();
        id.unwrap()
    }

    pub(crate) async fn connect_caldav(&self, access: Access) -> ConnectorId {
        let ticket = self.ticket(Provider::CalDav, access);
        let id = self.calendars.connect(&ticket, None, an_account()).await;
        self.script.take_sent();
        id.unwrap()
    }

    /// What is known of the day on which the event is.
    pub(crate) async fn recent(&self) -> Busy {
        self.busy(None, Freshness::Recent).await
    }

    pub(crate) async fn busy(&self, but: Option<&BookingId>, freshness: Freshness) -> Busy {
        let deadline = self.clock.now() + Duration::from_secs(8);
        let day = hours(0, 24);
        let known = self.tell(GetCalendars {
            event_of: but.cloned(),
        });
        let known = known.await;
        self.calendars
            .busy(&ana(), &known, day, but, freshness, deadline)
            .await
    }

    pub(crate) async fn tell<A: Ask>(&self, question: A) -> A::Answer {
        let hers = ActorName::user_connector(&ana());
        ask(&*self.actors, &hers, question).await.unwrap()
    }

    pub(crate) async fn connectors(&self) -> Vec<Connector> {
        self.tell(GetCalendars { event_of: None }).await.connectors
    }

    /// She puts preferences.
    async fn prefer(&self, document: &str) {
        let put = PutPreferences {
            key: Key {
                caller: ana(),
                method: "put".into(),
                key: format!("{} {document}", self.clock.now().as_millis()),
                body_hash: String::new(),
            },
            document: document.to_owned(),
            swap_revision: None,
        };
        self.clock.step(Duration::from_millis(1));
        self.tell(put).await.unwrap();
    }

    pub(crate) async fn booking(&self, phase: Phase) -> Booking {
        booking(&*self.actors, phase).await
    }
}

fn a_feed() -> Given<'static> {
    Given::Feed { address: FEED }
}

fn an_account() -> Given<'static> {
    Given::CalDav {
        start: HOST,
        user: "ana",
        password: "a word of passing",
    }
}

pub(crate) fn nine_to_ten() -> Busy {
    Busy::Known(hours(9, 10).into())
}

#[test]
fn whoever_has_connected_nothing_is_unconnected() {
    let world = World::new(works());
    assert_eq!(block_on(world.recent()), Busy::Unconnected);
}

#[test]
fn a_connected_calendar_is_read_once_and_remembered_for_a_while() {
    block_on(async {
        let world = World::new(works());
        world.connect_feed().await;
        // Not at midnight, when another day begins that calendars are read for.
        world.clock.step(Duration::from_hours(1));
        assert_eq!(world.recent().await, nine_to_ten());
        assert_eq!(world.script.take_lines(), [format!("GET {FEED}")]);
        let moment = Duration::from_millis(1);
        world.clock.step(KEEP.saturating_sub(moment));
        assert_eq!(world.recent().await, nine_to_ten());
        assert_eq!(world.script.take_lines().len(), 0);
        world.clock.step(moment);
        assert_eq!(world.recent().await, nine_to_ten());
        let [again] = world.script.take_sent().try_into().unwrap();
        assert_eq!(again.header("if-none-match"), Some("\"f1\""));
    });
}

#[test]
fn what_is_too_long_to_be_kept_is_read_each_time() {
    let events = (0..19_000).map(|number| {
        let at = NOW + Duration::from_mins(4) * number;
        let at = chrono::DateTime::from_timestamp_millis(at.as_millis()).unwrap();
        let at = at.format("%Y%m%dT%H%M%SZ");
        format!("BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART:{at}\r\nDURATION:PT2M\r\nEND:VEVENT\r\n")
    });
    let events = events.collect::<Vec<_>>().concat();
    let text = EVENT.replacen("BEGIN:VEVENT", &format!("{events}BEGIN:VEVENT"), 1);
    block_on(async {
        let world = World::new(Script::new(move |_| Answer::new(200, text.clone())));
        world.connect_feed().await;
        for _ in 0..2 {
            assert!(matches!(world.recent().await, Busy::Known(_)));
            assert_eq!(world.script.take_lines().len(), 1);
        }
        let [connector] = world.connectors().await.try_into().unwrap();
        assert_eq!(connector.health, Health::Connected);
        assert!(connector.snapshot.unwrap().as_str().len() < 100);
    });
}

#[test]
fn what_is_connected_anew_is_not_overwritten_by_what_was_begun_before() {
    block_on(async {
        let world = World::new(works());
        let id = world.connect_feed().await;
        let [before] = world.connectors().await.try_into().unwrap();
        let mut ticket = world.ticket(Provider::Ics, Access::FreeBusy);
        ticket.connector = Some(id.clone());
        let anew = world.calendars.connect(&ticket, None, a_feed()).await;
        assert!(anew.is_ok());
        let [after] = world.connectors().await.try_into().unwrap();
        let reseal = Reseal {
            id: id.clone(),
            before: before.credentials.clone(),
            after: before.credentials,
        };
        assert!(!world.tell(reseal).await);
        let end = EndReading {
            reader: None,
            outcomes: vec![Read {
                id,
                revision: before.revision,
                outcome: Err(Unread {
                    problem: Problem::Unauthorized,
                    retry_after_secs: None,
                }),
            }],
        };
        world.tell(end).await;
        assert_eq!(world.connectors().await, [after]);
    });
}

#[test]
fn a_thousand_questions_at_once_are_one_request() {
    block_on(async {
        let world = World::new(works());
        world.connect_feed().await;
        let ask = async |number| {
            let booking = id(number);
            world.busy(Some(&booking), Freshness::Recent).await
        };
        let answers = join_all((0..1000).map(ask)).await;
        assert!(answers.iter().all(|answer| *answer == nine_to_ten()));
        assert_eq!(world.script.take_lines(), [format!("GET {FEED}")]);
    });
}

#[test]
fn while_another_process_reads_the_calendars_they_are_not_asked() {
    block_on(async {
        let world = World::new(works());
        world.connect_feed().await;
        let other = BeginReading {
            reader: "another".into(),
        };
        world.tell(other).await.unwrap();
        assert_eq!(world.recent().await, Busy::Delayed);
        assert_eq!(world.script.take_lines().len(), 0);
        // It has died.
        world.clock.step(Duration::from_mins(1));
        assert_eq!(world.recent().await, nine_to_ten());
    });
}

/// A feed with so many events, each from nine to ten.
fn events(count: usize) -> Script {
    let (before, event) = EVENT.split_once("BEGIN:VEVENT").unwrap();
    let (event, after) = event.split_once("END:VEVENT\r\n").unwrap();
    let events = format!("BEGIN:VEVENT{event}END:VEVENT\r\n").repeat(count);
    let text = format!("{before}{events}{after}");
    Script::new(move |_| Answer::new(200, text.clone()))
}

/// What is known of a feed that is read by other limits than those by which it was connected.
#[track_caller]
fn check_within(script: Script, limits: &Limits, expect: &Busy) {
    block_on(async {
        let world = World::new(script);
        world.connect_feed().await;
        let world = world.within(limits);
        assert_eq!(world.recent().await, *expect);
        assert_eq!(world.busy(None, Freshness::Fresh).await, *expect);
        let [connector] = world.connectors().await.try_into().unwrap();
        let health = match expect {
            Busy::Known(_) => Health::Connected,
            _ => Health::Failing {
                problem: Problem::Unusable,
                retry_at: world.clock.now() + Duration::from_hours(1),
            },
        };
        assert_eq!(connector.health, health);
    });
}

#[test]
fn a_calendar_that_has_more_than_the_limits_say_is_a_problem_and_not_free_time() {
    let of = |calendar_events| Limits {
        calendar_events,
        ..Limits::default()
    };
    check_within(events(3), &of(3), &nine_to_ten());
    check_within(events(3), &of(2), &Busy::Unreadable);
    let length = u32::try_from(EVENT.len()).unwrap();
    let of = |calendar_bytes| Limits {
        calendar_bytes,
        ..Limits::default()
    };
    check_within(events(1), &of(length), &nine_to_ten());
    check_within(events(1), &of(length - 1), &Busy::Unreadable);
}

#[test]
fn an_account_that_has_more_than_the_limits_say_is_not_connected() {
    block_on(async {
        let world = World::new(events(3)).within(&Limits {
            calendar_events: 2,
            ..Limits::default()
        });
        let ticket = world.ticket(Provider::Ics, Access::FreeBusy);
        let connected = world.calendars.connect(&ticket, None, a_feed()).await;
        let too_large = NotConnected::Calendar(CalendarError::TooLarge);
        assert_eq!(connected, Err(too_large));
    });
}

#[test]
fn what_recurs_more_often_than_the_limits_say_takes_all_the_time_that_it_may() {
    let rule = "RRULE:FREQ=DAILY\r\nEND:VEVENT";
    let text = EVENT.replacen("END:VEVENT", rule, 1);
    let daily = Script::new(move |_| Answer::new(200, text.clone()));
    let of = |calendar_occurrences| Limits {
        calendar_occurrences,
        ..Limits::default()
    };
    check_within(daily.clone(), &of(10_000), &nine_to_ten());
    let all_day = Busy::Known(hours(0, 24).into());
    // So many days are not read at a time.
    check_within(daily.clone(), &of(60), &nine_to_ten());
    block_on(async {
        let world = World::new(daily);
        world.connect_feed().await;
        assert_eq!(world.recent().await, nine_to_ten());
        // What is remembered was read by another limit.
        let world = world.within(&of(10));
        assert_eq!(world.recent().await, all_day);
    });
}

/// Answers nobody, and notes how much time and room each request was given.
#[derive(Default)]
struct Unanswered(Mutex<Vec<(Duration, usize)>>);

#[async_trait]
impl Fetch for Unanswered {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let limits = request.limits;
        let mut noted = self.0.lock().unwrap();
        noted.push((limits.timeout, limits.max_response_bytes));
        Err(FetchError::Timeout)
    }
}

#[test]
fn requests_have_the_time_and_room_that_the_limits_say_and_no_longer_than_who_waits() {
    block_on(async {
        let world = World::new(works());
        world.connect_caldav(Access::Events).await;
        let booking = world.booking(confirmed(hours(11, 12))).await;
        let network = Arc::new(Unanswered::default());
        let noted = || std::mem::take(&mut *network.0.lock().unwrap());
        for (secs, bytes, waits) in [(3, 70_000, 3), (20, 7_000_000, 8)] {
            let limits = Limits {
                calendar_request_secs: secs,
                calendar_bytes: bytes,
                ..Limits::default()
            };
            let ports = CalendarPorts {
                fetch: network.clone(),
                ..world.ports()
            };
            let calendars = ConnectedCalendars::new(ports, keys(&key(1)), &limits);
            let room = usize::try_from(bytes).unwrap();

            let known = world.tell(GetCalendars { event_of: None }).await;
            let deadline = world.clock.now() + Duration::from_secs(8);
            let (day, fresh) = (hours(0, 24), Freshness::Fresh);
            let ana = ana();
            let busy = calendars.busy(&ana, &known, day, None, fresh, deadline);
            assert_eq!(busy.await, Busy::Delayed);
            assert_eq!(noted(), [(Duration::from_secs(waits), room)]);

            let brought = calendars.bring(&ana, &booking, "Bob").await;
            assert_eq!(brought, Outcome::RetryAfter(None));
            let whole = Duration::from_secs(secs.into());
            assert_eq!(noted(), [(whole, room)]);
            // The calendar can be asked again.
            world.clock.step(Duration::from_hours(2));
        }
    });
}

/// A network in which the first request gets no answer, and says so.
struct StuckOnce {
    network: GuardedFetch<Script>,
    stuck: Arc<AtomicBool>,
}

#[async_trait]
impl Fetch for StuckOnce {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        if !self.stuck.swap(true, Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.network.fetch(request).await
    }
}

#[test]
fn a_reading_that_was_given_up_keeps_nobody_waiting() {
    block_on(async {
        let world = World::new(works());
        world.connect_feed().await;
        let stuck = Arc::new(AtomicBool::new(false));
        let ports = CalendarPorts {
            fetch: Arc::new(StuckOnce {
                network: world.script.fetch(),
                stuck: stuck.clone(),
            }),
            ..world.ports()
        };
        let calendars = ConnectedCalendars::new(ports, keys(&key(1)), &Limits::default());
        let world = World { calendars, ..world };
        let is_stuck = std::future::poll_fn(|_| {
            if stuck.load(Ordering::Relaxed) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        // Whoever waits for the answer goes away.
        select(Box::pin(world.recent()), is_stuck).await;
        assert_eq!(world.recent().await, nine_to_ten());
    });
}

#[test]
fn the_last_check_is_always_asked_and_leaves_out_the_bookings_own_event() {
    block_on(async {
        let uid = id(1).to_string();
        let own = EVENT.replace("UID:1", &format!("UID:{uid}"));
        let script = Script::new(move |sent| {
            if sent.method == "REPORT" && sent.body.contains("calendar-query") {
                let event = |name: &str, text: &str| {
                    crate::script::found(
                        &format!("/ana/calendars/work/{name}.ics"),
                        &format!(
                            "<D:getetag>\"1\"</D:getetag><C:calendar-data>{text}</C:calendar-data>"
                        ),
                    )
                };
                let real = EVENT.replace("DTSTART:20261201T09", "DTSTART:20261201T0930");
                let real = real.replace("T09300000Z", "T093000Z");
                return Answer::multistatus(&[event("own", &own), event("1", &real)].concat());
            }
            serve(sent)
        });
        let world = World::new(script);
        world.connect_caldav(Access::FreeBusy).await;
        assert_eq!(world.recent().await, nine_to_ten());
        let fresh = world.busy(Some(&id(1)), Freshness::Fresh).await;
        let half = Duration::from_mins(30);
        let rest = Interval::new(hours(9, 10).start() + half, hours(9, 10).end()).unwrap();
        assert_eq!(
            fresh,
            Busy::Known(rest.into()),
            "the real event is still there"
        );
        world.script.take_lines();
        let another = world.busy(Some(&id(2)), Freshness::Fresh).await;
        assert_eq!(another, nine_to_ten());
        assert_eq!(world.script.take_lines().len(), 1, "it is asked afresh");
    });
}

#[test]
fn a_calendar_that_cannot_be_read_is_never_free() {
    let throttled = Answer::new(429, "").with("retry-after", "120");
    for (fault, expect, problem) in [
        (Fault::Answers(throttled), Busy::Delayed, Problem::Throttled),
        (Fault::Hangs, Busy::Delayed, Problem::TimedOut),
        (
            Fault::Answers(Answer::new(500, "")),
            Busy::Unreadable,
            Problem::Failed,
        ),
        (
            Fault::Answers(Answer::new(404, "")),
            Busy::Unreadable,
            Problem::Unusable,
        ),
        (Fault::Says("<html>"), Busy::Unreadable, Problem::Unusable),
        (Fault::Endless, Busy::Unreadable, Problem::Unusable),
        (
            Fault::ResolvesTo("10.0.0.1"),
            Busy::Unreadable,
            Problem::Unusable,
        ),
        (
            Fault::Answers(Answer::new(401, "")),
            Busy::Unreadable,
            Problem::Unauthorized,
        ),
    ] {
        block_on(async {
            let world = World::new(works());
            world.connect_feed().await;
            let world = World {
                script: world.script.clone().failing(0, fault.clone()),
                ..world
            };
            assert_eq!(world.recent().await, expect, "{fault:?}");
            let [connector] = world.connectors().await.try_into().unwrap();
            match connector.health {
                Health::Failing { problem: why, .. } | Health::Disconnected { problem: why } => {
                    assert_eq!(why, problem, "{fault:?}");
                }
                Health::Connected => panic!("{fault:?}"),
            }
            // It is left alone for now, and still not free.
            world.script.take_lines();
            for freshness in [Freshness::Recent, Freshness::Fresh] {
                assert_eq!(world.busy(None, freshness).await, expect, "{fault:?}");
            }
            assert_eq!(world.script.take_lines().len(), 0, "{fault:?}");
        });
    }
}

#[test]
fn one_unreadable_calendar_of_two_makes_all_of_it_unreadable() {
    block_on(async {
        let world = World::new(works());
        world.connect_feed().await;
        world.connect_caldav(Access::FreeBusy).await;
        let world = World {
            script: world
                .script
                .clone()
                .failing(1, Fault::Answers(Answer::new(500, ""))),
            ..world
        };
        assert_eq!(world.recent().await, Busy::Unreadable);
    });
}

#[test]
fn refused_credentials_are_kept_and_not_sent_again_until_they_are_given_anew() {
    block_on(async {
        let world = World::new(works());
        let id = world.connect_feed().await;
        let failing = world
            .script
            .clone()
            .failing(0, Fault::Answers(Answer::new(401, "")));
        assert_eq!(world.recent().await, Busy::Unreadable);
        failing.take_lines();
        world.clock.step(Duration::from_hours(24 * 30));
        assert_eq!(world.recent().await, Busy::Unreadable);
        assert_eq!(failing.take_lines().len(), 0);
        failing.failing(usize::MAX, Fault::Hangs);
        let mut ticket = world.ticket(Provider::Ics, Access::FreeBusy);
        ticket.connector = Some(id.clone());
        let again = world.calendars.connect(&ticket, None, a_feed()).await;
        assert_eq!(again, Ok(id));
        let [connector] = world.connectors().await.try_into().unwrap();
        assert_eq!(
            (connector.health, connector.revision),
            (Health::Connected, 2)
        );
        assert_eq!(world.recent().await, nine_to_ten());
    });
}

#[test]
fn a_ticket_connects_one_calendar_that_can_be_read() {
    block_on(async {
        let world = World::new(works());
        let ticket = world.ticket(Provider::Ics, Access::FreeBusy);
        let connect = async |given| world.calendars.connect(&ticket, None, given).await;
        let mistyped = Given::Feed {
            address: "https://elsewhere.example.com/feed.ics",
        };
        let unread = connect(mistyped).await;
        assert!(
            matches!(unread, Err(NotConnected::Calendar(_))),
            "{unread:?}"
        );
        assert!(connect(an_account()).await.is_err(), "it is for a feed");
        assert!(world.connectors().await.is_empty());
        assert!(connect(a_feed()).await.is_ok());
        let used = NotConnected::Refused(ConnectRefused::TicketUsed);
        assert_eq!(connect(a_feed()).await, Err(used));
        assert_eq!(world.connectors().await.len(), 1);
    });
}

#[test]
fn nothing_is_connected_that_cannot_be_used_as_it_is_wanted() {
    block_on(async {
        let world = World::new(works());
        let ticket = world.ticket(Provider::Ics, Access::Events);
        let feed = world.calendars.connect(&ticket, None, a_feed()).await;
        assert_eq!(feed, Err(CalendarError::ReadOnly.into()));
    });
}

#[test]
fn a_person_has_few_attempts_a_minute() {
    block_on(async {
        let world = World::new(works());
        let nothing = Given::Feed { address: "nothing" };
        let attempt = async || {
            let ticket = world.ticket(Provider::Ics, Access::FreeBusy);
            world.calendars.connect(&ticket, None, nothing).await
        };
        for _ in 0..10 {
            assert!(matches!(attempt().await, Err(NotConnected::Address(_))));
        }
        assert_eq!(attempt().await, Err(NotConnected::TooOften));
        world.clock.step(Duration::from_secs(10));
        assert!(matches!(attempt().await, Err(NotConnected::Address(_))));
    });
}

#[test]
fn an_account_that_is_disconnected_is_forgotten_whole() {
    block_on(async {
        let world = World::new(works());
        let id = world.connect_feed().await;
        let disconnect = Disconnect {
            key: Key {
                caller: ana(),
                method: "delete".into(),
                key: "1".into(),
                body_hash: String::new(),
            },
            id,
        };
        assert_eq!(world.tell(disconnect.clone()).await, Ok(()));
        assert_eq!(world.tell(disconnect).await, Ok(()), "the same again");
        assert_eq!(world.recent().await, Busy::Unconnected);
    });
}

#[test]
fn a_stolen_store_shows_nothing_of_a_calendar() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("actors.sqlite");
    block_on(async {
        let clock = Arc::new(SteppingClock::at(NOW));
        let actors = ActorStore::open(&path, clock.clone(), Limits::default()).unwrap();
        let world = World::over(works(), clock, Arc::new(actors));
        world.connect_feed().await;
        world.connect_caldav(Access::Events).await;
        assert_eq!(world.recent().await, nine_to_ten());
    });
    let mut stored = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        stored.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let stored = String::from_utf8_lossy(&stored);
    assert!(
        stored.contains("did:web:ana.example.com"),
        "it is the store"
    );
    let start = hours(9, 10).start().as_millis().to_string();
    for secret in [
        "a word of passing",
        "dav.example.com",
        "feed.ics",
        "Dentist",
        "\"ana\"",
        "/ana/",
        &start,
    ] {
        assert!(!stored.contains(secret), "{secret}");
    }
}

#[test]
fn keys_are_changed_while_calendars_are_read_and_nothing_is_lost() {
    block_on(async {
        let world = World::new(works());
        world.connect_feed().await;
        world.connect_caldav(Access::Events).await;
        let both = format!("{} {}", key(2), key(1));
        let newer = world.with_keys(&both);
        let deadline = NOW + Duration::from_secs(8);
        let read = async |calendars: &ConnectedCalendars| {
            let (day, fresh) = (hours(0, 24), Freshness::Fresh);
            let known = world.tell(GetCalendars { event_of: None }).await;
            calendars
                .busy(&ana(), &known, day, None, fresh, deadline)
                .await
        };
        let hers = ActorName::user_connector(&ana());
        let ring = keys(&both);
        let (resealed, busy) = futures_util::future::join(
            reseal(&*world.actors, &ring, &*world.random, &hers),
            join_all((0..20).map(|_| read(&newer))),
        )
        .await;
        assert_eq!(resealed, Ok(2));
        assert!(busy.iter().all(|busy| *busy == nine_to_ten()));
        let again = reseal(&*world.actors, &ring, &*world.random, &hers).await;
        assert_eq!(again, Ok(0));
        let without = world.with_keys(&key(2));
        assert_eq!(read(&without).await, nine_to_ten(), "the old key is gone");
        assert_eq!(
            world.recent().await,
            Busy::Unreadable,
            "it has only the old key"
        );
        let untouched = world.connectors().await;
        assert!(untouched.iter().all(|it| it.credentials.key_id() == "k2"));
    });
}

#[test]
fn an_event_is_written_where_it_may_be_and_left_alone_where_it_is_right() {
    block_on(async {
        let world = World::new(works());
        world.connect_feed().await;
        world.connect_caldav(Access::FreeBusy).await;
        let booking = world.booking(held(hours(9, 10))).await;
        let bring = async || world.calendars.bring(&ana(), &booking, "Bob").await;
        assert_eq!(bring().await, Outcome::Done);
        assert_eq!(world.script.take_lines().len(), 0, "none may be written to");
        world.connect_caldav(Access::Events).await;
        assert_eq!(
            bring().await,
            Outcome::RetryAfter(None),
            "another event is there"
        );
    });
}

#[test]
fn an_event_goes_to_the_account_that_its_person_has_chosen_and_stays_there() {
    block_on(async {
        let world = World::new(Script::new(|sent| match sent.method.as_str() {
            "GET" => Answer::new(404, ""),
            "PUT" => Answer::new(201, "").with("etag", "\"e1\""),
            _ => serve(sent),
        }));
        let first = world.connect_caldav(Access::Events).await;
        // Of two that were connected at the same moment, either may be the first.
        world.clock.step(Duration::from_secs(1));
        let read_only = world.connect_caldav(Access::FreeBusy).await;
        world.clock.step(Duration::from_secs(1));
        let second = world.connect_caldav(Access::Events).await;
        let booking = world.booking(held(hours(9, 10))).await;
        let event_in = async || {
            let brought = world.calendars.bring(&ana(), &booking, "Bob").await;
            assert_eq!(brought, Outcome::Done);
            let event_of = Some(booking.id.clone());
            world.tell(GetCalendars { event_of }).await.event_in
        };
        let forget = async || {
            let booking = booking.id.clone();
            world.tell(ForgetEvent { booking }).await;
        };
        for (choice, expect) in [
            ("{}".to_owned(), &first),
            (format!(r#"{{"eventsTo": "{second}"}}"#), &second),
            (format!(r#"{{"eventsTo": "{read_only}"}}"#), &first),
            (r#"{"eventsTo": "gone"}"#.to_owned(), &first),
        ] {
            world.prefer(&choice).await;
            assert_eq!(event_in().await.as_ref(), Some(expect), "{choice}");
            forget().await;
        }
        world
            .prefer(&format!(r#"{{"eventsTo": "{second}"}}"#))
            .await;
        assert_eq!(event_in().await.as_ref(), Some(&second));
        world.prefer("{}").await;
        assert_eq!(event_in().await, Some(second), "it is where it was");
    });
}

#[test]
fn which_events_take_time_is_as_their_person_wants_it_at_once() {
    block_on(async {
        let tentative = EVENT.replace("UID:1", "UID:1\r\nSTATUS:TENTATIVE");
        let world = World::new(Script::new(move |_| Answer::new(200, tentative.clone())));
        world.connect_feed().await;
        assert_eq!(world.recent().await, nine_to_ten());
        for (rules, expect) in [
            (
                r#"{"busyRules": {"tentative": false}}"#,
                Busy::Known(IntervalSet::new()),
            ),
            ("{}", nine_to_ten()),
        ] {
            world.prefer(rules).await;
            // What was read by other rules is of no use.
            assert_eq!(world.recent().await, expect, "{rules}");
            let fresh = world.busy(None, Freshness::Fresh).await;
            assert_eq!(fresh, expect, "{rules}");
        }
    });
}

#[test]
fn what_keeps_an_event_from_being_written_says_when_to_try_again() {
    let throttled = Answer::new(429, "").with("retry-after", "120");
    let permanent = |word| Outcome::Permanent(format!("the calendar cannot be written to: {word}"));
    for (fault, expect) in [
        (
            Fault::Answers(throttled),
            Outcome::RetryAfter(Some(Duration::from_mins(2))),
        ),
        (Fault::Hangs, Outcome::RetryAfter(None)),
        (
            Fault::Answers(Answer::new(500, "")),
            Outcome::RetryAfter(None),
        ),
        (
            Fault::Answers(Answer::new(412, "")),
            Outcome::RetryAfter(None),
        ),
        (Fault::Answers(Answer::new(403, "")), permanent("unusable")),
        (
            Fault::Answers(Answer::new(401, "")),
            permanent("unauthorized"),
        ),
    ] {
        block_on(async {
            let world = World::new(works());
            world.connect_caldav(Access::Events).await;
            let booking = world.booking(confirmed(hours(9, 10))).await;
            let world = World {
                script: world.script.clone().failing(0, fault.clone()),
                ..world
            };
            let brought = world.calendars.bring(&ana(), &booking, "Bob").await;
            assert_eq!(brought, expect, "{fault:?}");
            let [connector] = world.connectors().await.try_into().unwrap();
            let is_refused = expect == permanent("unauthorized");
            let health = if is_refused {
                Health::Disconnected {
                    problem: Problem::Unauthorized,
                }
            } else {
                Health::Connected
            };
            assert_eq!(connector.health, health, "{fault:?}");
        });
    }
}

#[test]
fn a_booking_without_an_event_is_removed_without_asking() {
    block_on(async {
        let world = World::new(works());
        world.connect_caldav(Access::Events).await;
        let booking = world.booking(Phase::Declined).await;
        let brought = world.calendars.bring(&ana(), &booking, "Bob").await;
        assert_eq!(brought, Outcome::Done);
        assert_eq!(world.script.take_lines().len(), 0);
    });
}
