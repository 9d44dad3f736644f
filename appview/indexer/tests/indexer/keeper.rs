//! What a runner of the stream is answered.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use huddle_appview_indexer::Keeper;
use huddle_core::index::{Index, IndexError, Statement};
use huddle_core::pause::{NoPause, Pause};
use huddle_core::sql::Row;
use huddle_firehose::ingest::{
    Answer, Event, LostTrack, News, Proof, Question, RepositoryError, Unavailable,
};
use huddle_native::SqliteIndex;
use huddle_ports::{Clock as _, FetchLimits, Timestamp};
use huddle_testkit::SteppingClock;
use huddle_testkit::network::Hosting;

use crate::world::{World, rkey};

/// Does not answer so many times.
struct Flaky {
    inner: Arc<SqliteIndex>,
    failures: AtomicU32,
}

impl Flaky {
    fn fail(&self) -> Result<(), IndexError> {
        let spend = |left: u32| left.checked_sub(1);
        let failures = &self.failures;
        match failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend) {
            Ok(_) => Err(IndexError("told to fail".to_owned())),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Index for Flaky {
    async fn query(&self, statement: Statement) -> Result<Vec<Row>, IndexError> {
        self.fail()?;
        self.inner.query(statement).await
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), IndexError> {
        self.fail()?;
        self.inner.batch(statements).await
    }
}

/// Lets the time pass by itself, and notes how long it waited.
struct Waits {
    clock: Arc<SteppingClock>,
    noted: Mutex<Vec<Duration>>,
}

#[async_trait]
impl Pause for Waits {
    async fn until(&self, moment: Timestamp) {
        let wait = moment.since(self.clock.now());
        self.clock.step(wait);
        self.noted.lock().unwrap().push(wait);
    }
}

fn keeper(world: &World) -> Keeper {
    Keeper {
        indexer: world.indexer(),
        pause: Arc::new(NoPause),
        repository: FetchLimits::default(),
        on_failure: |error| panic!("{error}"),
    }
}

#[tokio::test]
async fn what_the_index_does_not_do_is_tried_until_it_does() {
    let world = World::new();
    let index = Flaky {
        inner: world.index.clone(),
        failures: AtomicU32::new(9),
    };
    let waits = Arc::new(Waits {
        clock: world.clock.clone(),
        noted: Mutex::default(),
    });
    let keeper = Keeper {
        indexer: world.indexer_over(Arc::new(index)),
        pause: waits.clone(),
        on_failure: |_| {},
        ..keeper(&world)
    };
    let keep = Question::KeepCursor {
        host: "wss://pds.test".to_owned(),
        cursor: Some(7),
    };
    let (answer, taken) = keeper.answer(keep).await;
    assert!(matches!(answer, Answer::CursorKept) && taken.is_none());
    let cursors = world.indexer().cursors().await.unwrap();
    assert_eq!(cursors["wss://pds.test"], 7);
    let millis = [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    assert_eq!(
        *waits.noted.lock().unwrap(),
        millis.map(Duration::from_millis)
    );
}

/// What is answered of the identity and of the repository of an account.
async fn told(world: &World, did: &str) -> [Result<(), Unavailable>; 2] {
    told_by(keeper(world), did).await
}

async fn told_by(keeper: Keeper, did: &str) -> [Result<(), Unavailable>; 2] {
    let did = did.to_owned();
    let (identity, _) = keeper.answer(Question::Identity { did: did.clone() }).await;
    let (repository, _) = keeper.answer(Question::Repository { did }).await;
    let (Answer::Identity { found, .. }, Answer::Repository { car, .. }) = (&identity, &repository)
    else {
        panic!("{identity:?} {repository:?}");
    };
    [
        found.as_ref().map(drop).map_err(|why| *why),
        car.as_ref().map(drop).map_err(|why| *why),
    ]
}

#[tokio::test]
async fn who_an_account_is_and_what_it_has_is_told_by_its_host_or_why_not() {
    let world = World::new();
    let ada = world.sign_up("ada");
    assert_eq!(told(&world, ada.as_str()).await, [Ok(()), Ok(())]);
    for hosting in [Hosting::Deactivated, Hosting::TakenDown] {
        world.network.set_hosting(&ada, hosting).unwrap();
        let expect = [Ok(()), Err(Unavailable::Inactive)];
        assert_eq!(told(&world, ada.as_str()).await, expect);
    }
    for nobody in ["did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "nobody"] {
        let expect = [Err(Unavailable::AtAll); 2];
        assert_eq!(told(&world, nobody).await, expect);
    }
}

#[tokio::test]
async fn a_repository_of_more_than_is_read_is_too_large_whatever_its_host_says() {
    let world = World::new();
    let ada = world.sign_up("ada");
    let indexer = world.indexer();
    let whole = indexer.repository(ada.as_str(), FetchLimits::default());
    let size = whole.await.unwrap().len();
    for (limit, expect) in [
        (size, Ok(())),
        (size - 1, Err(Unavailable::TooLarge(size - 1))),
    ] {
        let mut keeper = keeper(&world);
        keeper.repository.max_response_bytes = limit;
        assert_eq!(told_by(keeper, ada.as_str()).await, [Ok(()), expect]);
    }
}

#[tokio::test]
async fn whose_repository_is_too_large_can_be_told_that_and_is_told_once() {
    let world = World::new();
    let ada = world.sign_up("ada");
    let indexer = world.indexer();
    let lost = |why| Event::Account {
        did: ada.to_string(),
        news: News::Desynchronized(why),
        state: None,
        proof: Proof::None,
    };
    for why in [
        LostTrack::Unavailable,
        LostTrack::TooLarge(9),
        LostTrack::TooLarge(9),
        LostTrack::Refused(RepositoryError::TooLarge(7)),
        LostTrack::Refused(RepositoryError::Outdated),
    ] {
        let taken = indexer.take_over(&lost(why)).await.unwrap();
        assert_eq!(taken.lost, Some(why));
    }
    let audit = world.rows("SELECT subject, kind, detail FROM audit ORDER BY id");
    let line = |why: LostTrack| format!("{ada} | repositoryTooLarge | {why}");
    assert_eq!(
        audit.await,
        [
            line(LostTrack::TooLarge(9)),
            line(LostTrack::Refused(RepositoryError::TooLarge(7))),
        ]
    );
}

#[tokio::test]
async fn who_lost_track_is_named_in_pages_and_then_who_is_held_wrongly() {
    let world = World::new();
    let mut dids: Vec<_> = ["ada", "bob"].map(|name| world.sign_up(name)).into();
    dids.sort();
    let indexer = world.indexer();
    for did in &dids {
        let service = crate::stream::service("did:web:huddle.example");
        world.network.put(did, &rkey("self"), &service).unwrap();
        indexer.meet(did).await.unwrap();
    }
    let keeper = keeper(&world);
    let (first, second) = (dids[0].to_string(), dids[1].to_string());
    for (lost_after, expect) in [
        (Some(""), vec![first.clone(), second.clone()]),
        (Some(first.as_str()), vec![second.clone()]),
        (Some(second.as_str()), vec![]),
        (None, vec![first.clone(), second.clone()]),
    ] {
        let lost_after = lost_after.map(str::to_owned);
        let (answer, _) = keeper.answer(Question::Wanted { lost_after }).await;
        let Answer::Wanted { dids } = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(dids, expect);
    }
}
