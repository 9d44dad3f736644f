//! Accounts whose repositories cannot be had: when they are tried again, and how often anything is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use huddle_firehose::ingest::{
    Action, Allowance, Identity, Limits, LostTrack, News, Notice, Unavailable,
};

use crate::driven::{ALICE, BOB, Driven, chain, identity, news};
use crate::frames::{self, Made, make};

const MINUTE: Duration = Duration::from_mins(1);

/// A host of many accounts, which answers when it is asked and counts.
struct World {
    driven: Driven,
    /// The repositories that can be had.
    repositories: BTreeMap<String, Made>,
    host_of: fn(&str) -> &'static str,
    has_key: bool,
    /// What was asked for, and when.
    lookups: Vec<(Duration, String)>,
    fetches: Vec<(Duration, String)>,
    news: Vec<(Duration, String, News)>,
    done: usize,
}

impl World {
    fn new(limits: &Limits) -> Self {
        // The host has nothing to say for days.
        let quiet = Limits {
            silence: Duration::MAX,
            idle: Duration::MAX,
            ..limits.clone()
        };
        let mut driven = Driven::new(quiet, &[]);
        driven.open();
        let done = driven.actions.len();
        Self {
            driven,
            repositories: BTreeMap::new(),
            host_of: |_| "pds.example.com",
            has_key: true,
            lookups: Vec::new(),
            fetches: Vec::new(),
            news: Vec::new(),
            done,
        }
    }

    fn send(&mut self, frame: &[u8]) {
        let connection = self.driven.connection();
        self.driven.send(connection, frame);
        self.answer();
    }

    /// Answers all that is asked for at this moment.
    fn answer(&mut self) {
        loop {
            self.driven.act();
            let Some(action) = self.driven.actions.get(self.done).cloned() else {
                return;
            };
            self.done += 1;
            let now = self.driven.now;
            let driven = &mut self.driven;
            match action {
                Action::ReadAccount { did } => driven.ingest.account(&did, None),
                Action::FindIdentity { did } => {
                    let found = Identity {
                        host: Some((self.host_of)(&did).into()),
                        ..identity(1)
                    };
                    let found = self.has_key.then_some(found).ok_or(Unavailable::AtAll);
                    driven.ingest.identity(&did, found, now);
                    self.lookups.push((now, did));
                }
                Action::FetchRepository { did } => {
                    let made = self.repositories.get(&did);
                    let car = made.map(|made| made.car.as_slice());
                    driven
                        .ingest
                        .repository(&did, car.ok_or(Unavailable::AtAll), now);
                    self.fetches.push((now, did));
                }
                Action::Deliver { ticket, event } => {
                    driven.ingest.done(ticket);
                    if let huddle_firehose::ingest::Event::Account { did, news, .. } = event {
                        self.news.push((now, did, news));
                    }
                }
                _ => {}
            }
        }
    }

    /// Lets so much time pass, and does what is to be done meanwhile.
    fn pass(&mut self, time: Duration) {
        let end = self.driven.now + time;
        loop {
            self.answer();
            let next = self.driven.ingest.wake_at().expect("it waits for frames");
            if next > end {
                break;
            }
            self.driven.now = next;
        }
        self.driven.now = end;
        self.answer();
    }

    fn lost(&self) -> Vec<(Duration, LostTrack)> {
        let lost = self.news.iter().filter_map(|(at, _, news)| match news {
            News::Desynchronized(why) => Some((*at, *why)),
            _ => None,
        });
        lost.collect()
    }

    fn repositories_taken(&self) -> usize {
        let taken = self.news.iter();
        let taken = taken.filter(|(_, _, news)| matches!(news, News::Repository { .. }));
        taken.count()
    }
}

fn did(number: usize) -> String {
    format!("did:web:a{number}.example.com")
}

#[test]
fn an_account_that_was_given_up_is_fetched_again_by_itself() {
    let mut world = World::new(&Limits::default());
    let [_, second, third] = chain(ALICE, 3).try_into().expect("three");
    world.send(&second.frame(101));
    assert_eq!(world.lost().len(), 1);
    world.send(&third.frame(102));
    assert_eq!(world.fetches.len(), 1, "it rests");
    world.repositories.insert(ALICE.to_owned(), third);
    world.pass(Limits::default().rest);
    assert_eq!(world.fetches.len(), 2);
    assert_eq!(world.repositories_taken(), 1);
    world.pass(MINUTE * 10_000);
    assert_eq!(world.fetches.len(), 2, "it has it");
}

