//! Expands series into a window, within the limits for all of them together.

use super::master::{Candidate, Key, Master};
use super::scene::{Scene, TooMuch};
use super::{Expansion, Kind, Occurrence, Problem, Series, Trouble, name_of};
use crate::Interval;
use crate::icalendar::event::{Clock, Ending, Event, FreeBusy, Instead, Moment};
use crate::icalendar::value::Lasting;
use chrono::{NaiveDateTime, TimeDelta};
use huddle_ports::Timestamp;

/// Local times are never farther apart than this for being in different zones.
const SLACK: TimeDelta = TimeDelta::days(2);

/// What takes the place of what in a series.
struct Instances {
    /// Which occurrences others stand for, and who does, in order.
    instead: Vec<(Key, usize)>,
    /// In order.
    futures: Vec<Future>,
    /// The longest that any of `futures` lasts, and the farthest that it moves anything.
    reach: TimeDelta,
}

/// An event that stands for an occurrence and all after it: `RANGE=THISANDFUTURE`.
struct Future {
    from: NaiveDateTime,
    event: usize,
    /// By how much it moves them (RFC 5545 §3.8.4.4).
    shift: TimeDelta,
    length: Lasting,
}

/// Finds what there is in the window, series by series.
pub(super) struct Expander<'s, 'a, 'd> {
    scene: &'s Scene<'a, 'd>,
    steps: u64,
    /// Used again for each event.
    candidates: Vec<Candidate>,
    found: Expansion<'d>,
}

impl<'s, 'a, 'd> Expander<'s, 'a, 'd> {
    pub(super) fn new(scene: &'s Scene<'a, 'd>) -> Self {
        Self {
            scene,
            steps: scene.steps,
            candidates: Vec::new(),
            found: Expansion::default(),
        }
    }

