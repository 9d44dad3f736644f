//! What stands in a person's way, made ready to be asked for many slots in order.

use std::time::Duration;

use huddle_ports::Timestamp;

use super::{Calendar, Margins, Meeting, Party};
use crate::interval::{Interval, IntervalSet, advance};

/// A person's time, made ready.
#[derive(Debug)]
pub(crate) struct Way<'a> {
    readable: bool,
    busy: &'a [Interval],
    margins: Margins,
    /// Meetings with what has to be free around them, both theirs and the new one's.
    guarded: IntervalSet,
    full_days: IntervalSet,
    full_weeks: IntervalSet,
    open: Option<&'a [Interval]>,
}

/// How far a sweep in the order of starts has come in each list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    busy: usize,
    guarded: usize,
    full_days: usize,
    full_weeks: usize,
    open: usize,
}

/// Why a person cannot come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    Unreadable,
    Closed,
    Busy(Interval),
    /// With what has to be free around it.
    Meeting(Interval),
    FullDay,
    FullWeek,
}

impl<'a> Way<'a> {
    /// What stands in the way of `party` at `now`, the booking `moving` left out.
    pub(crate) fn new(party: &Party<'a>, now: Timestamp, moving: Option<&str>) -> Self {
        let meetings = live(party.meetings, now, moving);
        let guarded = meetings.iter().map(|meeting| {
            let own = meeting.margins;
            let before = own.before_minutes.max(party.margins.after_minutes);
            let after = own.after_minutes.max(party.margins.before_minutes);
            meeting.interval.widened(minutes(before), minutes(after))
        });
        let guarded = guarded.collect();
        let hosted: Vec<_> = meetings
            .iter()
            .filter(|meeting| meeting.hosted && party.role.hosts())
            .map(|meeting| meeting.interval.start())
            .collect();
        let [full_days, full_weeks] = party.caps.full(party.zone, &hosted);
        Self {
            readable: !matches!(party.calendar, Calendar::Unreadable),
            busy: match party.calendar {
                Calendar::Known(busy) => busy.as_slice(),
                Calendar::None | Calendar::Unreadable => &[],
            },
            margins: party.margins,
            guarded,
            full_days,
            full_weeks,
            open: party.open.map(IntervalSet::as_slice),
        }
    }

    /// What is in the way of a slot, if anything. `place` has served earlier slots only, or those that start then too.
    pub(crate) fn obstacle(&self, slot: Interval, place: &mut Place) -> Option<Obstacle> {
        if !self.readable {
            return Some(Obstacle::Unreadable);
        }
        if let Some(open) = self.open {
            place.open = advance(open, place.open, slot.start());
            if !open.get(place.open).is_some_and(|open| open.covers(slot)) {
                return Some(Obstacle::Closed);
            }
        }
        if let Some(busy) = self.busy_around(slot, place) {
            return Some(Obstacle::Busy(busy));
        }
        let in_way = |set: &IntervalSet, at: &mut usize, slot: Interval| {
            *at = advance(set.as_slice(), *at, slot.start());
            let next = set.as_slice().get(*at).copied();
            next.filter(|next| next.start() < slot.end())
        };
        if let Some(meeting) = in_way(&self.guarded, &mut place.guarded, slot) {
            return Some(Obstacle::Meeting(meeting));
        }
        let starts_in = |set: &IntervalSet, at: &mut usize| {
            in_way(set, at, slot).is_some_and(|full| full.contains(slot.start()))
        };
        if starts_in(&self.full_days, &mut place.full_days) {
            return Some(Obstacle::FullDay);
        }
        starts_in(&self.full_weeks, &mut place.full_weeks).then_some(Obstacle::FullWeek)
    }

    /// The busy time that a slot with its margins meets.
    fn busy_around(&self, slot: Interval, place: &mut Place) -> Option<Interval> {
        let Margins {
            before_minutes,
            after_minutes,
        } = self.margins;
        let wide = slot.widened(minutes(before_minutes), minutes(after_minutes));
        place.busy = advance(self.busy, place.busy, wide.start());
        let next = self.busy.get(place.busy).copied();
        next.filter(|busy| busy.start() < wide.end())
    }

    /// How long the person is free before and after a slot that nothing is in the way of, and for which `place` was
    /// used last, but for margins; `None` where nothing follows or precedes.
    pub(crate) fn room(&self, slot: Interval, place: &Place) -> (Option<i64>, Option<i64>) {
        let lists = [
            (self.busy, place.busy),
            (self.guarded.as_slice(), place.guarded),
        ];
        let mut room = (None::<i64>, None::<i64>);
        let closest =
            |known: Option<i64>, gap: i64| Some(known.map_or(gap, |known| known.min(gap)));
        for (list, next) in lists {
            if let Some(previous) = next.checked_sub(1).and_then(|previous| list.get(previous)) {
                let gap = slot
                    .start()
                    .as_millis()
                    .saturating_sub(previous.end().as_millis());
                room.0 = closest(room.0, gap);
            }
            if let Some(next) = list.get(next) {
                let gap = next
                    .start()
                    .as_millis()
                    .saturating_sub(slot.end().as_millis());
                room.1 = closest(room.1, gap);
            }
        }
        room
    }
}

/// The meetings that stand in somebody's way at `now`. A booking that is told of twice is one meeting, with whatever
/// asks for more of what is told.
fn live<'a>(meetings: &[Meeting<'a>], now: Timestamp, moving: Option<&str>) -> Vec<Meeting<'a>> {
    let live = |meeting: &&Meeting<'_>| meeting.is_live(now) && Some(meeting.id) != moving;
    let mut meetings: Vec<_> = meetings.iter().filter(live).copied().collect();
    meetings.sort_unstable_by_key(|meeting| (meeting.id, meeting.interval));
    meetings.dedup_by(|next, kept| {
        let is_same = (next.id, next.interval) == (kept.id, kept.interval);
        if is_same {
            kept.margins = kept.margins.larger(next.margins);
            kept.hosted |= next.hosted;
        }
        is_same
    });
    meetings
}

fn minutes(minutes: u16) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}