#[test]
fn rests_grow_up_to_a_day() {
    let mut world = World::new(&Limits::default());
    let [_, second] = chain(ALICE, 2).try_into().expect("two");
    world.send(&second.frame(101));
    world.pass(Duration::from_hours(24 * 60));
    let lost = world.lost();
    let rests: Vec<_> = lost
        .windows(2)
        .map(|two| two[1].0.saturating_sub(two[0].0))
        .collect();
    let mut most = Limits::default().rest;
    for rest in &rests {
        assert!(*rest <= most + MINUTE, "{rest:?} of {most:?}");
        most = (most * 2).min(Limits::default().longest_rest);
    }
    // One of half a day on the average, after some that are shorter.
    assert!((90..200).contains(&rests.len()), "{}", rests.len());
    assert!(
        rests
            .iter()
            .any(|rest| *rest > Limits::default().longest_rest / 2)
    );
}

#[test]
fn of_more_accounts_than_are_remembered_some_wait_for_their_next_event() {
    let limits = Limits {
        max_resting: 3,
        ..Limits::default()
    };
    let mut world = World::new(&limits);
    let all: Vec<Vec<Made>> = (0..6).map(|number| chain(&did(number), 3)).collect();
    for (commits, seq) in all.iter().zip(101..) {
        world.send(&commits[1].frame(seq));
    }
    assert_eq!(world.lost().len(), 6);
    for commits in &all {
        let made = commits[2].clone();
        world.repositories.insert(made.did.clone(), made);
    }
    world.pass(MINUTE * 60);
    assert_eq!(world.repositories_taken(), 3);
    for (commits, seq) in all.iter().zip(201..) {
        world.send(&commits[2].frame(seq));
    }
    assert_eq!(world.repositories_taken(), 6);
}

/// An event that comes while an account rests, which may have its repository fetched.
#[track_caller]
fn check_end_of_rest(event: fn(&Made) -> Vec<u8>) {
    let mut world = World::new(&Limits {
        rest: MINUTE * 1_000,
        ..Limits::default()
    });
    let [_, second, third] = chain(ALICE, 3).try_into().expect("three");
    world.send(&second.frame(101));
    world.send(&event(&third));
    assert_eq!(world.fetches.len(), 1, "not at any time");
    world.repositories.insert(ALICE.to_owned(), third);
    world.pass(Limits::default().lookup_every);
    assert_eq!(world.repositories_taken(), 1);
}

#[test]
fn an_account_rests_no_longer_than_a_minute_once_something_about_it_has_changed() {
    check_end_of_rest(|_| frames::identity(102, ALICE, "a.example.com"));
    check_end_of_rest(|_| frames::account(102, ALICE, None));
    check_end_of_rest(|made| made.sync(102));
}

#[test]
fn an_identity_is_looked_up_three_times_a_minute_whatever_comes() {
    let mut world = World::new(&Limits::default());
    let [first, second, _] = chain(ALICE, 3).try_into().expect("three");
    let forged = make(ALICE, Some(&second), frames::Records::new(), 9);
    world.driven.ingest.set_interest(ALICE, true);
    world.send(&first.frame(101));
    for turn in 0..200 {
        let seq = 110 + 3 * turn;
        world.send(&frames::identity(seq, ALICE, "a.example.com"));
        world.send(&forged.frame(seq + 1));
        world.send(&second.sync(seq + 2));
        world.pass(Duration::from_secs(3));
    }
    world.pass(MINUTE * 2);
    let times: Vec<_> = world.lookups.iter().map(|(at, _)| *at).collect();
    assert!(times.len() > 5, "{times:?}");
    let spaces = times.windows(4).map(|four| four[3].saturating_sub(four[0]));
    assert!(spaces.min() >= Some(MINUTE), "{times:?}");
    assert_eq!(world.driven.ingest.queued().0, 0);
}

