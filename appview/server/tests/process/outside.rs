//! What people are shown of bookings outside, in calendars, by mail and by apps, held against the bookings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use huddle_core::ActorName;
use huddle_core::booking::{Booking, BookingId, Read};
use huddle_core::calendar_events::BookedTime;
use huddle_core::host_match::Role;
use huddle_core::mail::{Notice, NoticeKind};
use huddle_core::transport::ask;
use huddle_lexicon::com::huddle::put_webhook::News;
use huddle_native::ActorStore;
use huddle_ports::{Timestamp, Url};
use huddle_syntax::schema::Data as _;
use huddle_syntax::{Datetime, Did};
use tokio::net::TcpListener;

use crate::world::{World, account};

/// What apps were posted, each with the name of whose app it is, the oldest first.
type Posted = Arc<Mutex<Vec<(String, News)>>>;

/// People who are reached by every way there is: a calendar, mail and an app.
pub(crate) struct Outside {
    world: Arc<World>,
    people: Vec<Did>,
    posted: Posted,
}

/// What the ways of these people show, and what of it is behind.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// How often each way shows a booking as it stands.
    pub(crate) right: BTreeMap<&'static str, usize>,
    /// What shows something older, or nothing yet.
    pub(crate) late: Vec<String>,
}

/// What somebody is shown of a booking: what came last by each way.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    event: Option<Event>,
    letter: Option<Letter>,
    message: Option<Message>,
}

