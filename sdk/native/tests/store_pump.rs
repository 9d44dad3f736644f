//! The pump over a store: what is done, in which order, how often, and what happens when it fails.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::booking::BookingId;
use huddle_core::effects::{Channel, Effect};
use huddle_core::host_match::Role;
use huddle_core::outbox::Task;
use huddle_core::rate_limiter::{Rate, Spend, Verdict};
use huddle_core::tasks::Retry;
use huddle_core::transport::ask;
use huddle_core::{ActorName, Limits};
use huddle_native::{ActorStore, Pump, TaskFailed, TaskRunner, Trouble};
use huddle_ports::{Clock, Random, Timestamp};
use huddle_testkit::SteppingClock;
use rusqlite::{Connection, OptionalExtension, params};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const NOON: Timestamp = Timestamp::from_millis(1_767_268_800_000);

/// Throws the same number for ever.
struct Loaded(u8);

impl Random for Loaded {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

/// A task that is being run, for the test to end.
struct Run {
    task: Task,
    end: oneshot::Sender<Result<(), TaskFailed>>,
}

impl Run {
    fn succeed(self) {
        self.end.send(Ok(())).unwrap();
    }

    fn fail(self) {
        self.end.send(Err("no luck".to_owned().into())).unwrap();
    }

    /// The runner panics when nobody is left to end the task.
    fn panic(self) {
        drop(self.end);
    }
}

/// Leaves everything to the test.
struct Runner {
    runs: mpsc::UnboundedSender<Run>,
    troubles: mpsc::UnboundedSender<String>,
    retries: mpsc::UnboundedSender<Option<Timestamp>>,
}

#[async_trait]
impl TaskRunner for Runner {
    async fn run(&self, task: &Task) -> Result<(), TaskFailed> {
        let (end, ended) = oneshot::channel();
        let task = task.clone();
        self.runs.send(Run { task, end }).unwrap();
        ended.await.expect("somebody ends the task")
    }

    fn report(&self, trouble: &Trouble<'_>) {
        if let Trouble::Task { retry_at, .. } = trouble {
            self.retries.send(*retry_at).unwrap();
        }
        self.troubles.send(trouble.to_string()).unwrap();
    }
}

struct World {
    store: Arc<ActorStore>,
    clock: Arc<SteppingClock>,
    folder: TempDir,
}

/// A pump at work.
struct Pumping {
    runs: mpsc::UnboundedReceiver<Run>,
    troubles: mpsc::UnboundedReceiver<String>,
    retries: mpsc::UnboundedReceiver<Option<Timestamp>>,
    shutdown: oneshot::Sender<()>,
    pump: JoinHandle<()>,
}

impl World {
    fn new() -> Self {
        Self::within(Limits::default())
    }

