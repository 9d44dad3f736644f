//! Target `firehose_ingest`: the driver, whatever a host sends, and whatever is answered in whatever order.

use crate::mutate::Random;
use crate::{Target, account, firehose};
use huddle_firehose::ingest::{
    Action, Config, ConnectionId, Event, Identity, Ingest, Limits, MIN_QUEUED_BYTES, News, Source,
    Ticket, Unavailable,
};
use huddle_firehose::{Account, Filter, Frame, Head, Hosting, Repository, VerifyingKey};
use huddle_testdata::shared_text;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The driver keeps to its bounds, delivers the events of an account one by one, and keeps no cursor but rising ones.
/// An input is a list of steps: a byte that says which, a byte for it, and four for how many bytes follow.
pub const TARGET: Target = Target {
    name: "firehose_ingest",
    check,
    mutate,
    seeds,
};

const DIDS: [&str; 4] = [
    "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
    "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb",
    "did:web:example.com",
    account::DID,
];
const STATUSES: [&str; 5] = ["", "deactivated", "deleted", "throttled", "takendown"];
const WORDS: [&str; 4] = [
    "OutdatedCursor",
    "FutureCursor",
    "ConsumerTooSlow",
    "Whatever",
];
const MAX_QUEUED: usize = 6;
const HOSTS: [&str; 2] = ["wss://one.example.com", "wss://two.example.com"];

/// After every revision that there is in the data.
const START: Duration = Duration::from_secs(10_000_000_000);

#[derive(Clone, Copy)]
struct Step<'a> {
    kind: u8,
    choice: u8,
    bytes: &'a [u8],
}

const FRAME: u8 = 0;
/// Answers with these bytes: what was kept of an account, as text, or a repository. An identity is found in any case.
const ANSWER: u8 = 6;
const ACKNOWLEDGE: u8 = 7;
/// The key, as a did:key, with which all accounts sign from now on.
const KEY: u8 = 13;
const KINDS: u8 = 14;

fn steps(input: &[u8]) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = input;
    while let Some(([kind, choice, len @ ..], after)) = rest.split_first_chunk::<6>() {
        let len = u32::from_be_bytes(*len) as usize;
        let (bytes, after) = after.split_at(len.min(after.len()));
        let kind = kind % KINDS;
        steps.push(Step {
            kind,
            choice: *choice,
            bytes,
        });
        rest = after;
    }
    steps
}

