//! What a `TZID` means.
//!
//! In this order: a name of the IANA database, with or without what some programs put before it; a name of
//! Windows; the `VTIMEZONE` of the file; an offset as a name, such as `UTC+11`. So where a file's own rules disagree
//! with the database under a name that the database knows, the database is right: files carry rules that are years
//! old, or cut down to what one program can say.

use super::component::Component;
use super::value::{self, Written};
use super::windows;
use crate::Zone;
use crate::recurrence::{Exhausted, Frequency, Rule, Until};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use huddle_ports::Timestamp;

/// No zone has a longer name, whatever is put before it.
const MAX_NAME: usize = 255;

/// The zone of a `TZID` that needs no rules of the file.
pub(super) fn known(tzid: &str) -> Option<Zone> {
    let name = tzid.trim().trim_matches('"').trim();
    if name.len() > MAX_NAME {
        return None;
    }
    if let Some(zone) = iana(name) {
        return Some(zone);
    }
    let windows = windows::iana_name(name).and_then(|name| name.parse().ok());
    windows.or_else(|| {
        let microsoft_utc = name.eq_ignore_ascii_case("tzone://Microsoft/Utc");
        (microsoft_utc || name.eq_ignore_ascii_case("Z")).then_some(Zone::UTC)
    })
}

/// The IANA zone with this name, or at the end of it behind a `/`: `/mozilla.org/20070129_1/Europe/Berlin`. A
/// name of one word must be all there is. Case does not matter.
fn iana(name: &str) -> Option<Zone> {
    let whole = name.strip_prefix('/').unwrap_or(name);
    if let Some(zone) = Zone::ignoring_case(whole) {
        return Some(zone);
    }
    let ends = whole
        .match_indices('/')
        .map(|(slash, _)| &whole[slash + 1..]);
    ends.filter(|end| end.contains('/'))
        .find_map(Zone::ignoring_case)
}

/// Seconds east of UTC, from a name such as `UTC+11`, `GMT-0330` or `(GMT +01:00)`.
pub(super) fn offset_in_name(tzid: &str) -> Option<i32> {
    let name = tzid.trim().trim_start_matches('(');
    let name = name.split(')').next().unwrap_or_default();
    let offset = name
        .strip_prefix("UTC")
        .or_else(|| name.strip_prefix("GMT"))?;
    let offset: String = offset.chars().filter(|c| !" :".contains(*c)).collect();
    let (sign, digits) = offset
        .split_at_checked(1)
        .filter(|(sign, _)| "+-".contains(sign))?;
    let padded = match digits.len() {
        1 => format!("{sign}0{digits}00"),
        2 => format!("{sign}{digits}00"),
        3 => format!("{sign}0{digits}"),
        _ => offset,
    };
    value::utc_offset(&padded)
}

/// A zone as a file describes it: the observances of a `VTIMEZONE`.
#[derive(Clone, Debug, Default)]
pub(super) struct FileZone {
    observances: Vec<Observance>,
}

/// `STANDARD` or `DAYLIGHT`: when the clock changes, and how.
#[derive(Clone, Debug)]
struct Observance {
    /// By the clock before the change, as are `dates`.
    start: NaiveDateTime,
    from: i32,
    to: i32,
    rules: Vec<Rule>,
    dates: Vec<NaiveDateTime>,
}

/// How many changes of the clock a zone of a file is read for at most; more would be none of this world.
const MAX_CHANGES: usize = 4096;

impl FileZone {
    /// A zone that is always so many seconds east of UTC.
    pub(super) fn fixed(offset: i32) -> Self {
        let observance = Observance {
            start: NaiveDateTime::default(),
            from: offset,
            to: offset,
            rules: Vec::new(),
            dates: Vec::new(),
        };
        Self {
            observances: vec![observance],
        }
    }

    /// `None` without an observance that can be read: then the file does not say what the zone is.
    pub(super) fn read(component: &Component<'_>) -> Option<Self> {
        let observances: Option<Vec<_>> = component
            .components
            .iter()
            .filter(|part| part.is("STANDARD") || part.is("DAYLIGHT"))
            .map(Observance::read)
            .collect();
        observances
            .filter(|observances| !observances.is_empty())
            .map(|observances| Self { observances })
    }

    /// The clock between two moments and a year around; farther away it stands still. Takes of `steps`.
    pub(super) fn clock(
        &self,
        from: NaiveDateTime,
        to: NaiveDateTime,
        steps: &mut u64,
    ) -> Result<FileClock, Exhausted> {
        let year = TimeDelta::days(366);
        let from = from.checked_sub_signed(year).unwrap_or(from);
        let to = to.checked_add_signed(year).unwrap_or(to);
        let mut changes = Vec::new();
        for observance in &self.observances {
            observance.changes(from, to, steps, &mut changes)?;
            if changes.len() > MAX_CHANGES {
                return Err(Exhausted);
            }
        }
        changes.sort_unstable_by_key(|change: &Change| change.instant());
        changes.dedup();
        Ok(FileClock { changes })
    }
}