#[test]
fn a_few_look_ups_do_for_all_that_came_of_an_account_without_a_key() {
    let mut world = World::new(&Limits::default());
    world.has_key = false;
    let [_, second] = chain(ALICE, 2).try_into().expect("two");
    for seq in 101..131 {
        world.send(&second.frame(seq));
    }
    world.pass(MINUTE);
    assert_eq!(
        world.lookups.len(),
        4,
        "three in a row, and one a minute later"
    );
    assert_eq!(world.driven.ingest.queued().0, 0);
    let keyless = |notice: &&Notice| matches!(notice, Notice::NoKey { .. });
    assert!(world.driven.notices().iter().any(keyless));
}

fn few_fetches() -> Limits {
    Limits {
        fetches: Allowance {
            burst: 8,
            every: Duration::from_secs(2),
        },
        fetches_of_one_host: Allowance {
            burst: 4,
            every: Duration::from_secs(10),
        },
        ..Limits::default()
    }
}

#[test]
fn repositories_are_fetched_as_often_as_may_be_and_the_others_come_later_by_themselves() {
    let mut world = World::new(&few_fetches());
    let start = world.driven.now;
    for number in 0..40 {
        let commits = chain(&did(number), 2);
        world.repositories.insert(did(number), commits[1].clone());
        world.send(&commits[1].frame(101 + i64::try_from(number).expect("small")));
    }
    assert_eq!(world.fetches.len(), 4, "of one host");
    let postponed = |(_, why): &(Duration, LostTrack)| *why == LostTrack::Postponed;
    assert_eq!(world.lost().len(), 36);
    assert!(world.lost().iter().all(postponed));
    assert_eq!(world.driven.ingest.queued().0, 0, "nobody waits in the way");
    world.pass(MINUTE * 120);
    assert_eq!(world.repositories_taken(), 40);
    for (at, (when, _)) in world.fetches.iter().enumerate().skip(4) {
        let least = 10 * (at as u64 - 3);
        assert!(
            *when >= start + Duration::from_secs(least),
            "{at} at {when:?}"
        );
    }
    assert!(
        world.lookups.len() < 120,
        "{} look-ups",
        world.lookups.len()
    );
}

#[test]
fn all_hosts_together_are_asked_for_no_more_than_may_be() {
    let mut world = World::new(&few_fetches());
    world.host_of = |did| ["a.example.com", "b.example.com", "c.example.com"][did.len() % 3];
    for number in [1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500] {
        let commits = chain(&did(number), 2);
        world.repositories.insert(did(number), commits[1].clone());
        world.send(&commits[1].frame(101 + i64::try_from(number).expect("small")));
    }
    assert_eq!(world.fetches.len(), 8);
}

#[test]
fn a_host_that_takes_its_time_does_not_hold_up_the_repositories_of_others() {
    let mut driven = Driven::new(Limits::default(), &[]);
    driven.open();
    for number in 0..20 {
        let did = did(number);
        driven.ingest.resync(&did).expect("there is room");
        driven.act();
        driven.ingest.account(&did, None);
        driven.act();
        driven.ingest.identity(&did, Ok(identity(1)), driven.now);
        driven.act();
    }
    driven.ingest.resync(BOB).expect("there is room");
    driven.act();
    driven.ingest.account(BOB, None);
    driven.act();
    let elsewhere = Identity {
        host: Some("other.example.com".into()),
        ..identity(1)
    };
    driven.ingest.identity(BOB, Ok(elsewhere), driven.now);
    driven.act();
    let did = BOB.to_owned();
    assert!(driven.actions.contains(&Action::FetchRepository { did }));
}

#[test]
fn an_hour_back_or_a_day_forward_neither_stops_nor_hurries_what_rests() {
    let mut world = World::new(&few_fetches());
    for number in 0..40 {
        let commits = chain(&did(number), 2);
        world.send(&commits[1].frame(101 + i64::try_from(number).expect("small")));
    }
    let before = world.fetches.len();
    world.driven.now += Duration::from_hours(24);
    world.answer();
    assert!(world.fetches.len() - before <= 8, "all are due at once");
    for number in 0..40 {
        let commits = chain(&did(number), 2);
        world.repositories.insert(did(number), commits[1].clone());
    }
    world.driven.now -= Duration::from_hours(25);
    world.answer();
    world.pass(Duration::from_hours(3));
    assert_eq!(world.repositories_taken(), 40);
    let told = news(&world.driven.delivered()[0].1).0.clone();
    assert!(matches!(told, News::Desynchronized(_)));
}