fn write(steps: &[Step<'_>]) -> Vec<u8> {
    let mut input = Vec::new();
    for step in steps {
        let len = u32::try_from(step.bytes.len()).expect("no input is so long");
        input.extend([step.kind, step.choice]);
        input.extend(len.to_be_bytes());
        input.extend_from_slice(step.bytes);
    }
    input
}

/// Everything around a driver.
struct World {
    ingest: Ingest,
    now: Duration,
    seq: i64,
    connection: Option<ConnectionId>,
    asked: Vec<Action>,
    delivered: Vec<(Ticket, Event)>,
    tickets: BTreeSet<Ticket>,
    cursors: BTreeMap<String, i64>,
    /// What was kept of accounts with the events that have been taken over.
    accounts: BTreeMap<String, Account>,
    key: VerifyingKey,
    /// How many commits and how many repositories were delivered.
    commits: usize,
    repositories: usize,
}

fn check(input: &[u8]) {
    run(input);
}

fn run(input: &[u8]) -> World {
    let limits = Limits {
        max_queued_bytes: MIN_QUEUED_BYTES,
        max_queued: MAX_QUEUED,
        max_accounts: 1,
        max_lookups: 1,
        max_fetches: 1,
        max_attempts: 2,
        ..Limits::default()
    };
    let config = Config {
        source: Source::Repos,
        hosts: HOSTS.map(str::to_owned).to_vec(),
        limits,
    };
    let mut filter = Filter::new([""]);
    filter.add_account(DIDS[0]);
    let cursors = BTreeMap::from([(HOSTS[0].to_owned(), 5)]);
    let mut world = World {
        ingest: Ingest::new(config, filter, &cursors, 1).expect("the limits are fine"),
        now: START,
        seq: 5,
        connection: None,
        asked: Vec::new(),
        delivered: Vec::new(),
        tickets: BTreeSet::new(),
        cursors,
        accounts: BTreeMap::new(),
        key: account::KEY.clone(),
        commits: 0,
        repositories: 0,
    };
    for step in steps(input) {
        world.act();
        world.step(step);
    }
    world.act();
    world
}

impl World {
    fn act(&mut self) {
        // Each step can cause a few actions, and never ever more of them.
        for _ in 0..1000 {
            let Some(action) = self.ingest.next_action(self.now) else {
                let (items, bytes) = self.ingest.queued();
                assert!(items <= MAX_QUEUED && bytes <= MIN_QUEUED_BYTES);
                let behind = self.ingest.pace(self.now).behind;
                assert!(behind.is_none_or(|behind| behind <= self.now));
                return;
            };
            self.carry_out(action);
        }
        panic!("it never has enough");
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Connect { connection, .. } => {
                assert_eq!(self.connection, None);
                self.connection = Some(connection);
                assert!(self.ingest.opened(connection, self.now));
            }
            Action::Disconnect { connection } => {
                assert_eq!(self.connection.take(), Some(connection));
            }
            Action::KeepCursor { host, cursor } => match cursor {
                Some(cursor) => {
                    let before = self.cursors.insert(host, cursor);
                    assert!(before.is_none_or(|before| before < cursor));
                }
                None => drop(self.cursors.remove(&host)),
            },
            Action::Deliver { ticket, event } => {
                assert!(self.tickets.insert(ticket), "a ticket that was used before");
                if let Event::Account { did, news, .. } = &event {
                    match news {
                        News::Changes { .. } => self.commits += 1,
                        News::Repository { .. } => self.repositories += 1,
                        _ => {}
                    }
                    let same = |(_, other): &(Ticket, Event)| matches!(other, Event::Account { did: other, .. } if other == did);
                    assert!(
                        !self.delivered.iter().any(same),
                        "two events of one account"
                    );
                }
                self.delivered.push((ticket, event));
            }
            Action::Report(_) => {}
            ask => {
                assert!(!self.asked.contains(&ask), "it was asked already");
                self.asked.push(ask);
            }
        }
    }

    fn step(&mut self, step: Step<'_>) {
        let choice = usize::from(step.choice);
        let did = DIDS[choice % DIDS.len()];
        match step.kind {
            FRAME => self.send(step.bytes),
            1 => self.send_event("#identity", did, &[]),
            2 => {
                let status = STATUSES[choice / DIDS.len() % STATUSES.len()];
                let mut rest = b"\x66active".to_vec();
                rest.push(if status.is_empty() { 0xf5 } else { 0xf4 });
                text("status", &mut rest);
                text(status, &mut rest);
                self.send_event("#account", did, &rest);
            }
            3 => self.say(b"\xa2\x61t\x65#info\x62op\x01\xa1\x64name", choice),
            4 => self.say(b"\xa1\x62op\x20\xa1\x65error", choice),
            5 => self.answer(choice, None),
            ANSWER => self.answer(choice, Some(step.bytes)),
            ACKNOWLEDGE => self.acknowledge(choice),
            8 => {
                if let Some(connection) = self.connection.take() {
                    self.ingest.closed(connection, self.now);
                }
            }
            // A clock may also be set back.
            9 if choice > 240 => self.now = self.now.saturating_sub(Duration::from_hours(1)),
            9 => self.now += Duration::from_millis(1 << (choice % 24)),
            10 => drop(self.ingest.resync(did)),
            11 => self.ingest.set_interest(did, choice.is_multiple_of(2)),
            KEY => self.set_key(step.bytes),
            _ if choice == 0 => self.ingest.stop(),
            _ => {
                if let Some(wake_at) = self.ingest.wake_at() {
                    self.now = self.now.max(wake_at);
                }
            }
        }
    }

    fn send(&mut self, frame: &[u8]) {
        let wanted = self.ingest.wants_frames();
        if let Some(connection) = self.connection {
            let taken = self.ingest.frame(connection, frame, self.now);
            assert_eq!(taken.is_ok(), wanted);
        }
    }

    /// An event of this type with the next number; `rest` are two more entries, or none.
    fn send_event(&mut self, kind: &str, did: &str, rest: &[u8]) {
        self.seq += 1;
        let mut frame = b"\xa2".to_vec();
        text("t", &mut frame);
        text(kind, &mut frame);
        frame.extend_from_slice(b"\x62op\x01");
        frame.push(if rest.is_empty() { 0xa3 } else { 0xa5 });
        text("did", &mut frame);
        text(did, &mut frame);
        text("seq", &mut frame);
        frame.push(0x1b);
        frame.extend(self.seq.to_be_bytes());
        // In the one order that there is, but for numbers, which are as short as they can be.
        let number = frame.len() - 9;
        shorten(&mut frame, number);
        frame.extend_from_slice(b"\x64time\x60");
        frame.extend_from_slice(rest);
        self.send(&frame);
    }

    /// The beginning of a message, and a word.
    fn say(&mut self, head: &[u8], choice: usize) {
        let mut frame = head.to_vec();
        text(WORDS[choice % WORDS.len()], &mut frame);
        self.send(&frame);
    }

    fn set_key(&mut self, text: &[u8]) {
        let text = str::from_utf8(text).unwrap_or_default();
        if let Ok(key) = VerifyingKey::from_did_key(text) {
            self.key = key;
        }
    }

    fn answer(&mut self, choice: usize, with: Option<&[u8]>) {
        if self.asked.is_empty() {
            return;
        }
        let refusals = [
            Unavailable::ForNow,
            Unavailable::AtAll,
            Unavailable::Inactive,
            Unavailable::TooLarge(1),
        ];
        let refusal = refusals[choice % refusals.len()];
        let (ingest, now) = (&mut self.ingest, self.now);
        match self.asked.remove(choice % self.asked.len()) {
            Action::ReadAccount { did } => {
                let inactive = Account {
                    hosting: Hosting::Inactive,
                    ..Account::new()
                };
                let told = with.and_then(|text| str::from_utf8(text).ok()?.parse().ok());
                let other = if choice.is_multiple_of(2) {
                    Some(inactive)
                } else {
                    self.accounts.get(&did).copied()
                };
                ingest.account(&did, told.or(other));
            }
            Action::FindIdentity { did } => {
                let identity = Identity {
                    key: self.key.clone(),
                    host: None,
                };
                ingest.identity(&did, with.map_or(Err(refusal), |_| Ok(identity)), now);
            }
            Action::FetchRepository { did } => ingest.repository(&did, with.ok_or(refusal), now),
            other => panic!("{other:?} is not asked for"),
        }
    }

    fn acknowledge(&mut self, choice: usize) {
        if !self.delivered.is_empty() {
            let which = choice % self.delivered.len();
            let (ticket, event) = self.delivered.swap_remove(which);
            if let Event::Account {
                did,
                state: Some(state),
                ..
            } = event
            {
                self.accounts.insert(did, state);
            }
            self.ingest.done(ticket);
            // A second time does nothing.
            self.ingest.done(ticket);
        }
    }
}