impl Observance {
    fn read(part: &Component<'_>) -> Option<Self> {
        let local = |text: &str| match value::date_or_time(text)? {
            Written::Date(date) => Some(date.into()),
            Written::Local(time) | Written::Utc(time) => Some(time),
        };
        let offset = |name| value::utc_offset(part.property(name)?.value());
        let mut rules = Vec::new();
        let mut dates = Vec::new();
        for property in &part.properties {
            if property.is("RRULE") {
                rules.push(property.value().parse().ok()?);
            } else if property.is("RDATE") {
                let values = property.value().split(',').filter(|v| !v.trim().is_empty());
                for value in values {
                    dates.push(local(value.split('/').next()?)?);
                }
            }
        }
        Some(Self {
            start: local(part.property("DTSTART")?.value())?,
            from: offset("TZOFFSETFROM")?,
            to: offset("TZOFFSETTO")?,
            rules,
            dates,
        })
    }

    /// Adds the changes between two local times, and the last one before.
    fn changes(
        &self,
        from: NaiveDateTime,
        to: NaiveDateTime,
        steps: &mut u64,
        changes: &mut Vec<Change>,
    ) -> Result<(), Exhausted> {
        let change = |local| Change {
            local,
            from: self.from,
            to: self.to,
        };
        let given = self.dates.iter().copied().chain([self.start]);
        // Of those before, the last tells how late it is then; all of them are few.
        changes.extend(
            given
                .filter(|local| *local < to)
                .take(MAX_CHANGES)
                .map(change),
        );
        for rule in &self.rules {
            // UTC in an observance's UNTIL is told by the clock before the change.
            let last = match rule.until() {
                Some(Until::Utc(time)) => time + TimeDelta::seconds(self.from.into()),
                Some(until) => until.last(),
                None => to,
            };
            // A rule that has ended or pauses is in force still: what it said last counts.
            let from = last
                .min(from)
                .checked_sub_signed(reach(rule))
                .unwrap_or(from);
            let mut occurrences = rule
                .occurrences(self.start)
                .until(last)
                .from(from)
                .to(to)
                .steps(*steps);
            let result = occurrences
                .by_ref()
                .take(MAX_CHANGES)
                .try_for_each(|local| {
                    changes.push(change(local?));
                    Ok(())
                });
            // What failed has cost no less.
            *steps = occurrences.steps_left();
            result?;
        }
        Ok(())
    }
}

/// How far apart the occurrences of a rule may well be.
fn reach(rule: &Rule) -> TimeDelta {
    match rule.frequency() {
        Frequency::Yearly => TimeDelta::days(366 * 8),
        _ => TimeDelta::days(366),
    }
}

/// One change of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    /// By the clock before the change.
    local: NaiveDateTime,
    from: i32,
    to: i32,
}

impl Change {
    /// In seconds since 1970.
    fn instant(&self) -> i64 {
        self.local.and_utc().timestamp() - i64::from(self.from)
    }
}

/// The changes of a zone's clock in a stretch of time, in order.
#[derive(Clone, Debug)]
pub(super) struct FileClock {
    changes: Vec<Change>,
}

impl FileClock {
    /// As [`Zone::instant`]: what a change skips shifts forward, of what it repeats the first counts.
    pub(super) fn instant(&self, local: NaiveDateTime) -> Timestamp {
        let seconds = local.and_utc().timestamp();
        let changed = self.changes.partition_point(|change| change.local <= local);
        let offset = match changed.checked_sub(1).map(|last| self.changes[last]) {
            Some(last) => {
                let skipped = i64::from(last.to - last.from);
                let since = seconds - last.local.and_utc().timestamp();
                if since < skipped { last.from } else { last.to }
            }
            None => self.changes.first().map_or(0, |first| first.from),
        };
        Timestamp::from_secs(seconds - i64::from(offset)).unwrap_or(Timestamp::MAX)
    }

    /// As [`Zone::local`].
    pub(super) fn local(&self, moment: Timestamp) -> NaiveDateTime {
        let seconds = moment.as_secs();
        let changed = self
            .changes
            .partition_point(|change| change.instant() <= seconds);
        let offset = match changed.checked_sub(1) {
            Some(last) => self.changes[last].to,
            None => self.changes.first().map_or(0, |first| first.from),
        };
        DateTime::from_timestamp(seconds + i64::from(offset), 0)
            .unwrap_or_default()
            .naive_utc()
    }
}