    pub(super) fn finish(mut self) -> Expansion<'d> {
        let occurrences = &mut self.found.occurrences;
        occurrences.sort_by_key(|occurrence| (occurrence.start, occurrence.event));
        self.found
    }

    fn event(&self, place: usize) -> &'s Event<'d> {
        &self.scene.agenda.events[place]
    }

    /// Adds what a series has in the window. What of it cannot be read, or is too much, is blocked.
    pub(super) fn add(&mut self, series: &Series) {
        for &place in series.masters.iter().chain(&series.instead) {
            if let Err(fault) = &self.event(place).times {
                let from = fault
                    .from
                    .and_then(|start| self.scene.instant(start, self.event(place).home).ok());
                self.block(place, fault.into(), from);
            }
        }
        if self.add_readable(series).is_err() {
            for &place in series.masters.iter().chain(&series.instead) {
                self.block(place, Trouble::TooMuch, None);
            }
        }
    }

    fn add_readable(&mut self, series: &Series) -> Result<(), TooMuch> {
        let lead = series
            .masters
            .first()
            .map(|&lead| Master::new(self.scene, lead));
        let Some(lead) = lead.transpose()?.flatten() else {
            return self.add_singles(series);
        };
        let instances = self.instances(series, &lead)?;
        for &(_, place) in &instances.instead {
            if let Ok(times) = &self.event(place).times {
                let length =
                    self.scene
                        .length(times.start, times.ending, self.event(place).home)?;
                self.emit(place, times.start, times.start.local, length)?;
            }
        }
        self.add_master(&lead, &instances)?;
        for &place in series.masters.iter().skip(1) {
            if let Some(master) = Master::new(self.scene, place)? {
                self.add_master(&master, &instances)?;
            }
        }
        Ok(())
    }

    /// Adds events that stand for occurrences of an event that is not there, or cannot be read.
    fn add_singles(&mut self, series: &Series) -> Result<(), TooMuch> {
        for &place in &series.instead {
            if let Ok(times) = &self.event(place).times {
                let length =
                    self.scene
                        .length(times.start, times.ending, self.event(place).home)?;
                self.emit(place, times.start, times.start.local, length)?;
            }
        }
        Ok(())
    }

    /// What takes the place of what: of several for one occurrence, the highest `SEQUENCE`, then the last in the
    /// file. What is older than the master counts only for what the master still has.
    fn instances(&mut self, series: &Series, lead: &Master<'s, 'd>) -> Result<Instances, TooMuch> {
        let mut instead: Vec<(Key, usize)> = Vec::with_capacity(series.instead.len());
        for &place in &series.instead {
            let event = self.event(place);
            let Some(Instead { of, .. }) = event.instead else {
                continue;
            };
            let key = lead.key(self.scene, of)?;
            if event.sequence >= lead.event.sequence
                || lead.occurs(self.scene, key, &mut self.steps)?
            {
                instead.push((key, place));
            }
        }
        let newest_first = |&(key, place): &(Key, usize)| {
            (key, std::cmp::Reverse((self.event(place).sequence, place)))
        };
        instead.sort_unstable_by_key(newest_first);
        instead.dedup_by_key(|(key, _)| *key);
        let mut futures = Vec::new();
        for &(_, place) in &instead {
            futures.extend(self.future(place, lead)?);
        }
        futures.sort_by_key(|future| future.from);
        let reach = futures
            .iter()
            .map(|future| future.length.roughly().abs() + future.shift.abs());
        let reach = reach.max().unwrap_or_default();
        Ok(Instances {
            instead,
            futures,
            reach,
        })
    }

    fn future(&self, place: usize, lead: &Master<'s, 'd>) -> Result<Option<Future>, TooMuch> {
        let event = self.event(place);
        let (Some(instead), Ok(times)) = (event.instead.filter(|i| i.and_future), &event.times)
        else {
            return Ok(None);
        };
        let from = lead.local(self.scene, instead.of)?;
        let start = lead.local(self.scene, times.start)?;
        Ok(Some(Future {
            from,
            event: place,
            shift: start - from,
            length: self.scene.length(times.start, times.ending, event.home)?,
        }))
    }

    fn add_master(
        &mut self,
        master: &Master<'s, 'd>,
        instances: &Instances,
    ) -> Result<(), TooMuch> {
        let (scene, times) = (self.scene, master.times);
        if self.found.occurrences.len() >= scene.agenda.limits.all_occurrences {
            return Err(TooMuch);
        }
        let length = scene.length(times.start, times.ending, master.event.home)?;
        let reach = length.roughly().abs() + instances.reach + SLACK;
        let from = master.hands.local(scene.window.start());
        let from = from.checked_sub_signed(reach).unwrap_or(NaiveDateTime::MIN);
        let to = master.hands.local(scene.window.end());
        let to = to
            .checked_add_signed(instances.reach + SLACK)
            .unwrap_or(NaiveDateTime::MAX);
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        let result = master.candidates(scene, from, to, &mut self.steps, &mut candidates);
        let result = result.and_then(|()| {
            candidates
                .iter()
                .try_for_each(|candidate| self.add_candidate(master, instances, length, *candidate))
        });
        self.candidates = candidates;
        result
    }

    fn add_candidate(
        &mut self,
        master: &Master<'s, 'd>,
        instances: &Instances,
        length: Lasting,
        candidate: Candidate,
    ) -> Result<(), TooMuch> {
        let local = candidate.local;
        let instead = master.find(&instances.instead, local, |(key, _)| *key);
        if master.is_excepted(local) || instead.is_some() {
            return Ok(());
        }
        let after = instances
            .futures
            .partition_point(|future| future.from <= local);
        let (event, shift, length) = match after.checked_sub(1).map(|last| &instances.futures[last])
        {
            Some(future) => (future.event, future.shift, future.length),
            None => (master.place, TimeDelta::zero(), length),
        };
        let Some(local) = local.checked_add_signed(shift) else {
            return Ok(());
        };
        self.emit(
            event,
            master.times.start,
            local,
            candidate.length.unwrap_or(length),
        )
    }

    /// Adds what an event is at from a local time on, if any of it is in the window.
    fn emit(
        &mut self,
        place: usize,
        start: Moment,
        local: NaiveDateTime,
        length: Lasting,
    ) -> Result<(), TooMuch> {
        let event = self.event(place);
        let hands = self.scene.hands(start.clock, event.home)?;
        let first = hands.instant(local);
        let days = TimeDelta::days(length.days);
        let last_day = local.checked_add_signed(days).unwrap_or(NaiveDateTime::MAX);
        let after_days = if length.days == 0 {
            first
        } else {
            hands.instant(last_day)
        };
        let millis = after_days
            .as_millis()
            .saturating_add(length.seconds.saturating_mul(1000));
        // An end before the start is a start after the end.
        let other = Timestamp::from_millis(millis);
        let (start_at, end_at) = (first.min(other), first.max(other));
        let window = self.scene.window;
        let is_in = start_at < window.end()
            && (end_at > window.start() || start_at == end_at && start_at == window.start());
        if !is_in {
            return Ok(());
        }
        if self.found.occurrences.len() >= self.scene.agenda.limits.all_occurrences {
            return Err(TooMuch);
        }
        let kind = match start.clock {
            Clock::Date if length.seconds == 0 => Kind::AllDay {
                first: local.min(last_day).date(),
                end: local.max(last_day).date(),
            },
            Clock::Floating => Kind::Floating {
                start: local,
                end: hands.local(end_at),
            },
            _ => Kind::Zoned,
        };
        self.found.occurrences.push(Occurrence {
            component: event.component,
            start: start_at,
            end: end_at,
            kind,
            event: place,
        });
        Ok(())
    }

    /// Counts all the time that an event may take, from some moment if that is known.
    fn block(&mut self, place: usize, trouble: Trouble, from: Option<Timestamp>) {
        let window = self.scene.window;
        let from = from.unwrap_or(window.start()).max(window.start());
        if let Some(interval) = Interval::new(from, window.end()) {
            self.found.blocked.push((place, interval));
            let uid = name_of(self.event(place).uid);
            self.found.problems.push(Problem { uid, trouble });
        }
    }

    pub(super) fn add_free_busy(&mut self, free_busy: &FreeBusy<'d>) {
        let window = self.scene.window;
        let periods = match &free_busy.periods {
            Ok(periods) => self
                .periods(periods, free_busy.home)
                .map_err(|TooMuch| Trouble::TooMuch),
            Err(fault) => Err(fault.into()),
        };
        match periods {
            Ok(periods) => self.found.periods.extend(periods),
            Err(trouble) => {
                self.found.periods.push((window, None));
                let uid = free_busy
                    .component
                    .property("UID")
                    .map_or("", |uid| uid.value());
                self.found.problems.push(Problem {
                    uid: name_of(uid),
                    trouble,
                });
            }
        }
    }

    fn periods(
        &self,
        periods: &[(Moment, Ending, Option<String>)],
        home: Option<Clock>,
    ) -> Result<Vec<(Interval, Option<String>)>, TooMuch> {
        let mut found = Vec::new();
        for (start, ending, kind) in periods {
            let length = self.scene.length(*start, *ending, home)?;
            let hands = self.scene.hands(start.clock, home)?;
            let first = hands.instant(start.local);
            let after_days = start.local.checked_add_signed(TimeDelta::days(length.days));
            let end = hands.instant(after_days.unwrap_or(NaiveDateTime::MAX));
            let millis = end
                .as_millis()
                .saturating_add(length.seconds.saturating_mul(1000));
            let interval = Interval::new(first, Timestamp::from_millis(millis));
            found.extend(
                interval
                    .filter(|i| i.overlaps(self.scene.window))
                    .map(|i| (i, kind.clone())),
            );
        }
        Ok(found)
    }
}
