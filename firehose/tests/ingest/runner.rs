//! What a runner asks of whoever keeps what comes, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use huddle_firehose::Filter;
use huddle_firehose::ingest::{Answer, ConnectionId, Ingest, Limits, Question, Runner, Step};

use crate::driven::{ALICE, BOB, HOST, config};
use crate::frames::{self, START};

const MINUTE: Duration = Duration::from_mins(1);

struct Running {
    runner: Runner,
    now: Duration,
    connection: Option<ConnectionId>,
}

impl Running {
    fn new(limits: Limits) -> Self {
        let mut filter = Filter::new(["com.example."]);
        filter.add_account(ALICE);
        let cursors = BTreeMap::from([(HOST.to_owned(), 100)]);
        let ingest = Ingest::new(config(limits), filter, &cursors, 1);
        Self {
            runner: Runner::new(ingest.expect("the limits are fine")),
            now: START,
            connection: None,
        }
    }

    /// The next event of the stream comes.
    fn send(&mut self, seq: i64) {
        let connection = self.connection.expect("there is a connection");
        let frame = frames::identity(seq, ALICE, "alice.example.com");
        let taken = self.runner.ingest.frame(connection, &frame, self.now);
        taken.expect("there is room");
    }

    /// Answers what is asked, for as long as something is, but for these questions: the names of accounts, and cursors.
    fn run(&mut self) -> Vec<Question> {
        let mut open = Vec::new();
        while let Some(step) = self.runner.next_step(self.now) {
            match step {
                Step::Connect { connection, .. } => {
                    assert!(self.runner.ingest.opened(connection, self.now));
                    self.connection = Some(connection);
                }
                Step::Ask(Question::Account { did }) => {
                    let account = None;
                    self.answer(Answer::Account { did, account });
                }
                Step::Ask(Question::TakeOver { ticket, .. }) => {
                    self.answer(Answer::TakenOver { ticket });
                }
                Step::Ask(question @ (Question::KeepCursor { .. } | Question::Wanted { .. })) => {
                    open.push(question);
                }
                Step::Ask(Question::Identity { .. } | Question::Repository { .. })
                | Step::Disconnect { .. }
                | Step::Report(_) => {}
            }
        }
        open
    }

    fn run_after(&mut self, wait: Duration) -> Vec<Question> {
        self.now += wait;
        self.run()
    }

    fn answer(&mut self, answer: Answer) {
        self.runner.answer(answer, self.now);
    }

    fn name(&mut self, dids: &[&str]) {
        let dids = dids.iter().map(|did| (*did).to_owned()).collect();
        self.answer(Answer::Wanted { dids });
    }
}

fn wanted(lost_after: Option<&str>) -> Question {
    Question::Wanted {
        lost_after: lost_after.map(str::to_owned),
    }
}

fn keep(cursor: i64) -> Question {
    Question::KeepCursor {
        host: HOST.to_owned(),
        cursor: Some(cursor),
    }
}

/// Without the question that comes first and every minute.
fn cursors(mut questions: Vec<Question>) -> Vec<Question> {
    questions.retain(|question| matches!(question, Question::KeepCursor { .. }));
    questions
}

#[test]
fn one_cursor_is_kept_at_a_time_and_only_the_newest_counts() {
    let mut running = Running::new(Limits::default());
    running.run();
    running.send(101);
    assert_eq!(cursors(running.run()), [keep(101)]);
    for seq in 102..105 {
        running.send(seq);
        let meanwhile = running.run_after(Duration::from_secs(10));
        assert_eq!(cursors(meanwhile), []);
    }
    running.answer(Answer::CursorKept);
    assert_eq!(cursors(running.run()), [keep(104)]);
}

#[test]
fn who_had_lost_track_is_named_first_and_then_whoever_the_keeper_finds() {
    let mut running = Running::new(Limits::default());
    assert!(running.run().contains(&wanted(Some(""))));
    running.name(&[ALICE, BOB]);
    let (second, rest) = (Duration::from_secs(1), Duration::from_secs(59));
    let asked = |questions: Vec<Question>| {
        let is_wanted = |question: &Question| matches!(question, Question::Wanted { .. });
        questions.into_iter().find(is_wanted)
    };
    assert_eq!(asked(running.run()), None);
    assert_eq!(asked(running.run_after(rest)), None);
    let woken = running.runner.wake_at().expect("there is more to come");
    assert!(woken <= running.now + second);
    assert_eq!(asked(running.run_after(second)), Some(wanted(Some(BOB))));
    running.name(&[]);
    assert_eq!(asked(running.run_after(MINUTE)), Some(wanted(None)));
    assert_eq!(
        asked(running.run_after(MINUTE)),
        None,
        "it has not answered"
    );
    running.name(&[ALICE]);
    assert_eq!(asked(running.run()), Some(wanted(None)));
}

#[test]
fn nobody_else_is_named_while_there_is_no_room_for_those_who_were() {
    let mut running = Running::new(Limits {
        max_queued: 2,
        ..Limits::default()
    });
    assert!(running.run().contains(&wanted(Some(""))));
    running.name(&[ALICE, BOB]);
    for _ in 0..3 {
        let questions = running.run_after(MINUTE);
        let is_wanted = |question: &Question| matches!(question, Question::Wanted { .. });
        assert!(!questions.iter().any(is_wanted), "{questions:?}");
    }
}

#[test]
fn it_is_settled_when_the_last_cursor_is_kept_and_asks_for_nothing_more() {
    let mut running = Running::new(Limits::default());
    running.run();
    running.name(&[]);
    running.send(101);
    assert_eq!(cursors(running.run()), [keep(101)]);
    running.send(102);
    running.run();
    running.runner.stop();
    assert_eq!(running.run_after(MINUTE), []);
    assert!(!running.runner.is_settled(), "a cursor is being kept");
    running.answer(Answer::CursorKept);
    assert_eq!(running.run(), [keep(102)]);
    assert!(!running.runner.is_settled(), "another one is");
    running.answer(Answer::CursorKept);
    assert_eq!(running.run_after(MINUTE), []);
    assert!(running.runner.is_settled());
}