fn text(text: &str, to: &mut Vec<u8>) {
    match u8::try_from(text.len()).expect("a short text") {
        len @ 0..24 => to.push(0x60 | len),
        len => to.extend([0x78, len]),
    }
    to.extend_from_slice(text.as_bytes());
}

/// Puts a small number of eight bytes at the end into its shortest form.
fn shorten(frame: &mut Vec<u8>, at: usize) {
    let bytes = frame[at + 1..].try_into().expect("eight bytes");
    let number = u64::from_be_bytes(bytes);
    frame.truncate(at);
    match u16::try_from(number) {
        Ok(number @ 0..24) => frame.push(number.to_be_bytes()[1]),
        Ok(number @ 24..256) => frame.extend([0x18, number.to_be_bytes()[1]]),
        Ok(number) => {
            frame.push(0x19);
            frame.extend(number.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x1b);
            frame.extend(number.to_be_bytes());
        }
    }
}

/// Leaves a step out, says it twice, puts it elsewhere, makes another one of it, or changes what it brings.
fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let brought;
    let mut steps = steps(input);
    if steps.is_empty() {
        return None;
    }
    let (at, to) = (random.below(steps.len()), random.below(steps.len()));
    match random.below(5) {
        0 => drop(steps.remove(at)),
        1 => steps.insert(to, steps[at]),
        2 => steps.swap(at, to),
        3 => {
            let [kind, choice, ..] = random.number().to_be_bytes();
            let bytes = steps[at].bytes;
            let kind = kind % KINDS;
            steps.insert(
                to,
                Step {
                    kind,
                    choice,
                    bytes,
                },
            );
        }
        _ => {
            let target = match steps[at].kind {
                FRAME => firehose::FRAME,
                _ => firehose::CAR,
            };
            brought = (target.mutate)(steps[at].bytes, random)?;
            steps[at].bytes = &brought;
        }
    }
    Some(write(&steps))
}