    fn within(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("actors.sqlite");
        let clock = Arc::new(SteppingClock::at(NOON));
        let store = ActorStore::open(&path, clock.clone(), limits).unwrap();
        Self {
            store: Arc::new(store),
            clock,
            folder,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("actors.sqlite")
    }

    fn pump(&self) -> Pumping {
        self.pump_with_dice(0)
    }

    fn pump_with_dice(&self, dice: u8) -> Pumping {
        let (send_run, runs) = mpsc::unbounded_channel();
        let (send_trouble, troubles) = mpsc::unbounded_channel();
        let (send_retry, retries) = mpsc::unbounded_channel();
        let (shutdown, told) = oneshot::channel();
        let runner = Runner {
            runs: send_run,
            troubles: send_trouble,
            retries: send_retry,
        };
        let pump = Pump::new(
            Arc::clone(&self.store),
            Arc::new(runner),
            Arc::new(Loaded(dice)),
        );
        let pump = tokio::spawn(pump.run(async {
            told.await.unwrap();
        }));
        Pumping {
            runs,
            troubles,
            retries,
            shutdown,
            pump,
        }
    }

    /// Puts a task into the outbox of an actor, as a decision of its would.
    fn send(&self, actor: &str, task: &Task) {
        let connection = Connection::open(self.path()).unwrap();
        let (kind, task) = (task.kind(), serde_json::to_string(task).unwrap());
        let statement = "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, ?4)";
        let due = self.clock.now().as_millis();
        connection
            .execute(statement, params![actor, kind, task, due])
            .unwrap();
    }

    /// The tries and the due time of the one entry of the outbox.
    fn entry(&self) -> Option<(u32, Option<i64>)> {
        let connection = Connection::open(self.path()).unwrap();
        connection
            .query_row("SELECT tries, due FROM outbox", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .unwrap()
    }

    /// How many rows there are of something.
    fn count(&self, rows: &str) -> u32 {
        let connection = Connection::open(self.path()).unwrap();
        let statement = format!("SELECT count(*) FROM {rows}");
        connection
            .query_row(&statement, [], |row| row.get(0))
            .unwrap()
    }

    fn script(&self, script: &str) {
        let connection = Connection::open(self.path()).unwrap();
        connection.execute_batch(script).unwrap();
    }

    /// What is left of a bucket of 100 that is not filled again.
    async fn remaining(&self, key: &str) -> u32 {
        match ask(&*self.store, &limiter(key), spend(0)).await.unwrap() {
            Verdict::Allowed { remaining } => remaining,
            verdict => panic!("{verdict:?}"),
        }
    }

    /// Has the pump look, by a commit.
    async fn poke(&self) {
        ask(&*self.store, &limiter("poke"), spend(0)).await.unwrap();
    }
}

impl Pumping {
    async fn next_run(&mut self) -> Run {
        self.runs.recv().await.unwrap()
    }

    async fn next_trouble(&mut self) -> String {
        self.troubles.recv().await.unwrap()
    }

    /// Ends the pump after everything that is due, and gives what it still had to say.
    async fn stop(mut self) -> Vec<String> {
        self.shutdown.send(()).unwrap();
        self.pump.await.unwrap();
        let mut troubles = Vec::new();
        while let Some(trouble) = self.troubles.recv().await {
            troubles.push(trouble);
        }
        assert!(self.runs.recv().await.is_none(), "a task too many was run");
        troubles
    }
}

fn limiter(key: &str) -> ActorName {
    ActorName::rate_limiter(key)
}

fn spend(cost: u32) -> Spend {
    Spend {
        rate: Rate {
            per_minute: 1,
            burst: 100,
        },
        cost,
        nonce: None,
    }
}

fn tell(to: &ActorName, cost: u32) -> Task {
    Task::Tell {
        to: to.clone(),
        command: Box::new(spend(cost).into()),
    }
}

fn booking(number: usize) -> BookingId {
    format!("booking{number:016}").parse().unwrap()
}

fn project(number: usize) -> Task {
    Task::Project(booking(number))
}

fn effect(number: usize, party: Role, channel: Channel) -> Task {
    Task::Effect(Effect {
        booking: booking(number),
        party,
        channel,
        revision: 1,
    })
}

#[tokio::test]
async fn a_command_in_the_outbox_reaches_its_actor_once() {
    let world = World::new();
    world.send("booking/1", &tell(&limiter("a"), 1));
    world.send("booking/1", &tell(&limiter("b"), 10));
    world.send("booking/2", &tell(&limiter("a"), 5));
    let pumping = world.pump();
    while world.entry().is_some() {
        tokio::task::yield_now().await;
    }
    world.poke().await;
    assert_eq!(pumping.stop().await, [""; 0]);
    assert_eq!(world.remaining("a").await, 94);
    assert_eq!(world.remaining("b").await, 90);
}

#[tokio::test]
async fn a_command_that_fails_is_kept_with_its_tries_and_others_are_not_held_up() {
    let world = World::new();
    // An actor of another kind.
    world.send("booking/1", &tell(&ActorName::booking(&booking(1)), 1));
    world.send("booking/1", &tell(&limiter("a"), 1));
    let mut pumping = world.pump_with_dice(255);
    assert_eq!(
        pumping.next_trouble().await,
        "entry 1 of the outbox failed: a command for another kind of actor; it is tried again"
    );
    assert_eq!(pumping.stop().await, [""; 0]);
    let in_a_second = (NOON + Duration::from_secs(1)).as_millis();
    assert_eq!(world.entry(), Some((1, Some(in_a_second))));
    assert_eq!(world.remaining("a").await, 99);
}

#[tokio::test]
async fn a_commit_lets_the_pump_look_at_once() {
    let world = World::new();
    let mut pumping = world.pump();
    let mut waits = Vec::new();
    for number in 0..20 {
        world.send("booking/1", &project(number));
        let sent = tokio::time::Instant::now();
        world.poke().await;
        let run = pumping.next_run().await;
        waits.push(sent.elapsed());
        assert_eq!(run.task, project(number));
        run.succeed();
        while world.entry().is_some() {
            world.poke().await;
        }
        // So that its look after that is over.
        for _ in 0..10 {
            world.poke().await;
        }
    }
    waits.sort();
    // It would look every second anyway.
    assert!(waits[10] < Duration::from_millis(500), "{waits:?}");
    assert_eq!(pumping.stop().await, [""; 0]);
    assert_eq!(world.entry(), None);
}

#[tokio::test]
async fn tasks_of_one_actor_are_run_one_after_the_other_and_of_several_at_once() {
    let world = World::new();
    for (actor, number) in [("booking/1", 1), ("booking/1", 2), ("booking/2", 3)] {
        world.send(actor, &project(number));
    }
    world.send("booking/1", &tell(&limiter("a"), 1));
    let mut pumping = world.pump();
    let first = pumping.next_run().await;
    let other = pumping.next_run().await;
    assert_eq!((&first.task, &other.task), (&project(1), &project(3)));
    other.succeed();
    for _ in 0..5 {
        world.poke().await;
    }
    assert!(pumping.runs.try_recv().is_err(), "the second did not wait");
    first.fail();
    // The first comes again, as soon as it is due, which it is at once: before the second.
    let again = pumping.next_run().await;
    assert_eq!(again.task, project(1));
    assert_eq!(world.remaining("a").await, 100, "the command did not wait");
    again.succeed();
    let second = pumping.next_run().await;
    assert_eq!(second.task, project(2));
    second.succeed();
    assert_eq!(pumping.stop().await.len(), 1);
    assert_eq!(
        world.entry().map(|(tries, _)| tries),
        Some(0),
        "stopped before the command"
    );
    let pumping = world.pump();
    while world.entry().is_some() {
        tokio::task::yield_now().await;
    }
    pumping.stop().await;
    assert_eq!(world.remaining("a").await, 99);
}

#[tokio::test]
async fn what_an_actor_wants_several_times_at_once_is_done_once() {
    let world = World::new();
    for (actor, number) in [
        ("booking/1", 1),
        ("booking/1", 2),
        ("booking/1", 1),
        ("booking/2", 1),
    ] {
        world.send(actor, &project(number));
    }
    let mut pumping = world.pump();
    let first = pumping.next_run().await;
    let other_actor = pumping.next_run().await;
    assert_eq!((&first.task, &other_actor.task), (&project(1), &project(1)));
    // Wanted after the first has begun, it may be about what that one has not seen.
    world.send("booking/1", &project(1));
    first.succeed();
    other_actor.succeed();
    for number in [2, 1] {
        let next = pumping.next_run().await;
        assert_eq!(next.task, project(number));
        next.succeed();
    }
    assert_eq!(pumping.stop().await, [""; 0]);
    assert_eq!(world.entry(), None);
}

#[tokio::test]
async fn of_several_that_want_the_same_only_one_fails() {
    let world = World::new();
    for _ in 0..3 {
        world.send("booking/1", &project(1));
    }
    let mut pumping = world.pump();
    pumping.next_run().await.fail();
    let again = pumping.next_run().await;
    assert_eq!(again.task, project(1));
    again.succeed();
    assert_eq!(pumping.stop().await.len(), 1);
    assert_eq!(world.entry(), None, "the second try did all of them");
}

#[tokio::test]
async fn what_waits_to_be_tried_again_holds_up_nothing() {
    let world = World::new();
    world.send("booking/1", &project(1));
    world.send("booking/1", &project(2));
    let mut pumping = world.pump_with_dice(255);
    pumping.next_run().await.fail();
    let second = pumping.next_run().await;
    assert_eq!(second.task, project(2));
    second.succeed();
    world.clock.set(NOON + Duration::from_secs(1));
    let again = pumping.next_run().await;
    assert_eq!(again.task, project(1));
    again.succeed();
    pumping.stop().await;
    assert_eq!(world.entry(), None);
}

#[tokio::test]
async fn no_more_than_sixteen_tasks_run_at_once() {
    let world = World::new();
    for number in 0..40 {
        world.send(&format!("booking/{number}"), &project(number));
    }
    let mut pumping = world.pump();
    let (mut running, mut seen) = (Vec::new(), BTreeSet::new());
    while seen.len() < 40 {
        let run = pumping.next_run().await;
        seen.insert(format!("{:?}", run.task));
        running.push(run);
        if running.len() == 16 {
            world.poke().await;
            world.poke().await;
            assert!(pumping.runs.try_recv().is_err(), "one too many");
            running.drain(..).for_each(Run::succeed);
        }
    }
    running.drain(..).for_each(Run::succeed);
    pumping.stop().await;
    assert_eq!(world.entry(), None);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_tried_for_hours_ever_more_rarely_and_then_kept_as_a_dead_letter() {
    let world = World::new();
    world.send("booking/1", &project(1));
    let mut pumping = world.pump_with_dice(255);
    let mut waits = Vec::new();
    loop {
        let run = pumping.next_run().await;
        if waits.len() % 2 == 0 {
            run.fail();
        } else {
            run.panic();
        }
        let Some(retry_at) = pumping.retries.recv().await.unwrap() else {
            break;
        };
        waits.push(retry_at.since(world.clock.now()).as_secs());
        world.clock.set(retry_at);
    }
    let doubling = (0..12).map(|n| 1 << n);
    let expect: Vec<u64> = doubling.chain([3600; 7]).collect();
    assert_eq!(waits, expect);
    world.clock.set(NOON + Duration::from_hours(24));
    world.poke().await;
    world.poke().await;
    let troubles = pumping.stop().await;
    assert_eq!(
        troubles[0],
        "entry 1 of the outbox failed: no luck; it is tried again"
    );
    assert!(troubles[1].contains("panicked"), "{}", troubles[1]);
    assert!(
        troubles[19].ends_with("; it is a dead letter now"),
        "{}",
        troubles[19]
    );
    assert_eq!(world.entry(), Some((20, None)));
}

#[tokio::test(start_paused = true)]
async fn the_limits_say_how_often_a_task_is_tried_and_how_long_it_waits_in_between() {
    let world = World::within(Limits {
        task_tries: 8,
        task_wait_secs: 60,
        ..Limits::default()
    });
    world.send("booking/1", &project(1));
    let mut pumping = world.pump_with_dice(255);
    let mut waits = Vec::new();
    loop {
        pumping.next_run().await.fail();
        let Some(retry_at) = pumping.retries.recv().await.unwrap() else {
            break;
        };
        waits.push(retry_at.since(world.clock.now()).as_secs());
        world.clock.set(retry_at);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60]);
    pumping.stop().await;
    assert_eq!(world.entry(), Some((8, None)));
}

#[tokio::test]
async fn what_is_shown_outside_waits_for_the_same_side_and_channel_only() {
    let world = World::new();
    let (host, guest) = (Role::Host, Role::Guest);
    let tasks = [
        effect(1, host, Channel::Mail),
        effect(1, guest, Channel::Mail),
        effect(1, host, Channel::Calendar),
        project(1),
    ];
    for task in &tasks {
        world.send("booking/1", task);
    }
    let mut later = effect(1, host, Channel::Mail);
    if let Task::Effect(effect) = &mut later {
        effect.revision = 2;
    }
    world.send("booking/1", &later);
    world.send("booking/1", &tell(&limiter("a"), 1));
    let mut pumping = world.pump();
    let mut runs = Vec::new();
    for task in &tasks {
        let run = pumping.next_run().await;
        assert_eq!(run.task, *task);
        runs.push(run);
    }
    for _ in 0..5 {
        world.poke().await;
    }
    assert!(
        pumping.runs.try_recv().is_err(),
        "the later one did not wait"
    );
    runs.remove(0).succeed();
    let run = pumping.next_run().await;
    assert_eq!(run.task, later);
    runs.push(run);
    runs.into_iter().for_each(Run::succeed);
    assert_eq!(pumping.stop().await, [""; 0]);
}

#[tokio::test]
async fn letters_that_wait_for_a_mail_server_hide_nothing_else() {
    let world = World::new();
    for number in 0..400 {
        let letter = effect(number, Role::Host, Channel::Mail);
        world.send(&format!("booking/{number}"), &letter);
    }
    let event = effect(400, Role::Host, Channel::Calendar);
    world.send("booking/400", &event);
    world.send("booking/401", &project(401));
    world.send("booking/402", &tell(&limiter("a"), 1));
    let mut pumping = world.pump();
    let mut runs = Vec::new();
    for _ in 0..18 {
        runs.push(pumping.next_run().await);
    }
    for wanted in [&event, &project(401)] {
        assert!(runs.iter().any(|run| run.task == *wanted), "{wanted:?}");
    }
    while world.count("outbox WHERE kind = 'tell'") > 0 {
        world.poke().await;
    }
    assert!(pumping.runs.try_recv().is_err(), "a seventeenth letter");
    pumping.pump.abort();
}

#[tokio::test]
async fn a_store_that_is_behind_wakes_few_who_would_add_to_it() {
    let world = World::new();
    let command = serde_json::to_string(&tell(&limiter("a"), 0)).unwrap();
    world.script(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4000) \
         INSERT INTO outbox (actor, task, due) SELECT 'booking/1', '{command}', 0 FROM n;
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000) \
         INSERT INTO timer (actor, name, due) SELECT 'host-match/did:web:a' || n || '.example.com', 'sweep', 0 FROM n;"
    ));
    let pumping = world.pump();
    let waiting = "timer WHERE name = 'sweep'";
    let (mut woken, mut carried) = (0, 0);
    while carried < 1500 {
        world.poke().await;
        woken = 1000 - world.count(waiting);
        carried = 4000 - world.count("outbox");
    }
    assert!(
        0 < woken && woken <= carried / 4,
        "{woken} were woken while {carried} commands were carried out"
    );
    while world.count(waiting) > 0 {
        world.poke().await;
    }
    assert_eq!(pumping.stop().await, [""; 0]);
}