#[derive(Debug, PartialEq, Eq)]
struct Event {
    sequence: u32,
    status: String,
    start: String,
    end: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Letter {
    sequence: u32,
    method: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Message {
    revision: i64,
    start: Option<Datetime>,
}

impl Outside {
    /// Has all of these people connect a calendar, confirm an address and name an app.
    pub(crate) async fn connect(world: Arc<World>, server: &Url, people: Vec<Did>) -> Self {
        let posted = Posted::default();
        let app = apps(posted.clone()).await;
        for person in &people {
            world.connect_calendar(server, person).await;
            world
                .confirm_address(server, person, &address(person))
                .await;
            let app = app.join(account(person)).unwrap();
            world.hook(server, person, &app).await;
        }
        Self {
            world,
            people,
            posted,
        }
    }

    /// Holds what everybody is shown against the bookings of a store: those that are known, and all that are shown.
    pub(crate) async fn compare<'k>(
        &self,
        store: &ActorStore,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Compared {
        let mut shown = self.shown();
        let seen = shown.keys().map(|(_, id)| id.clone());
        let ids: BTreeSet<String> = seen.chain(known.into_iter().map(str::to_owned)).collect();
        let mut compared = Compared::default();
        for id in ids {
            let booking = read(store, &id).await;
            for person in &self.people {
                let shown = shown.remove(&(person.clone(), id.clone()));
                match party(&booking, person) {
                    Some(party) => compared.note(person, &booking, party, shown),
                    None => assert_eq!(shown, None, "{person} has no part in {id}"),
                }
            }
        }
        compared
    }

    fn shown(&self) -> BTreeMap<(Did, String), Shown> {
        let mut all: BTreeMap<(Did, String), Shown> = BTreeMap::new();
        let network = &self.world.network;
        for person in &self.people {
            for text in network.calendars.events(account(person)) {
                let id = property(&text, "UID");
                let shown = all.entry((person.clone(), id.clone())).or_default();
                let twice = shown.event.replace(Event::read(&text));
                assert_eq!(twice, None, "{person} has two events of {id}");
            }
            let mail = network.mail.mail_for(&address(person));
            for file in mail.iter().filter_map(|mail| mail.part("text/calendar")) {
                let id = property(&file, "UID");
                let letter = Letter::read(&file);
                let shown = all.entry((person.clone(), id)).or_default();
                let before = shown.letter.as_ref().map_or(0, |it| it.sequence);
                assert!(before <= letter.sequence, "{letter:?} came after {before}");
                shown.letter = Some(letter);
            }
        }
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        for (whose, News { data, .. }) in &*posted {
            assert_eq!(whose, account(&data.did), "the app is somebody else's");
            let message = Message {
                revision: data.revision,
                start: data.start.clone(),
            };
            let shown = all.entry((data.did.clone(), data.booking_id.clone()));
            let shown = shown.or_default();
            let before = shown.message.as_ref().map_or(0, |it| it.revision);
            assert!(
                before <= message.revision,
                "{message:?} came after {before}"
            );
            shown.message = Some(message);
        }
        all
    }
}

impl Compared {
    fn note(&mut self, person: &Did, booking: &Booking, party: Role, shown: Option<Shown>) {
        let (shown, due) = (shown.unwrap_or_default(), Shown::due(booking, party));
        shown.assert_not_before(booking);
        for (way, is_right, is_due) in [
            ("calendar", shown.event == due.event, due.event.is_some()),
            ("mail", shown.letter == due.letter, due.letter.is_some()),
            ("app", shown.message == due.message, due.message.is_some()),
        ] {
            if !is_right {
                let late = format!("{way} of {person}: {shown:?} in place of {due:?}");
                self.late.push(late);
            } else if is_due {
                *self.right.entry(way).or_default() += 1;
            }
        }
    }
}

impl Shown {
    /// What one side is to be shown of a booking.
    fn due(booking: &Booking, party: Role) -> Self {
        let notice = Notice::of(booking).filter(|notice| notice.kind.is_for(party));
        let method = notice.and_then(|notice| match notice.kind {
            NoticeKind::Confirmed | NoticeKind::Moved => Some("REQUEST"),
            NoticeKind::Canceled => Some("CANCEL"),
            NoticeKind::Requested
            | NoticeKind::Withdrawn { .. }
            | NoticeKind::Declined
            | NoticeKind::Expired(_) => None,
        });
        let start = booking.phase.place().map(|it| moment(it.slot.start()));
        Self {
            event: BookedTime::of(booking).map(|time| Event::due(booking, time)),
            letter: method.map(|method| Letter {
                sequence: booking.sequence,
                method: method.to_owned(),
            }),
            message: notice.map(|_| Message {
                revision: told_since(booking),
                start,
            }),
        }
    }

    /// Nothing is shown of what a booking has yet to come to.
    fn assert_not_before(&self, booking: &Booking) {
        let event = self.event.as_ref().map_or(0, |it| it.sequence);
        let letter = self.letter.as_ref().map_or(0, |it| it.sequence);
        let message = self.message.as_ref().map_or(0, |it| it.revision);
        assert!(
            event.max(letter) <= booking.sequence,
            "{self:?} {booking:?}"
        );
        assert!(message <= told_since(booking), "{self:?} {booking:?}");
    }
}

impl Event {
    fn due(booking: &Booking, time: BookedTime) -> Self {
        let status = if time.is_confirmed {
            "CONFIRMED"
        } else {
            "TENTATIVE"
        };
        Self {
            sequence: booking.sequence,
            status: status.to_owned(),
            start: basic(time.slot.start()),
            end: basic(time.slot.end()),
        }
    }

    fn read(text: &str) -> Self {
        Self {
            sequence: property(text, "SEQUENCE").parse().unwrap(),
            status: property(text, "STATUS"),
            start: property(text, "DTSTART"),
            end: property(text, "DTEND"),
        }
    }
}

impl Letter {
    fn read(file: &str) -> Self {
        Self {
            sequence: property(file, "SEQUENCE").parse().unwrap(),
            method: property(file, "METHOD"),
        }
    }
}

/// Takes whatever is posted, and says where: below it is an app of each name.
async fn apps(posted: Posted) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state(posted);
    tokio::spawn(async { axum::serve(listener, router).await });
    Url::parse(&place).unwrap()
}

async fn take(State(posted): State<Posted>, uri: Uri, body: Bytes) {
    let news = News::from_json(&body).unwrap();
    let whose = uri.path().trim_start_matches('/').to_owned();
    let mut posted = posted.lock().unwrap_or_else(PoisonError::into_inner);
    posted.push((whose, news));
}

async fn read(store: &ActorStore, id: &str) -> Booking {
    let id: BookingId = id.parse().unwrap();
    let booking = ask(store, &ActorName::booking(&id), Read { by: None }).await;
    *booking.unwrap().unwrap()
}

fn party(booking: &Booking, person: &Did) -> Option<Role> {
    let roles = [Role::Host, Role::Guest].into_iter();
    let mut own = roles.filter(|role| booking.asked.sides(*role).0 == person);
    own.next()
}

/// Since which revision a booking tells what it does, as it is stored.
fn told_since(booking: &Booking) -> i64 {
    let stored = serde_json::to_value(booking).unwrap();
    stored["shown_since"]["mail"].as_i64().unwrap()
}

fn address(person: &Did) -> String {
    format!("{}@mail.test", account(person))
}

/// What stands after the name of a property that has no parameters.
fn property(text: &str, name: &str) -> String {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value
        .unwrap_or_else(|| panic!("no {name}: {text}"))
        .to_owned()
}

fn moment(at: Timestamp) -> Datetime {
    Datetime::from_timestamp_millis(at.as_millis()).unwrap()
}

/// As iCalendar writes a moment in UTC (RFC 5545 §3.3.5).
fn basic(at: Timestamp) -> String {
    let at = moment(at);
    let (seconds, _) = at.as_str().split_once('.').unwrap();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}
