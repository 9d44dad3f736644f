//! How far each host's stream has been taken, and so which cursor may be kept.

use std::collections::BTreeSet;

/// Where an event stands: a number of one host's stream.
///
/// A host that lost its numbering begins another one, in which the old numbers mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) host: usize,
    numbering: u32,
    pub(super) seq: i64,
}

impl Place {
    /// Whether it is of the same stream as another, so that their numbers can be compared.
    pub(super) fn is_of_stream(self, other: Self) -> bool {
        (self.host, self.numbering) == (other.host, other.numbering)
    }
}

/// The streams of all hosts.
///
/// The cursor of a host is the number before the lowest that is still being worked on, or the newest number that came,
/// where nothing is. So it is never ahead of work that is not done, and gaps in the numbers mean nothing to it.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    streams: Vec<Stream>,
}

#[derive(Clone, Debug, Default)]
struct Stream {
    numbering: u32,
    /// The newest number that came, or that an earlier process kept.
    newest: Option<i64>,
    /// What is being worked on, by numbering and number.
    working: BTreeSet<(u32, i64)>,
    /// How many gaps nobody has taken note of yet: until then the cursor stays, so that they are found again.
    gaps: usize,
    kept: Option<i64>,
}

impl Progress {
    /// Streams of hosts from these cursors on.
    pub(super) fn new(cursors: impl IntoIterator<Item = Option<i64>>) -> Self {
        let stream = |cursor| Stream {
            newest: cursor,
            kept: cursor,
            ..Stream::default()
        };
        Self {
            streams: cursors.into_iter().map(stream).collect(),
        }
    }

    /// Where to go on reading, if anything has been read.
    pub(super) fn newest(&self, host: usize) -> Option<i64> {
        self.streams[host].newest
    }

    /// Takes the number of something that came. `false` if it came before.
    pub(super) fn pass(&mut self, host: usize, seq: i64) -> bool {
        let stream = &mut self.streams[host];
        if stream.newest.is_some_and(|newest| seq <= newest) {
            return false;
        }
        stream.newest = Some(seq);
        true
    }

    /// Keeps the cursor below the number that came last, until its work is [finished](Self::finish).
    pub(super) fn begin(&mut self, host: usize, seq: i64) -> Place {
        let stream = &mut self.streams[host];
        stream.working.insert((stream.numbering, seq));
        Place {
            host,
            numbering: stream.numbering,
            seq,
        }
    }

    /// The work of a place is done.
    pub(super) fn finish(&mut self, place: Place) {
        let working = &mut self.streams[place.host].working;
        working.remove(&(place.numbering, place.seq));
    }

    /// Nobody knows what came since the cursor: it stays where it is until somebody takes note.
    pub(super) fn open_gap(&mut self, host: usize) {
        self.streams[host].gaps += 1;
    }

    pub(super) fn close_gap(&mut self, host: usize) {
        let gaps = &mut self.streams[host].gaps;
        *gaps = gaps.saturating_sub(1);
    }

    /// The host does not know our numbers: what comes next has others.
    pub(super) fn renumber(&mut self, host: usize) {
        let stream = &mut self.streams[host];
        stream.numbering = stream.numbering.wrapping_add(1);
        stream.newest = None;
        stream.kept = None;
    }

    /// The cursor to keep, if it is another than the one that is kept.
    pub(super) fn unkept(&self, host: usize) -> Option<i64> {
        let stream = &self.streams[host];
        let cursor = stream.cursor()?;
        (stream.kept != Some(cursor)).then_some(cursor)
    }

    /// The cursor of a host has been handed out to be kept.
    pub(super) fn keep(&mut self, host: usize, cursor: i64) {
        self.streams[host].kept = Some(cursor);
    }

    pub(super) fn hosts(&self) -> std::ops::Range<usize> {
        0..self.streams.len()
    }
}

impl Stream {
    fn cursor(&self) -> Option<i64> {
        if self.gaps > 0 {
            return None;
        }
        match self.working.first() {
            // Of numbers that mean nothing any more; only a cursor from before them finds that work again.
            Some((numbering, _)) if *numbering != self.numbering => None,
            Some((_, seq)) => Some(seq - 1),
            None => self.newest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(progress: &Progress) -> Option<i64> {
        progress.streams[0].cursor()
    }

    fn came(progress: &mut Progress, seq: i64) -> Place {
        assert!(progress.pass(0, seq), "{seq} came before");
        progress.begin(0, seq)
    }

    #[test]
    fn the_cursor_stays_below_the_lowest_number_that_is_worked_on() {
        let mut progress = Progress::new([None]);
        assert_eq!(cursor(&progress), None);
        let (five, nine) = (came(&mut progress, 5), came(&mut progress, 9));
        assert_eq!(cursor(&progress), Some(4));
        progress.finish(nine);
        assert_eq!(cursor(&progress), Some(4));
        progress.finish(five);
        assert_eq!(cursor(&progress), Some(9));
    }

    #[test]
    fn what_needs_no_work_moves_the_cursor_on() {
        let mut progress = Progress::new([Some(3)]);
        assert!(progress.pass(0, 8));
        assert_eq!(cursor(&progress), Some(8));
    }

    #[test]
    fn what_came_before_is_told_from_what_is_new() {
        let mut progress = Progress::new([Some(3)]);
        assert!(!progress.pass(0, 3));
        assert!(progress.pass(0, 4));
        assert!(!progress.pass(0, 4));
    }

    #[test]
    fn the_cursor_stays_while_a_gap_is_open() {
        let mut progress = Progress::new([Some(3)]);
        progress.open_gap(0);
        assert!(progress.pass(0, 70));
        assert_eq!(cursor(&progress), None);
        progress.close_gap(0);
        assert_eq!(cursor(&progress), Some(70));
    }

    #[test]
    fn work_of_an_old_numbering_keeps_the_cursor_from_numbers_of_the_new_one() {
        let mut progress = Progress::new([None]);
        let old = came(&mut progress, 100);
        progress.renumber(0);
        let new = came(&mut progress, 2);
        assert_eq!(cursor(&progress), None);
        progress.finish(old);
        assert_eq!(cursor(&progress), Some(1));
        progress.finish(new);
        assert_eq!(cursor(&progress), Some(2));
    }

    #[test]
    fn a_cursor_is_handed_out_once() {
        let mut progress = Progress::new([Some(3)]);
        assert_eq!(progress.unkept(0), None);
        progress.pass(0, 4);
        assert_eq!(progress.unkept(0), Some(4));
        progress.keep(0, 4);
        assert_eq!(progress.unkept(0), None);
    }
}
