//! Carries the write-ahead log over into the file, beside the thread that writes.
//!
//! SQLite's own checkpoints are part of a commit: whoever waits for that one waits for thousands of pages and two syncs.
//! Here a thread with a connection of its own carries over what is there, while commits go on behind it. The writer then
//! carries over the few pages that came meanwhile, between two transactions, and the next begins the log anew:
//! <https://www.sqlite.org/wal.html#checkpointing>.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

/// After how many changed rows a checkpoint begins. Rows of many actors lie apart, so a row is about a page and a half of
/// the log, and a checkpoint is about 16 MiB. A page that was written more than once by then is carried over once.
const ROWS: u64 = 3000;

/// Has the log of the writer's file carried over.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// Asks the thread for one.
    begin: SyncSender<()>,
    /// Set by the thread, when what was there is carried over.
    done: Arc<AtomicBool>,
    is_under_way: bool,
    /// How many rows had been changed when the last one began.
    began_at: u64,
}

impl Checkpoints {
    /// Begins with a `connection` to the file that nobody else uses. The thread ends when this is dropped.
    pub(super) fn start(connection: Connection) -> io::Result<(Self, JoinHandle<()>)> {
        let (begin, asked) = sync_channel(1);
        let done = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&done);
        let thread = thread::Builder::new()
            .name("huddle-checkpoints".into())
            .spawn(move || run(&connection, &asked, &tell))?;
        let checkpoints = Self {
            begin,
            done,
            is_under_way: false,
            began_at: 0,
        };
        Ok((checkpoints, thread))
    }

    /// Begins or ends one if it is time to. `writer` is between two transactions.
    pub(super) fn look(&mut self, writer: &Connection) {
        if self.is_under_way && self.done.swap(false, Ordering::Acquire) {
            carry_over(writer);
            self.is_under_way = false;
        }
        let changed = writer.total_changes();
        if !self.is_under_way && changed - self.began_at >= ROWS {
            self.began_at = changed;
            self.is_under_way = self.begin.try_send(()).is_ok();
        }
    }
}

fn run(connection: &Connection, asked: &Receiver<()>, done: &AtomicBool) {
    while asked.recv().is_ok() {
        carry_over(connection);
        done.store(true, Ordering::Release);
    }
}

/// Carries over what is in the log, as far as nobody reads an older state of the file.
fn carry_over(connection: &Connection) {
    // What cannot be carried over now stays in the log, where it is as safe, and is once more with the next. If it never
    // can be, on a full disk or a broken one, the log grows until commits fail, and they tell.
    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}
