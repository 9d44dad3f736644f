//! The offsets of a zone over a stretch of time, looked up once for each change and not for each moment.

use huddle_ports::Timestamp;

use super::Zone;
use crate::interval::Interval;

/// From when on which offset holds, in milliseconds ahead of UTC; never empty.
#[derive(Clone, Debug)]
pub(crate) struct Offsets(Vec<(Timestamp, i64)>);

impl Offsets {
    /// The offsets over an interval.
    pub(crate) fn new(zone: Zone, within: Interval) -> Self {
        let first = (within.start(), zone.offset_millis(within.start()));
        Self([first].into_iter().chain(zone.changes(within)).collect())
    }

    /// The offset at a moment; before the first and after the last change that are known, theirs.
    pub(crate) fn at(&self, moment: Timestamp) -> i64 {
        let mut offset = self.0[0].1;
        for (from, next) in &self.0[1..] {
            if moment < *from {
                break;
            }
            offset = *next;
        }
        offset
    }

    /// The local time at a moment, in milliseconds since 1970 as clocks show them.
    pub(crate) fn local_millis(&self, moment: Timestamp) -> i64 {
        moment.as_millis() + self.at(moment)
    }

    /// An interval cut where the offset changes, each piece with its offset.
    pub(crate) fn pieces(&self, interval: Interval) -> impl Iterator<Item = (Interval, i64)> + '_ {
        let ends = self.0[1..].iter().map(|(from, _)| *from);
        let ends = ends.chain([interval.end()]);
        let mut start = interval.start();
        ends.filter_map(move |end| {
            let piece = Interval::new(start, end.min(interval.end()))?;
            start = piece.end();
            Some((piece, self.at(piece.start())))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::zone::database;

    fn years(from: i32, until: i32) -> Interval {
        let at = |year| Zone::UTC.midnight(chrono::NaiveDate::from_ymd_opt(year, 1, 1).unwrap());
        Interval::new(at(from), at(until)).unwrap()
    }

    #[test]
    fn every_zone_has_the_offsets_of_the_database() {
        let years = if huddle_testdata::is_full() {
            years(1970, 2040)
        } else {
            years(2024, 2028)
        };
        for zone in database::all().map(Zone) {
            let offsets = Offsets::new(zone, years);
            let mut moment = years.start();
            // Not a divisor of a day, so that the hours of the day differ.
            while moment < years.end() {
                assert_eq!(
                    offsets.at(moment),
                    zone.offset_millis(moment),
                    "{zone} at {moment:?}"
                );
                moment = moment + Duration::from_hours(7);
            }
        }
    }

    #[test]
    fn pieces_are_cut_at_the_changes() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let year = years(2026, 2027);
        let pieces: Vec<_> = Offsets::new(zone, year)
            .pieces(year)
            .map(|(piece, offset)| (piece.start().as_secs(), offset / 3_600_000))
            .collect();
        assert_eq!(
            pieces,
            [(1_767_225_600, 1), (1_774_746_000, 2), (1_792_890_000, 1)]
        );
    }
}