#[tokio::test]
async fn a_task_is_tried_when_it_can_be() {
    let minute = Duration::from_mins(1);
    let day = Duration::from_hours(24);
    let calendar = effect(1, Role::Host, Channel::Calendar);
    for (retry, expect) in [
        (
            Retry::After(minute),
            [60; 6]
                .into_iter()
                .chain((6..12).map(|n| 1 << n))
                .chain([3600; 7])
                .collect(),
        ),
        (Retry::After(day), vec![3600; 19]),
        (Retry::Never, vec![]),
    ] {
        let world = World::new();
        world.send("booking/1", &calendar);
        let mut pumping = world.pump_with_dice(255);
        let mut waits = Vec::new();
        loop {
            let problem = "no luck".into();
            let failed = TaskFailed { problem, retry };
            pumping.next_run().await.end.send(Err(failed)).unwrap();
            let Some(retry_at) = pumping.retries.recv().await.unwrap() else {
                break;
            };
            waits.push(retry_at.since(world.clock.now()).as_secs());
            world.clock.set(retry_at);
        }
        assert_eq!(waits, expect, "{retry:?}");
    }
}

#[tokio::test]
async fn a_dead_letter_is_listed_as_it_was_stored_and_tried_again_once_it_is_requeued() {
    let world = World::new();
    world.send("booking/1", &project(1));
    world.script("UPDATE outbox SET due = NULL, tries = 10");
    world.script(r#"INSERT INTO outbox (actor, task) VALUES ('future/x', '{"New":1}')"#);
    world.send("booking/2", &project(2));
    let letters = world.store.dead_letters(0, 10).await.unwrap();
    let told: Vec<_> = letters
        .iter()
        .map(|it| (it.id, it.actor.as_str(), it.task.as_str(), it.tries))
        .collect();
    let first = serde_json::to_string(&project(1)).unwrap();
    assert_eq!(
        told,
        [
            (1, "booking/1", first.as_str(), 10),
            (2, "future/x", r#"{"New":1}"#, 0)
        ]
    );
    let page = world.store.dead_letters(1, 1).await.unwrap();
    assert_eq!(page, letters[1..]);
    for unknown in [3, 4] {
        assert!(!world.store.requeue(unknown).await.unwrap(), "{unknown}");
    }
    assert!(world.store.requeue(1).await.unwrap());
    assert!(!world.store.requeue(1).await.unwrap(), "not a second time");
    assert_eq!(world.store.dead_letters(0, 10).await.unwrap().len(), 1);
    let mut pumping = world.pump();
    let mut ran = [pumping.next_run().await, pumping.next_run().await];
    ran.sort_by_key(|run| format!("{:?}", run.task));
    assert_eq!([&ran[0].task, &ran[1].task], [&project(1), &project(2)]);
    ran.into_iter().for_each(Run::succeed);
    pumping.stop().await;
    assert_eq!(world.store.dead_letters(0, 10).await.unwrap(), letters[1..]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_counts_as_failed_after_a_minute() {
    let world = World::new();
    world.send("booking/1", &project(1));
    let mut pumping = world.pump_with_dice(255);
    let endless = pumping.next_run().await;
    assert_eq!(
        pumping.next_trouble().await,
        "entry 1 of the outbox failed: not done after 60s; it is tried again"
    );
    assert!(endless.end.is_closed(), "it is dropped");
    pumping.stop().await;
    assert_eq!(world.entry().map(|(tries, _)| tries), Some(1));
}

#[tokio::test(start_paused = true)]
async fn an_actor_is_woken_when_its_timer_is_due_however_the_clock_got_there() {
    let world = World::new();
    ask(&*world.store, &limiter("a"), spend(1)).await.unwrap();
    let mut pumping = world.pump();
    world.clock.set(NOON + Duration::from_secs(59));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.count("bucket"), 1, "it is not full yet");
    world.clock.set(NOON + Duration::from_mins(1));
    let stepped = tokio::time::Instant::now();
    while world.count("bucket") > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(stepped.elapsed() < Duration::from_mins(10));
    assert!(pumping.troubles.try_recv().is_err());
    pumping.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_cannot_be_woken_is_tried_again_and_holds_up_nothing() {
    let world = World::new();
    ask(&*world.store, &limiter("a"), spend(1)).await.unwrap();
    ask(&*world.store, &limiter("b"), spend(1)).await.unwrap();
    world.script(
        "CREATE TRIGGER stuck BEFORE DELETE ON bucket WHEN old.actor = 'rate-limiter/a' \
         BEGIN SELECT RAISE(ABORT, 'stuck'); END",
    );
    world.clock.set(NOON + Duration::from_hours(1));
    let mut pumping = world.pump_with_dice(255);
    let stuck = "rate-limiter cannot be woken: the store failed: stuck";
    assert_eq!(pumping.next_trouble().await, stuck);
    for _ in 0..5 {
        world.poke().await;
    }
    assert!(
        pumping.troubles.try_recv().is_err(),
        "it is left alone for a second"
    );
    world.clock.step(Duration::from_secs(1));
    assert_eq!(pumping.next_trouble().await, stuck);
    world.script("DROP TRIGGER stuck");
    world.clock.step(Duration::from_secs(2));
    while world.count("bucket") > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(pumping.stop().await, [""; 0]);
}

#[tokio::test]
async fn a_task_that_was_done_and_could_not_be_noted_is_not_done_again_by_this_process() {
    let world = World::new();
    world.script(
        "CREATE TRIGGER stuck BEFORE DELETE ON outbox BEGIN SELECT RAISE(ABORT, 'stuck'); END",
    );
    world.send("booking/1", &project(1));
    let mut pumping = world.pump();
    pumping.next_run().await.succeed();
    let stuck = "the pump cannot use the store: the store failed: stuck";
    assert_eq!(pumping.next_trouble().await, stuck);
    world.poke().await;
    assert_eq!(pumping.next_trouble().await, stuck);
    world.script("DROP TRIGGER stuck");
    while world.entry().is_some() {
        world.poke().await;
    }
    pumping.stop().await;
}

#[tokio::test]
async fn a_task_that_was_cut_off_is_done_again() {
    let world = World::new();
    world.send("booking/1", &project(1));
    let mut pumping = world.pump();
    let cut_off = pumping.next_run().await;
    pumping.pump.abort();
    assert!(pumping.pump.await.unwrap_err().is_cancelled());
    assert!(cut_off.end.is_closed());
    let mut pumping = world.pump();
    let again = pumping.next_run().await;
    assert_eq!(again.task, project(1));
    again.succeed();
    pumping.stop().await;
    assert_eq!(world.entry(), None);
}

#[tokio::test]
async fn a_pump_that_is_shut_down_begins_nothing_and_ends_what_it_has_begun() {
    let world = World::new();
    world.send("booking/1", &project(1));
    let mut pumping = world.pump();
    let run = pumping.next_run().await;
    pumping.shutdown.send(()).unwrap();
    world.send("booking/2", &project(2));
    world.poke().await;
    assert!(!pumping.pump.is_finished());
    run.succeed();
    pumping.pump.await.unwrap();
    assert!(pumping.runs.recv().await.is_none());
    assert_eq!(
        world.entry(),
        Some((0, Some(NOON.as_millis()))),
        "the other"
    );
}
