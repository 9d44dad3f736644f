//! Many guests who want the same slot.

use std::sync::Arc;

use huddle_core::Limits;
use huddle_lexicon::com::huddle::defs::BookingStatus;
use huddle_lexicon::com::huddle::{finalize, r#match as matching};
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;
use huddle_xrpc::client::ClientError;
use tokio::task::JoinSet;

use crate::server::{Server, did, tomorrow};

const GUESTS: usize = 64;

/// As many rounds as there is time for; a full run has 1,000.
fn rounds() -> usize {
    if huddle_testdata::is_full() { 1000 } else { 10 }
}

/// Asks for a slot, until it is held or there is none.
async fn ask(server: &Server, guest: &Did, host: &Did) -> Result<String, matching::Error> {
    let mut input = matching::Input::new(host.clone());
    input.idempotency_key = Some(server.fresh_key());
    match server.call::<matching::Match>(guest, &input).await {
        Ok(output) => {
            let id = output.booking.unwrap().id;
            match server.settled(&id).await {
                "held" => Ok(id),
                "expired" => Err(matching::Error::NoSlot),
                other => panic!("{other}"),
            }
        }
        Err(ClientError::Declared(response)) => Err(response.error),
        Err(other) => panic!("{other}"),
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn of_many_guests_exactly_one_gets_the_slot() {
    let rounds = rounds();
    let (hosts, windows) = hosts(rounds);
    let server = Arc::new(Server::start(windows, Limits::default()).await);
    for (round, host) in hosts.iter().enumerate() {
        let mut race = JoinSet::new();
        for guest in 0..GUESTS {
            let (server, host) = (server.clone(), host.clone());
            let guest = did(&format!("guest{round}-{guest}"));
            race.spawn(async move {
                let outcome = ask(&server, &guest, &host).await;
                (guest, outcome)
            });
        }
        let outcomes = race.join_all().await;
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|it| it.1.is_ok());
        assert_eq!((won.len(), lost.len()), (1, GUESTS - 1), "round {round}");
        for (_, refusal) in lost {
            assert_eq!(refusal, Err(matching::Error::NoSlot));
        }
        for (guest, id) in won {
            let id = id.unwrap();
            let mut input = finalize::Input::new(&*id);
            input.idempotency_key = Some(server.fresh_key());
            let output = server.call::<finalize::Finalize>(&guest, &input).await;
            output.unwrap();
            assert_eq!(server.settled(&id).await, "confirmed");
        }
    }
    println!("{rounds} rounds of {GUESTS} guests");
}

/// Two people ask each other for the same time while a third asks both: each of them ends up in one
/// meeting at most, and nobody waits for anybody.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_races_as_host_and_as_guest_is_in_one_meeting() {
    let rounds = rounds();
    let (hosts, windows) = hosts(2 * rounds);
    let server = Arc::new(Server::start(windows, Limits::default()).await);
    for (round, pair) in hosts.chunks(2).enumerate() {
        let third = did(&format!("third{round}"));
        let pairs = [
            (&pair[0], &pair[1]),
            (&pair[1], &pair[0]),
            (&third, &pair[0]),
            (&third, &pair[1]),
        ];
        let mut race = JoinSet::new();
        for (guest, host) in pairs {
            let (server, guest, host) = (server.clone(), guest.clone(), host.clone());
            race.spawn(async move {
                let held = ask(&server, &guest, &host).await.ok()?;
                Some((held, guest, host))
            });
        }
        let held: Vec<_> = race.join_all().await.into_iter().flatten().collect();
        assert!(!held.is_empty(), "round {round}: nobody got anything");
        let mut people: Vec<_> = held
            .iter()
            .flat_map(|(_, guest, host)| [guest, host])
            .collect();
        people.sort();
        let meetings = people.len();
        people.dedup();
        assert_eq!(people.len(), meetings, "round {round}: {held:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_to_accept_confirm_once() {
    let (hosts, windows) = hosts(1);
    let server = Server::start(windows, Limits::default()).await;
    let guest = did("guest");
    let id = ask(&server, &guest, &hosts[0]).await.unwrap();
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
