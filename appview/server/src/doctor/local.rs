//! What can be looked at on this machine.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use huddle_native::{Backlog, Contradiction, Database, SystemClock};
use huddle_ports::Clock as _;
use huddle_schedule::Zone;

use super::Finding;
use crate::calendars;
use crate::config::{Config, unknown_variables};
use crate::secrets::{self, Unsound};

/// Less room than this, and a busy day may fill the disk.
const LITTLE_ROOM: u64 = 1 << 30;

/// Less than this, and the next commits may fail.
const NO_ROOM: u64 = 64 << 20;

/// A task that has been due for longer is one that nobody does.
const LATE: Duration = Duration::from_mins(10);

/// So many contradictions are told one by one.
const TOLD: usize = 5;

pub(super) fn configuration(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "configuration";
    let gaps = config.missing_for_production().into_iter();
    let gaps = gaps.map(|gap| match gap.split_once(": ") {
        Some((found, advice)) => Finding::warn(CHECK, found, advice),
        None => Finding::warn(CHECK, gap, "see the operator's guide"),
    });
    let token = config.operator_token().err().map(|error| {
        Finding::fail(
            CHECK,
            format!("{error:#}"),
            "`openssl rand -hex 32` makes one",
        )
    });
    let unknown = unknown_variables(env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    let unknown = unknown.into_iter().map(|(name, meant)| {
        let advice = match meant {
            Some(meant) => format!("{meant} may be meant"),
            None => "`huddle serve --help` lists the settings".to_owned(),
        };
        Finding::warn(CHECK, format!("{name} is set, and is no setting"), advice)
    });
    let found: Vec<_> = gaps.chain(token).chain(unknown).collect();
    if found.is_empty() {
        return vec![Finding::ok(CHECK, format!("serves as {}", config.service))];
    }
    found
}

pub(super) fn folder(folder: &Path) -> Vec<Finding> {
    const CHECK: &str = "folder";
    let Ok(metadata) = fs::metadata(folder) else {
        return vec![Finding::warn(
            CHECK,
            format!("there is no folder {}", folder.display()),
            "`huddle serve` makes it when it starts; or name another with --data",
        )];
    };
    let mode = metadata.permissions().mode() & 0o777;
    let path = folder.display();
    let access = if mode & 0o077 != 0 {
        Finding::warn(
            CHECK,
            format!("{path} has the permissions {mode:03o}"),
            format!("others on this machine may look into it: chmod 700 {path}"),
        )
    } else {
        Finding::ok(CHECK, format!("{path} is this user's alone"))
    };
    vec![access, room(folder)]
}

fn room(folder: &Path) -> Finding {
    const CHECK: &str = "disk";
    let room = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            let found = format!("how much room there is cannot be told: {error}");
            return Finding::warn(CHECK, found, "look with `df`");
        }
    };
    let found = format!("{} MiB free", room >> 20);
    let advice = "make room: once the disk is full, nothing can be booked, and nothing is lost";
    match room {
        ..NO_ROOM => Finding::fail(CHECK, found, advice),
        NO_ROOM..LITTLE_ROOM => Finding::warn(CHECK, found, advice),
        LITTLE_ROOM.. => Finding::ok(CHECK, found),
    }
}

pub(super) fn secrets(folder: &Path) -> Vec<Finding> {
    const CHECK: &str = "keys";
    if !folder.exists() {
        return Vec::new();
    }
    let look = |secret: &&secrets::Secret| {
        let path = folder.join(secret.file);
        let (file, path) = (secret.file, path.display());
        match secret.examine(folder) {
            Ok(()) => Finding::ok(CHECK, format!("{file} is there, and this user's alone")),
            Err(Unsound::Missing) => Finding::warn(
                CHECK,
                format!("there is no {file}"),
                "`huddle serve` makes it when it starts for the first time; if it was there before, restore it",
            ),
            Err(Unsound::NoSecret) => Finding::fail(
                CHECK,
                format!("{file} holds no secret as huddle makes them"),
                format!("restore it from a backup; it {}", secret.purpose),
            ),
            Err(Unsound::Readable(mode)) => Finding::fail(
                CHECK,
                format!("{file} has the permissions {mode:03o}"),
                format!("others on this machine may read it: chmod 600 {path}"),
            ),
        }
    };
    secrets::ALL.iter().map(look).collect()
}

/// Whether every key is there that something is sealed with.
pub(super) fn sealed(folder: &Path) -> Vec<Finding> {
    const CHECK: &str = "keys";
    if !Database::Actors.path(folder).exists() {
        return Vec::new();
    }
    // What cannot be read is told of by itself.
    let Ok(lost) = calendars::lost_keys(folder) else {
        return Vec::new();
    };
    let file = calendars::KEYS;
    if lost.is_empty() {
        let found = format!("{file} has every key that something is sealed with");
        return vec![Finding::ok(CHECK, found)];
    }
    let found = format!(
        "{file} lacks what calendars, addresses or webhooks are sealed with: {}",
        lost.join(", ")
    );
    let advice = "put the lines of these keys back, below the others, from a backup of the file; if there is none, people \
                  have to connect their calendars again, and to enter their addresses and webhooks";
    vec![Finding::fail(CHECK, found, advice)]
}

