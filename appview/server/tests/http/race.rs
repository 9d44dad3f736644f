//! Many who want the same time at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use huddle_core::Limits;
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_lexicon::schema::ErrorName as _;
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;
use huddle_xrpc::client::ClientError;
use tokio::task::JoinSet;

use crate::server::{Server, did, tomorrow};

const GUESTS: usize = 64;

/// After so many rounds they say how far they have come.
const NEWS: usize = 50;

/// As many rounds as there is time for; a full run has 1,000.
fn rounds() -> usize {
    if huddle_testdata::is_full() { 1000 } else { 10 }
}

/// What came of a request for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// It is held, for the booking of this id.
    Held(String),
    /// Nothing is, for a reason that the method declares.
    Refused(matching::Error),
    /// The guest had to wait for a search, and it found nothing.
    Expired,
}

async fn ask(server: &Server, guest: &Did, host: &Did) -> Outcome {
    let mut input = matching::Input::new(host.clone());
    input.idempotency_key = Some(server.fresh_key());
    match server.call::<matching::Match>(guest, &input).await {
        Ok(output) => {
            let id = output.booking.unwrap().id;
            match server.settled(&id).await {
                "held" => Outcome::Held(id),
                "expired" => Outcome::Expired,
                other => panic!("{other}"),
            }
        }
        Err(ClientError::Declared(response)) => Outcome::Refused(response.error),
        Err(other) => panic!("{other}"),
    }
}

/// Accepts what is held.
async fn accept(server: &Server, guest: &Did, id: &str) {
    let mut input = finalize::Input::new(id);
    input.idempotency_key = Some(server.fresh_key());
    let output = server.call::<finalize::Finalize>(guest, &input).await;
    output.unwrap();
    assert_eq!(server.settled(id).await, "confirmed");
}

/// The hosts of the rounds, each with one slot at the same time.
fn hosts(rounds: usize) -> (Vec<Did>, ListedWindows) {
    let hosts: Vec<Did> = (0..rounds).map(|n| did(&format!("host{n}"))).collect();
    let mut windows = ListedWindows::default();
    for host in &hosts {
        windows.add(host, tomorrow(0), tomorrow(30)).unwrap();
    }
    (hosts, windows)
}

/// A guest, the host whom they ask, and what comes of it.
type Asked = (Did, Did, Outcome);

/// Has every guest of the pairs ask their host, all at the same time.
async fn race(server: &Arc<Server>, pairs: impl Iterator<Item = (Did, Did)>) -> Vec<Asked> {
    let mut race = JoinSet::new();
    for (guest, host) in pairs {
        let server = server.clone();
        race.spawn(async move {
            let outcome = ask(&server, &guest, &host).await;
            (guest, host, outcome)
        });
    }
    race.join_all().await
}

/// How often requests have come to what.
#[derive(Debug, Default)]
struct Tally {
    held: usize,
    refused: BTreeMap<&'static str, usize>,
    expired: usize,
}

impl Tally {
    fn add(&mut self, asked: &[Asked]) {
        for (_, _, outcome) in asked {
            match outcome {
                Outcome::Held(_) => self.held += 1,
                Outcome::Refused(error) => *self.refused.entry(error.name()).or_default() += 1,
                Outcome::Expired => self.expired += 1,
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} held", self.held)?;
        for (name, count) in &self.refused {
            write!(f, ", {count} {name}")?;
        }
        write!(f, ", {} expired", self.expired)
    }
}

/// One has got the slot, all others are told that there is none; the one is in the end confirmed.
async fn one_has_won(server: &Server, asked: &[Asked], round: usize) {
    let mut won = Vec::new();
    for (guest, _, outcome) in asked {
        match outcome {
            Outcome::Held(id) => won.push((guest, id)),
            // Whoever has to wait longer than a match may take, which only a busy machine makes them, hears it later.
            Outcome::Expired if !huddle_testdata::is_full() => {}
            other => {
                let refused = Outcome::Refused(matching::Error::NoSlot);
                assert_eq!(*other, refused, "round {round}");
            }
        }
    }
    assert_eq!((won.len(), asked.len()), (1, GUESTS), "round {round}");
    for (guest, id) in won {
        accept(server, guest, id).await;
    }
}

/// Somebody has got something, nobody two meetings at the same time, and all others hear why.
fn each_is_in_one_meeting(asked: &[Asked], round: usize) {
    let mut people = BTreeSet::new();
    for (guest, host, outcome) in asked {
        match outcome {
            Outcome::Held(_) => {
                for person in [guest, host] {
                    assert!(people.insert(person), "round {round}: {person} is in two");
                }
            }
            Outcome::Refused(matching::Error::NoSlot | matching::Error::TooManyHolds) => {}
            Outcome::Expired if !huddle_testdata::is_full() => {}
            other => panic!("round {round}: {guest} of {host}: {other:?}"),
        }
    }
    assert!(!people.is_empty(), "round {round}: nobody got anything");
}

/// Many guests ask one host for one slot. Elsewhere, at the same time, two people ask each other for the same slot,
/// while a third asks both: nobody waits for anybody.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_guests_exactly_one_gets_the_slot() {
    let rounds = rounds();
    let (hosts, windows) = hosts(3 * rounds);
    let server = Arc::new(Server::start(windows, Limits::default()).await);
    let (mut of_many, mut of_few) = (Tally::default(), Tally::default());
    for (round, hosts) in hosts.chunks(3).enumerate() {
        let [wanted, one, other] = [0, 1, 2].map(|index| hosts[index].clone());
        let third = did(&format!("third{round}"));
        let many = (0..GUESTS).map(|guest| did(&format!("guest{round}-{guest}")));
        let many = many.map(|guest| (guest, wanted.clone()));
        let few = [
            (one.clone(), other.clone()),
            (other.clone(), one.clone()),
            (third.clone(), one),
            (third, other),
        ];
        let asked = race(&server, many.chain(few)).await;
        let (many, few): (Vec<_>, Vec<_>) = asked.into_iter().partition(|it| it.1 == wanted);
        of_many.add(&many);
        of_few.add(&few);
        one_has_won(&server, &many, round).await;
        each_is_in_one_meeting(&few, round);
        let done = round + 1;
        if done.is_multiple_of(NEWS) || done == rounds {
            println!("{done} rounds of {GUESTS} guests for one slot: {of_many}");
            println!("{done} rounds of three people for each other: {of_few}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_to_accept_confirm_once() {
    let (hosts, windows) = hosts(1);
    let server = Server::start(windows, Limits::default()).await;
    let guest = did("guest");
    let Outcome::Held(id) = ask(&server, &guest, &hosts[0]).await else {
        panic!("there is a slot");
    };
    let accept = |key: &str| {
        let mut input = finalize::Input::new(&*id);
        input.idempotency_key = Some(key.to_owned());
        input
    };
    let (one, other) = (accept("one"), accept("other"));
    let (one, other) = tokio::join!(
        server.call::<finalize::Finalize>(&guest, &one),
        server.call::<finalize::Finalize>(&guest, &other),
    );
    let statuses = [one, other].map(|outcome| outcome.unwrap().booking.status);
    assert_eq!(server.settled(&id).await, "confirmed");
    // Whoever comes while the other is at it does not do it once more.
    let under_way = [BookingStatus::Finalizing, BookingStatus::Confirmed];
    assert!(
        statuses.iter().all(|it| under_way.contains(it)),
        "{statuses:?}"
    );
}
