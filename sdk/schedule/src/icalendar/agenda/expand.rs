//! Expands series into a window, within the limits for all of them together.

use super::master::{Candidate, Key, Master};
use super::scene::{AHEAD, Length, Scene, TooMuch, anywhere};
use super::{Expansion, Kind, Occurrence, Problem, Series, Trouble, name_of};
use crate::Interval;
use crate::icalendar::event::{Clock, Ending, Event, FreeBusy, Instead, Moment, Times};
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
    length: Length,
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
                    .and_then(|start| self.earliest(start, self.event(place).home));
                self.block(place, fault.into(), from);
            }
        }
        if self.add_readable(series).is_err() {
            for &place in series.masters.iter().chain(&series.instead) {
                self.block(place, Trouble::TooMuch, None);
            }
        }
    }

    /// The first moment that a time may be.
    fn earliest(&self, moment: Moment, home: Option<Clock>) -> Option<Timestamp> {
        let instant = self.scene.instant(moment, home).ok()?;
        Some(if moment.is_vague() {
            instant - AHEAD
        } else {
            instant
        })
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
            .map(|future| future.length.roughly() + future.shift.abs());
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
        self.make_room()?;
        let length = scene.length(times.start, times.ending, master.event.home)?;
        let reach = length.roughly() + instances.reach + SLACK;
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
        length: Length,
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
        length: Length,
    ) -> Result<(), TooMuch> {
        let event = self.event(place);
        let hands = self.scene.hands(start.clock, event.home)?;
        let (start_at, end_at) = length.from(hands, local);
        let window = self.scene.window;
        let is_vague = start.is_vague() || event.times.as_ref().is_ok_and(Times::are_vague);
        let blocked = anywhere(start_at, end_at).filter(|i| is_vague && i.overlaps(window));
        if let Some(interval) = blocked {
            self.make_room()?;
            self.found.blocked.push((place, interval));
        }
        let is_in = start_at < window.end()
            && (end_at > window.start() || start_at == end_at && start_at == window.start());
        if !is_in {
            return Ok(());
        }
        self.make_room()?;
        let kind = match start.clock {
            Clock::Date if length.is_of_days() => {
                let other = length.days_after(local);
                Kind::AllDay {
                    first: local.min(other).date(),
                    end: local.max(other).date(),
                }
            }
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

    /// Fails if there is as much already as there may be.
    fn make_room(&self) -> Result<(), TooMuch> {
        let most = self.scene.agenda.limits.all_occurrences;
        let found = self.found.occurrences.len().max(self.found.blocked.len());
        if found < most { Ok(()) } else { Err(TooMuch) }
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
            let (first, end) = length.from(hands, start.local);
            let interval = if start.is_vague() || ending.is_vague() {
                anywhere(first, end)
            } else {
                Interval::new(first, end)
            };
            found.extend(
                interval
                    .filter(|i| i.overlaps(self.scene.window))
                    .map(|i| (i, kind.clone())),
            );
        }
        Ok(found)
    }
}