pub(super) fn databases(folder: &Path) -> Vec<Finding> {
    let there = Database::ALL.into_iter();
    there
        .filter(|database| database.path(folder).exists())
        .map(|database| condition(database, folder))
        .collect()
}

fn condition(database: Database, folder: &Path) -> Finding {
    const CHECK: &str = "database";
    const RESTORE: &str = "stop `huddle serve` and restore a backup, as the operator's guide says";
    let file = database.file_name();
    let condition = match database.condition(&database.path(folder)) {
        Ok(condition) => condition,
        Err(error) => return Finding::fail(CHECK, error.to_string(), RESTORE),
    };
    if let Some(problem) = condition.problems.first() {
        return Finding::fail(CHECK, format!("{file} is damaged: {problem}"), RESTORE);
    }
    if !condition.missing.is_empty() {
        let missing = condition.missing.join(", ");
        return Finding::warn(
            CHECK,
            format!("{file} lacks {missing}"),
            "`huddle migrate` brings it up to date, and so does `huddle serve` when it starts",
        );
    }
    let rows = condition.counts.iter();
    let rows: Vec<_> = rows.map(|(name, n)| format!("{n} {name}")).collect();
    let found = format!(
        "{file} is intact: {}, {} KiB",
        rows.join(", "),
        condition.bytes >> 10
    );
    Finding::ok(CHECK, found)
}

/// What is to be done outside: how much of it was given up, and how long the rest has been due.
pub(super) fn outbox(folder: &Path) -> Vec<Finding> {
    const CHECK: &str = "outbox";
    if !Database::Actors.path(folder).exists() {
        return Vec::new();
    }
    // A database that cannot be read is told of by itself.
    let Ok(backlog) = Backlog::read(folder) else {
        return Vec::new();
    };
    let late = backlog.oldest.map(|due| SystemClock.now().since(due));
    let waiting = format!("{} tasks wait", backlog.waiting);
    let mut findings = vec![match late {
        Some(late) if late > LATE => Finding::warn(
            CHECK,
            format!("{waiting}, one of them since {} min", late.as_secs() / 60),
            "`huddle serve` does them: start it, or look into its log",
        ),
        _ => Finding::ok(CHECK, waiting),
    }];
    if backlog.dead > 0 {
        findings.push(Finding::warn(
            CHECK,
            format!("{} tasks were given up", backlog.dead),
            "`huddle jobs list` says which, and `huddle jobs retry` has them tried again",
        ));
    }
    findings
}

pub(super) fn bookings(folder: &Path) -> Vec<Finding> {
    const CHECK: &str = "bookings";
    let is_there = |database: Database| database.path(folder).exists();
    if !Database::ALL.into_iter().all(is_there) {
        return Vec::new();
    }
    match Contradiction::find(folder, SystemClock.now()) {
        Ok(found) if found.is_empty() => vec![Finding::ok(CHECK, "no contradictions")],
        Ok(found) => found.iter().take(TOLD).map(contradiction).collect(),
        Err(error) => vec![Finding::fail(
            CHECK,
            error.to_string(),
            "see what is said of the databases",
        )],
    }
}

fn contradiction(found: &Contradiction) -> Finding {
    const CHECK: &str = "bookings";
    match found {
        Contradiction::Behind(_) => Finding::warn(
            CHECK,
            found.to_string(),
            "lists show something old until the booking changes",
        ),
        _ => Finding::fail(
            CHECK,
            found.to_string(),
            "`huddle bookings show` says what happened to it; this must not happen: report it",
        ),
    }
}

pub(super) fn time_zones() -> Finding {
    let today = Zone::UTC.date(SystemClock.now()).to_string();
    zones_of(Zone::database_version(), &today)
}

/// What there is to say of a release of the database on a day.
fn zones_of(version: &str, today: &str) -> Finding {
    const CHECK: &str = "time zones";
    let year = |text: &str| text.get(..4).and_then(|year| year.parse::<i32>().ok());
    match (year(version), year(today)) {
        (Some(released), Some(now)) if now - released > 1 => Finding::warn(
            CHECK,
            format!("the database is release {version}"),
            "rules of zones change every year: run a newer version of huddle",
        ),
        _ => Finding::ok(CHECK, format!("the database is release {version}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn rules_of_zones_are_old_from_the_year_after_the_next() {
        for (today, verdict) in [
            ("2026-11-23", Verdict::Ok),
            ("2027-12-31", Verdict::Ok),
            ("2028-01-01", Verdict::Warn),
        ] {
            assert_eq!(zones_of("2026e", today).verdict, verdict, "{today}");
        }
    }
}
