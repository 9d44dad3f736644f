//! The one thread that writes.
//!
//! It takes what is queued, at most [`BATCH`], and carries it out in one transaction, each piece of
//! work in a savepoint of its own. Answers go out when the transaction is committed; when it is not,
//! none of the batch was done and all of it is told so.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use huddle_core::{Sql, SqlError};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::store::checkpoint::Checkpoints;
use crate::store::open::Opened;
use crate::store::sqlite::{SqliteSql, told};

/// The most pieces of work in one transaction.
const BATCH: usize = 256;

/// How many pieces of work may wait; whoever comes then waits for a place.
const QUEUE: usize = 1024;

/// Why a piece of work was not done, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It failed, and only it was rolled back.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// It panicked, and only it was rolled back.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// All that was to be committed with it was rolled back.
    #[error(transparent)]
    RolledBack(RolledBack),
    /// The thread is gone.
    #[error("the store's thread has stopped")]
    Stopped,
}

/// Why a whole transaction was not committed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the transaction was rolled back: {0}")]
pub(super) struct RolledBack(String);

impl From<rusqlite::Error> for RolledBack {
    fn from(error: rusqlite::Error) -> Self {
        Self(told(&error))
    }
}

impl From<SqlError> for RolledBack {
    fn from(error: SqlError) -> Self {
        Self(error.to_string())
    }
}

/// Queues work for the thread, and with its end waits for the thread's.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Work>>,
    committed: Arc<Notify>,
    /// Dropped after the queue, whose end is what ends the first of them, whose end is what ends the other.
    _threads: Vec<JoinOnDrop>,
}

/// The answer to queued work.
pub(super) struct Pending<R>(pub(super) oneshot::Receiver<Result<R, Failure>>);

impl Writer {
    /// Begins with the connections of `opened`.
    pub(super) fn start(opened: Opened) -> io::Result<Self> {
        let (queue, work) = mpsc::channel(QUEUE);
        let committed = Arc::new(Notify::new());
        let notify = Arc::clone(&committed);
        let beside = opened.beside.map(Checkpoints::start).transpose()?;
        let (checkpoints, beside) = beside.unzip();
        let thread = thread::Builder::new()
            .name("huddle-actors".into())
            .spawn(move || write(opened.writer, checkpoints, work, &notify))?;
        let threads = [Some(thread), beside].into_iter().flatten();
        Ok(Self {
            queue,
            committed,
            _threads: threads.map(|it| JoinOnDrop(Some(it))).collect(),
        })
    }

    /// Queues `work`, as soon as there is a place. Work is done in the order in which it is queued.
    pub(super) async fn queue<R, F>(&self, work: F) -> Pending<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut dyn Sql) -> Result<R, SqlError> + Send + 'static,
    {
        let (answer, pending) = oneshot::channel();
        let asked = Asked {
            work: Some(work),
            outcome: None,
            answer,
        };
        // If the thread is gone, so is the sender of the answer, and `Pending` tells.
        let _ = self.queue.send(Box::new(asked)).await;
        Pending(pending)
    }

    /// Has `work` done, and gives what it came to once that is committed.
    pub(super) async fn run<R, F>(&self, work: F) -> Result<R, Failure>
    where
        R: Send + 'static,
        F: FnOnce(&mut dyn Sql) -> Result<R, SqlError> + Send + 'static,
    {
        self.queue(work).await.answer().await
    }

    /// Waits for a commit that changed something; one since the last wait counts. For one waiter.
    pub(super) async fn committed(&self) {
        self.committed.notified().await;
    }
}

impl<R> Pending<R> {
    pub(super) async fn answer(self) -> Result<R, Failure> {
        self.0.await.unwrap_or(Err(Failure::Stopped))
    }
}

#[derive(Debug)]
struct JoinOnDrop(Option<JoinHandle<()>>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // Its panic was reported where it happened, and nobody waits for an answer any more.
            let _ = thread.join();
        }
    }
}

/// Something to be done in a transaction, and answered after it.
trait Work: Send {
    /// Does it; an error says why it is to be rolled back.
    fn run(&mut self, sql: &mut dyn Sql) -> Result<(), RolledBack>;

    /// Answers, given how the transaction ended.
    fn answer(self: Box<Self>, committed: &Result<(), RolledBack>);
}

struct Asked<F, R> {
    work: Option<F>,
    outcome: Option<Result<R, Failure>>,
    answer: oneshot::Sender<Result<R, Failure>>,
}

impl<F, R> Work for Asked<F, R>
where
    F: FnOnce(&mut dyn Sql) -> Result<R, SqlError> + Send,
    R: Send,
{
    fn run(&mut self, sql: &mut dyn Sql) -> Result<(), RolledBack> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        // What the work may leave half done is its rows, which are rolled back.
        let outcome = match catch_unwind(AssertUnwindSafe(|| work(sql))) {
            Ok(outcome) => outcome.map_err(Failure::Sql),
            Err(panic) => Err(Failure::Panicked(message(&*panic))),
        };
        let rolled_back = outcome.as_ref().err().map(|f| RolledBack(f.to_string()));
        self.outcome = Some(outcome);
        rolled_back.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, committed: &Result<(), RolledBack>) {
        let outcome = match committed {
            Ok(()) => self.outcome.unwrap_or(Err(Failure::Stopped)),
            Err(rolled_back) => Err(Failure::RolledBack(rolled_back.clone())),
        };
        // Whoever asked may have stopped waiting.
        let _ = self.answer.send(outcome);
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "without a message".to_owned()
    }
}

fn write(
    mut connection: Connection,
    mut checkpoints: Option<Checkpoints>,
    mut queue: mpsc::Receiver<Box<dyn Work>>,
    committed: &Notify,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
        let changes = connection.total_changes();
        let outcome = carry_out(&mut connection, &mut batch);
        if outcome.is_ok() && connection.total_changes() != changes {
            committed.notify_one();
        }
        for work in batch.drain(..) {
            work.answer(&outcome);
        }
        if let Some(checkpoints) = &mut checkpoints {
            checkpoints.look(&connection);
        }
    }
    // One after the other: whoever closes the file last carries the log over, and of two at once neither would.
    drop(connection);
    drop(checkpoints);
}

/// Does a batch in one transaction, which is rolled back if it is not committed.
fn carry_out(connection: &mut Connection, batch: &mut [Box<dyn Work>]) -> Result<(), RolledBack> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for work in batch {
        in_savepoint(&transaction, &mut **work)?;
    }
    Ok(transaction.commit()?)
}

/// Does one piece of work, or nothing of it. On an error, the transaction cannot go on.
fn in_savepoint(connection: &Connection, work: &mut dyn Work) -> Result<(), RolledBack> {
    let mut sql = SqliteSql(connection);
    sql.query("SAVEPOINT work", &[])?;
    if let Err(rolled_back) = work.run(&mut sql) {
        // After some errors, a full disk among them, SQLite has ended the transaction by itself:
        // https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
        if connection.is_autocommit() {
            return Err(rolled_back);
        }
        sql.query("ROLLBACK TO work", &[])?;
    }
    sql.query("RELEASE work", &[])?;
    Ok(())
}
