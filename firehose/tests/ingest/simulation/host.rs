//! The accounts, and the host that tells of them.

use std::collections::VecDeque;
use std::sync::OnceLock;

use huddle_firehose::ingest::Unavailable;

use super::Dice;
use crate::frames::{self, Made, Records};

/// What is of interest.
pub(super) const PREFIX: &str = "com.example.";
const ACCOUNTS: usize = 4;
const COMMITS: usize = 16;
/// From this commit on an account signs with another key.
const OTHER_KEY_FROM: usize = 8;

/// The same for every run, as signing takes the time.
fn histories() -> &'static [Vec<Made>] {
    static HISTORIES: OnceLock<Vec<Vec<Made>>> = OnceLock::new();
    HISTORIES.get_or_init(|| (0..ACCOUNTS).map(history).collect())
}

fn history(number: usize) -> Vec<Made> {
    let did = format!(
        "did:plc:{:a<24}",
        "bcde".get(number..=number).expect("four accounts")
    );
    let mut dice = Dice(number as u64);
    let mut made: Vec<Made> = Vec::new();
    for at in 0..COMMITS {
        let before = made.last();
        let records = match before {
            None => Records::new(),
            Some(before) => changed(&before.records, at, &mut dice),
        };
        let key = 2 * u8::try_from(number).expect("few accounts") + 1;
        let key = if at < OTHER_KEY_FROM { key } else { key + 1 };
        made.push(frames::make(&did, before, records, key));
    }
    made
}

/// Puts a record, or takes one away; now and then of a collection that is of no interest.
fn changed(before: &Records, at: usize, dice: &mut Dice) -> Records {
    let mut records = before.clone();
    let collection = if at == 1 || dice.once_in(4) {
        "org.example.other"
    } else {
        "com.example.note"
    };
    let path = format!("{collection}/{}", dice.roll(4));
    let number = i64::try_from(at).expect("few commits");
    if records.contains_key(&path) && dice.once_in(2) {
        records.remove(&path);
    } else {
        records.insert(path, frames::record(collection, number));
    }
    records
}

/// What somebody else has signed in the name of each account.
fn forgeries() -> &'static [Made] {
    static FORGERIES: OnceLock<Vec<Made>> = OnceLock::new();
    FORGERIES.get_or_init(|| {
        let forge = |history: &Vec<Made>| {
            let [.., before, last] = &history[..] else {
                panic!("a history has two commits");
            };
            frames::make(&last.did, Some(before), last.records.clone(), 99)
        };
        histories().iter().map(forge).collect()
    })
}

/// An account, as far as it has come.
pub(super) struct Account {
    history: &'static [Made],
    /// How many of its commits it has made.
    made: usize,
    is_active: bool,
    /// Whether the relay has taken it down; it can still be had where it is hosted.
    is_taken_down: bool,
    handles: Vec<String>,
}

impl Account {
    pub(super) fn did(&self) -> &'static str {
        &self.history[0].did
    }

    fn newest(&self) -> Option<&'static Made> {
        self.made.checked_sub(1).map(|at| &self.history[at])
    }

    pub(super) fn key(&self) -> u8 {
        self.newest().unwrap_or(&self.history[0]).key
    }

    /// Its records of interest.
    pub(super) fn published(&self) -> Records {
        let records = self.newest().map(|made| made.records.clone());
        let mut records = records.unwrap_or_default();
        records.retain(|path, _| path.starts_with(PREFIX));
        records
    }

    /// Whether it has published something of interest that its key of today has signed. What another key has signed
    /// and nobody has taken over in time is nobody's word any more.
    pub(super) fn has_published(&self) -> bool {
        let old_key = self.made > OTHER_KEY_FROM;
        let start = if old_key { OTHER_KEY_FROM } else { 0 };
        (start..self.made).any(|at| self.touches(at))
    }

    /// Whether a commit changes something of interest.
    fn touches(&self, at: usize) -> bool {
        let of_interest = |at: usize| {
            let mut records = self.history[at].records.clone();
            records.retain(|path, _| path.starts_with(PREFIX));
            records
        };
        at > 0 && of_interest(at) != of_interest(at - 1)
    }

    pub(super) fn handles(&self) -> &[String] {
        &self.handles
    }

    pub(super) fn repository(&self, fails: bool) -> Result<&'static [u8], Unavailable> {
        if !self.is_active {
            return Err(Unavailable::Inactive);
        }
        let made = self.newest().ok_or(Unavailable::AtAll)?;
        unless(fails, &made.car).map(Vec::as_slice)
    }

    /// Which of its commits has this revision.
    pub(super) fn place(&self, rev: huddle_firehose::Tid) -> usize {
        let place = self.history.iter().position(|made| made.head.rev == rev);
        place.expect("the account has made that commit")
    }

    pub(super) fn records_at(&self, place: usize) -> Records {
        self.history[place].records.clone()
    }
}

