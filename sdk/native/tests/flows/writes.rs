//! What a meeting costs the store of the actors.

use std::fs;

use crate::world::{World, key};

const OPERATIONS: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

/// Rows and commits that were written since the store began to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    rows: u32,
    commits: u32,
}

impl Written {
    fn since(self, before: Self) -> Self {
        Self {
            rows: self.rows - before.rows,
            commits: self.commits - before.commits,
        }
    }
}

impl World {
    /// Has every row counted that is written from now on.
    fn watch(&self) {
        let connection = self.connection();
        let tables =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut tables = connection.prepare(tables).unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut script =
            "CREATE TABLE written (rows INTEGER); INSERT INTO written VALUES (0);".to_owned();
        let triggers = tables.map(Result::unwrap).flat_map(|table| {
            OPERATIONS.map(|operation| {
                format!(
                    "CREATE TRIGGER written_{table}_{operation} AFTER {operation} ON {table} \
                     BEGIN UPDATE written SET rows = rows + 1; END;"
                )
            })
        });
        script.extend(triggers);
        connection.execute_batch(&script).unwrap();
    }

    fn written(&self) -> Written {
        let rows = "SELECT rows FROM written";
        let rows = self.connection().query_row(rows, [], |row| row.get(0));
        Written {
            rows: rows.unwrap(),
            commits: self.commits(),
        }
    }

    /// The commits in the log that SQLite writes ahead: <https://www.sqlite.org/fileformat2.html#walformat>
    fn commits(&self) -> u32 {
        const HEADER: usize = 32;
        const FRAME_HEADER: usize = 24;
        let mut path = self.path().into_os_string();
        path.push("-wal");
        let log = fs::read(path).unwrap();
        let (header, frames) = log.split_at(HEADER);
        let page = u32::from_be_bytes(header[8..12].try_into().unwrap());
        let frames = frames.chunks_exact(FRAME_HEADER + usize::try_from(page).unwrap());
        // A frame that ends a commit says how large the database is after it. Frames with another salt are
        // of an earlier round.
        let commits = frames
            .filter(|frame| frame[8..16] == header[16..24] && frame[4..8] != [0; 4])
            .count();
        u32::try_from(commits).unwrap()
    }
}

#[tokio::test]
async fn a_meeting_takes_few_writes() {
    let world = World::new();
    world.watch();
    let begun = world.written();
    let held = world.request("bob", "ada", "k").await.unwrap();
    assert_eq!(held.phase.word(), "held");
    let matched = world.written();
    let accept = world.flows.finalize(&held.id, key("bob", "finalize", "k"));
    assert_eq!(accept.await.unwrap().unwrap().phase.word(), "confirmed");
    let finalized = world.written();
    world.settle().await;
    let settled = world.written();
    let most = |rows, commits| Written { rows, commits };
    let steps = [
        ("match", matched.since(begun), most(18, 4)),
        ("finalize", finalized.since(matched), most(19, 4)),
        ("outbox", settled.since(finalized), most(13, 4)),
    ];
    for (name, came, most) in steps {
        println!("{name}: {} rows, {} commits", came.rows, came.commits);
        assert!(came.rows <= most.rows, "{name}: {came:?}");
        assert!(came.commits <= most.commits, "{name}: {came:?}");
    }
}