const fn step(kind: u8, choice: u8, bytes: &[u8]) -> Step<'_> {
    Step {
        kind,
        choice,
        bytes,
    }
}

/// The life of the account that is made here; frames of real accounts, one by one with what comes of them; one that is
/// as long as may be; and a life of made-up steps.
///
/// # Panics
/// If commits and repositories of the former are not delivered: then nothing of what comes behind is tried out.
fn seeds() -> Vec<Vec<u8>> {
    let life = life();
    let world = run(&life);
    assert_eq!((world.commits, world.repositories), (3, 1));
    let keys = keys();
    let frames = firehose::events();
    let answered = frames.iter().map(|frame| answered(frame, &keys));
    let longest = firehose::longest();
    let found = step(ANSWER, 1, b"");
    let longest = write(&[step(FRAME, 0, &longest), found, found]);
    let every = (0..KINDS).flat_map(|kind| (1..5).map(move |choice| step(kind, choice, b"")));
    let every: Vec<_> = every.flat_map(|one| [one, step(12, 1, b"")]).collect();
    let made = [life, longest, write(&every)];
    answered.chain(made).collect()
}

/// The first commits are taken as they come. One is missed, so that with the next one the repository is fetched, which
/// has that one too; and the last one follows on it.
fn life() -> Vec<u8> {
    let commits = account::commits();
    let [first, second, _, fourth, fifth] = &commits[..] else {
        panic!("there are five");
    };
    write(&[
        step(FRAME, 0, &first.event),
        // Nothing was kept of the account, and then it is found who it is.
        step(ANSWER, 1, b""),
        step(ANSWER, 1, b""),
        step(ACKNOWLEDGE, 0, b""),
        step(FRAME, 0, &second.event),
        step(ACKNOWLEDGE, 0, b""),
        step(FRAME, 0, &fourth.event),
        step(ANSWER, 1, &fourth.repository),
        step(ACKNOWLEDGE, 0, b""),
        step(FRAME, 0, &fifth.event),
        step(ACKNOWLEDGE, 0, b""),
    ])
}

/// A frame for which there is an answer to everything: it follows on what was kept of the account, if it can.
fn answered(frame: &[u8], keys: &BTreeMap<String, String>) -> Vec<u8> {
    let (did, before, blocks) = match Frame::decode(frame) {
        Ok(Frame::Commit(event)) => {
            let rev = event.since.and_then(|since| since.parse().ok());
            let before = rev.zip(event.prev_data);
            (event.repo, before, event.blocks)
        }
        Ok(Frame::Sync(event)) => (event.did, None, event.blocks),
        _ => ("", None, &b""[..]),
    };
    let key = keys.get(did).map_or("", String::as_str);
    let kept = before.map(|(rev, data)| Account {
        repository: Repository::Synced(Head { rev, data }),
        ..Account::new()
    });
    let kept = kept.map(|kept| kept.to_string()).unwrap_or_default();
    let mut steps = vec![step(KEY, 0, key.as_bytes()), step(FRAME, 0, frame)];
    for answer in [kept.as_bytes(), blocks, blocks, blocks] {
        steps.extend([step(ANSWER, 1, answer), step(ACKNOWLEDGE, 0, b"")]);
    }
    write(&steps)
}

/// The keys of the accounts in the conformance data, by DID.
fn keys() -> BTreeMap<String, String> {
    let files = ["corpus", "cases"].map(|folder| format!("firehose/{folder}/keys.json"));
    let texts = files.iter().filter_map(|file| shared_text(file));
    let keys = texts.flat_map(|text| {
        let keys: BTreeMap<String, String> =
            serde_json::from_str(&text).expect("the file is an object of keys");
        keys
    });
    keys.collect()
}