pub(super) fn unless<T>(fails: bool, answer: &T) -> Result<&T, Unavailable> {
    if fails {
        Err(Unavailable::ForNow)
    } else {
        Ok(answer)
    }
}

pub(super) enum Sent {
    Frame(Vec<u8>),
    Nothing,
    Close,
}

/// The host of all accounts.
pub(super) struct Host {
    accounts: Vec<Account>,
    log: Vec<(i64, Vec<u8>)>,
    newest: i64,
    /// The newest event that is not in the log any more.
    forgotten: i64,
    /// What is sent first over the connection, and which event then.
    first: VecDeque<Vec<u8>>,
    next: usize,
    closes: bool,
    /// Its numbers began anew, and nobody knows yet. It does nothing until somebody does: it could come past a cursor
    /// of the old numbers, and nobody could tell.
    is_new: bool,
}

impl Host {
    pub(super) fn new() -> Self {
        let account = |history: &'static Vec<Made>| Account {
            history,
            made: 0,
            is_active: true,
            is_taken_down: false,
            handles: Vec::new(),
        };
        Self {
            accounts: histories().iter().map(account).collect(),
            log: Vec::new(),
            newest: 0,
            forgotten: 0,
            first: VecDeque::new(),
            next: 0,
            closes: false,
            is_new: false,
        }
    }

    pub(super) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    pub(super) fn account(&self, did: &str) -> &Account {
        let found = self.accounts.iter().find(|account| account.did() == did);
        found.expect("nothing is asked of anybody else")
    }

    pub(super) fn newest(&self) -> i64 {
        self.newest
    }

    fn log(&mut self, frame: impl FnOnce(i64) -> Vec<u8>, skip: usize) {
        self.newest += 1 + i64::try_from(skip).expect("a small gap");
        self.log.push((self.newest, frame(self.newest)));
    }

    /// Somebody does something.
    pub(super) fn publish(&mut self, dice: &mut Dice) {
        if self.is_new {
            return;
        }
        let skip = dice.roll(3);
        let which = dice.roll(ACCOUNTS);
        match dice.roll(12) {
            0 => self.rename(which, skip),
            1 => self.switch(which, skip),
            2 => self.log(frames::unknown, skip),
            3 => self.log(|_| b"\xff no frame".to_vec(), 0),
            4 => self.sync(which, skip),
            _ => self.commit(which, skip, dice),
        }
    }

    fn commit(&mut self, which: usize, skip: usize, dice: &mut Dice) {
        let account = &mut self.accounts[which];
        if !account.is_active || account.made == COMMITS {
            return;
        }
        // Most hosts say that there is another key, but nothing may rest on it.
        if account.made == OTHER_KEY_FROM && dice.once_in(2) {
            self.rename(which, 0);
        }
        let account = &mut self.accounts[which];
        account.made += 1;
        let made = &account.history[account.made - 1];
        if !account.is_taken_down {
            self.log(|seq| made.frame(seq), skip);
        }
    }

    /// Does what no host should.
    pub(super) fn do_harm(&mut self, dice: &mut Dice) {
        if self.is_new {
            return;
        }
        let which = dice.roll(ACCOUNTS);
        match dice.roll(7) {
            // The account goes on, and nobody hears of it.
            0 => {
                let account = &mut self.accounts[which];
                let goes_on = account.is_active && account.made < COMMITS;
                account.made += usize::from(goes_on);
            }
            1 => self.change(which, dice),
            2 => self.log(|seq| forgeries()[which].frame(seq), 0),
            3 => self.log(|seq| forgeries()[which].sync(seq), 0),
            4 => {
                let account = &self.accounts[which];
                if let Some(at) = account.made.checked_sub(1) {
                    let again = &account.history[dice.roll(at + 1)];
                    self.log(|seq| again.frame(seq), 0);
                }
            }
            5 => self.swap(which),
            _ => self.take_down(which, dice),
        }
    }

    /// The newest commit, which the account has signed, with other operations than it has.
    fn change(&mut self, which: usize, dice: &mut Dice) {
        let account = &mut self.accounts[which];
        if !account.is_active || account.made == COMMITS {
            return;
        }
        account.made += 1;
        let made = &account.history[account.made - 1];
        let choice = dice.roll(3);
        let path = frames::text("com.example.note/9");
        let made_up = |action| {
            let gone = frames::Item::Link(made.commit);
            frames::Item::Map(vec![
                ("action", frames::text(action)),
                ("path", path),
                ("cid", frames::Item::Null),
                ("prev", gone),
            ])
        };
        let mut changed = made.clone();
        match choice {
            0 => drop(changed.ops.pop()),
            1 => changed.ops.push(made_up("delete")),
            _ => changed.ops.push(made_up("explode")),
        }
        self.log(|seq| changed.frame(seq), 0);
    }

    /// Two commits in the wrong order.
    fn swap(&mut self, which: usize) {
        let account = &mut self.accounts[which];
        if !account.is_active || account.made + 2 > COMMITS {
            return;
        }
        account.made += 2;
        let (one, two) = (
            &account.history[account.made - 2],
            &account.history[account.made - 1],
        );
        self.log(|seq| two.frame(seq), 0);
        self.log(|seq| one.frame(seq), 0);
    }

    fn take_down(&mut self, which: usize, dice: &mut Dice) {
        let account = &mut self.accounts[which];
        let status = match dice.roll(4) {
            0 => Some("deleted"),
            _ if account.is_taken_down => None,
            _ => Some("takendown"),
        };
        account.is_taken_down = status == Some("takendown");
        let did = account.did();
        self.log(|seq| frames::account(seq, did, status), 0);
    }

    fn sync(&mut self, which: usize, skip: usize) {
        if let (Some(made), true) = (
            self.accounts[which].newest(),
            self.accounts[which].is_active,
        ) {
            self.log(|seq| made.sync(seq), skip);
        }
    }

    fn rename(&mut self, which: usize, skip: usize) {
        let account = &mut self.accounts[which];
        let handle = format!("h{}.a{which}.example.com", account.handles.len());
        account.handles.push(handle.clone());
        let did = account.did();
        self.log(|seq| frames::identity(seq, did, &handle), skip);
    }

    fn switch(&mut self, which: usize, skip: usize) {
        let account = &mut self.accounts[which];
        account.is_active = !account.is_active;
        account.is_taken_down = false;
        let status = (!account.is_active).then_some("deactivated");
        let did = account.did();
        self.log(|seq| frames::account(seq, did, status), skip);
    }

    /// Everybody is active again, and what there is is told.
    pub(super) fn come_back(&mut self) {
        for which in 0..ACCOUNTS {
            let account = &mut self.accounts[which];
            account.is_active = true;
            account.is_taken_down = false;
            let did = account.did();
            self.log(|seq| frames::account(seq, did, None), 0);
            self.sync(which, 0);
        }
    }

    /// The oldest events are no longer there.
    pub(super) fn forget(&mut self, dice: &mut Dice) {
        let forgotten = dice.roll(self.log.len() + 1);
        if let Some((seq, _)) = self.log.drain(..forgotten).next_back() {
            self.forgotten = seq;
        }
        if forgotten > self.next {
            self.first.push_back(frames::error("ConsumerTooSlow"));
            self.closes = true;
        }
        self.next = self.next.saturating_sub(forgotten);
    }

    /// The numbers begin anew, without the events.
    pub(super) fn renumber(&mut self) {
        self.log.clear();
        self.newest = 0;
        self.forgotten = 0;
        self.next = 0;
        self.is_new = true;
        self.first.clear();
    }

    pub(super) fn connect(&mut self, url: &str, dice: &mut Dice) {
        self.first.clear();
        self.closes = false;
        let cursor = url.split_once("?cursor=");
        let cursor: Option<i64> = cursor.map(|(_, cursor)| cursor.parse().expect("a number"));
        let Some(cursor) = cursor else {
            self.is_new = false;
            self.next = self.log.len();
            return;
        };
        if cursor > self.newest {
            self.first.push_back(frames::error("FutureCursor"));
            self.closes = true;
            return;
        }
        if cursor < self.forgotten {
            self.first.push_back(frames::info("OutdatedCursor"));
        }
        self.next = self.log.partition_point(|(seq, _)| *seq <= cursor);
        // Some hosts begin a little earlier than they were asked to.
        if dice.once_in(3) {
            self.next = self.next.saturating_sub(dice.roll(4));
        }
    }

    pub(super) fn has_more(&self) -> bool {
        !self.first.is_empty() || self.closes || self.next < self.log.len()
    }

    pub(super) fn send(&mut self) -> Sent {
        if let Some(frame) = self.first.pop_front() {
            return Sent::Frame(frame);
        }
        if std::mem::take(&mut self.closes) {
            return Sent::Close;
        }
        match self.log.get(self.next) {
            None => Sent::Nothing,
            Some((_, frame)) => {
                self.next += 1;
                Sent::Frame(frame.clone())
            }
        }
    }
}
