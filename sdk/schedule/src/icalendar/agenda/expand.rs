//! Expands series into a window, within the limits for all of them together.

use super::{Agenda, Expansion, Kind, Occurrence, Problem, Series, Trouble, name_of};
use crate::icalendar::event::{Clock, Ending, Event, FreeBusy, Instead, Moment, Times};
use crate::icalendar::value::{DAY_SECS, Lasting};
use crate::icalendar::zones::FileClock;
use crate::recurrence::{Exhausted, Rule, Until};
use crate::{Interval, Zone};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use huddle_ports::Timestamp;

/// Local times are never farther apart than this for being in different zones.
const SLACK: TimeDelta = TimeDelta::days(2);

/// What it costs, in steps, to look whether a rule has an occurrence at one time.
const LOOK: u64 = 32;

/// What is the same for all events.
pub(super) struct Scene<'a, 'd> {
    agenda: &'a Agenda<'d>,
    window: Interval,
    owner: Zone,
    /// The clocks of the zones that the file describes; `None` where that is too much.
    files: Vec<Option<FileClock>>,
    steps: u64,
}

/// More than the limits allow; what it is about is blocked.
struct TooMuch;

impl From<Exhausted> for TooMuch {
    fn from(_: Exhausted) -> Self {
        Self
    }
}

/// Which occurrence something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// By its first moment.
    At(Timestamp),
    /// By its date, at whatever time.
    On(NaiveDate),
}

/// The hands of a clock, which are all that local times need.
#[derive(Clone, Copy)]
enum Hands<'s> {
    Zone(Zone),
    File(&'s FileClock),
}

impl Hands<'_> {
    fn instant(self, local: NaiveDateTime) -> Timestamp {
        match self {
            Self::Zone(zone) => zone.instant(local),
            Self::File(clock) => clock.instant(local),
        }
    }

    fn local(self, moment: Timestamp) -> NaiveDateTime {
        match self {
            Self::Zone(zone) => zone.local(moment),
            Self::File(clock) => clock.local(moment),
        }
    }
}

impl<'a, 'd> Scene<'a, 'd> {
    pub(super) fn new(agenda: &'a Agenda<'d>, window: Interval, owner: Zone) -> Self {
        let mut steps = agenda.limits.steps;
        let (from, to) = (
            Zone::UTC.local(window.start()),
            Zone::UTC.local(window.end()),
        );
        let files = agenda.zones.files.iter();
        let files = files
            .map(|file| file.clock(from, to, &mut steps).ok())
            .collect();
        Self {
            agenda,
            window,
            owner,
            files,
            steps,
        }
    }

    fn hands(&self, clock: Clock, home: Option<Clock>) -> Result<Hands<'_>, TooMuch> {
        match clock {
            Clock::Zone(zone) => Ok(Hands::Zone(zone)),
            Clock::File(place) => self.files[place].as_ref().map(Hands::File).ok_or(TooMuch),
            Clock::Date | Clock::Floating => match home {
                // The zone that a calendar is in is never given as a date or as floating.
                Some(home @ (Clock::Zone(_) | Clock::File(_))) => self.hands(home, None),
                _ => Ok(Hands::Zone(self.owner)),
            },
        }
    }

    fn instant(&self, moment: Moment, home: Option<Clock>) -> Result<Timestamp, TooMuch> {
        Ok(self.hands(moment.clock, home)?.instant(moment.local))
    }

    /// How long something lasts that starts then and ends so.
    fn length(
        &self,
        start: Moment,
        ending: Ending,
        home: Option<Clock>,
    ) -> Result<Lasting, TooMuch> {
        let one_day = |days: i64| Lasting::days(if days == 0 { 1 } else { days });
        Ok(match ending {
            Ending::Unsaid if start.is_date() => Lasting::days(1),
            Ending::Unsaid => Lasting::default(),
            Ending::After(lasting) if start.is_date() => {
                one_day(lasting.days + lasting.seconds.div_euclid(DAY_SECS))
            }
            Ending::After(lasting) => lasting,
            Ending::At(end) if start.is_date() && end.is_date() => {
                one_day((end.local - start.local).num_days())
            }
            // RFC 5545 §3.8.5.3: with DTEND, each occurrence lasts exactly as long as the first.
            Ending::At(end) => {
                let (start, end) = (self.instant(start, home)?, self.instant(end, home)?);
                Lasting::seconds((end.as_millis() - start.as_millis()).div_euclid(1000))
            }
        })
    }
}

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

/// One time at which a master says that it occurs.
#[derive(Clone, Copy)]
struct Candidate {
    local: NaiveDateTime,
    /// Of a period in `RDATE`; otherwise as long as the event.
    length: Option<Lasting>,
}

/// A master, and what about it is asked again and again.
struct Master<'s, 'd> {
    place: usize,
    event: &'s Event<'d>,
    times: &'s Times,
    hands: Hands<'s>,
    /// `EXDATE`, in order.
    exceptions: Vec<Key>,
}

impl<'s, 'd> Master<'s, 'd> {
    /// `None` if its times cannot be read.
    fn new(scene: &'s Scene<'_, 'd>, place: usize) -> Result<Option<Self>, TooMuch> {
        let event = &scene.agenda.events[place];
        let Ok(times) = &event.times else {
            return Ok(None);
        };
        let hands = scene.hands(times.start.clock, event.home)?;
        let mut master = Self {
            place,
            event,
            times,
            hands,
            exceptions: Vec::new(),
        };
        let keys = times
            .exceptions
            .iter()
            .map(|moment| master.key(scene, *moment));
        master.exceptions = keys.collect::<Result<_, _>>()?;
        master.exceptions.sort_unstable();
        Ok(Some(master))
    }

    /// A moment on the master's clock. What floats is on it already.
    fn local(&self, scene: &Scene<'_, '_>, moment: Moment) -> Result<NaiveDateTime, TooMuch> {
        let same = moment.clock == self.times.start.clock;
        if same || matches!(moment.clock, Clock::Date | Clock::Floating) {
            return Ok(moment.local);
        }
        Ok(self.hands.local(scene.instant(moment, self.event.home)?))
    }

    /// The occurrence that `EXDATE` or `RECURRENCE-ID` means. Dates for times, and times for dates, are common.
    fn key(&self, scene: &Scene<'_, '_>, moment: Moment) -> Result<Key, TooMuch> {
        if moment.is_date() {
            return Ok(Key::On(moment.local.date()));
        }
        if self.times.start.is_date() {
            let midnight_in_utc = moment.clock == Clock::Zone(Zone::UTC)
                && moment.local == moment.local.date().into();
            let local = if midnight_in_utc {
                moment.local
            } else {
                self.local(scene, moment)?
            };
            return Ok(Key::On(local.date()));
        }
        Ok(match moment.clock {
            Clock::Floating => Key::At(self.hands.instant(moment.local)),
            _ => Key::At(scene.instant(moment, self.event.home)?),
        })
    }

    /// The place in a sorted list of what is about the occurrence at this local time.
    fn find<T>(&self, list: &[T], local: NaiveDateTime, key: impl Fn(&T) -> Key) -> Option<usize> {
        if list.is_empty() {
            return None;
        }
        let on = list.binary_search_by_key(&Key::On(local.date()), &key);
        on.or_else(|_| {
            let at = Key::At(self.hands.instant(local));
            list.binary_search_by_key(&at, &key)
        })
        .ok()
    }

    fn is_excepted(&self, local: NaiveDateTime) -> bool {
        self.find(&self.exceptions, local, |key| *key).is_some()
    }

    /// The last moment that a rule allows, on the master's clock.
    fn last(&self, rule: &Rule) -> Option<NaiveDateTime> {
        let until = rule.until()?;
        Some(match until {
            Until::Utc(utc) => {
                let local = self.hands.local(Zone::UTC.instant(utc));
                // Whole days may be ended by midnight in UTC or by midnight where they are.
                if self.times.start.is_date() {
                    local.max(utc)
                } else {
                    local
                }
            }
            Until::Date(_) | Until::Local(_) => until.last(),
        })
    }

    /// Adds the times between two on its clock at which it says that it occurs, and all periods. Its start is one
    /// of them, whatever its rules say (RFC 5545 §3.8.2.4), and never counts twice.
    fn candidates(
        &self,
        scene: &Scene<'_, '_>,
        from: NaiveDateTime,
        to: NaiveDateTime,
        steps: &mut u64,
        candidates: &mut Vec<Candidate>,
    ) -> Result<(), TooMuch> {
        let start = self.times.start.local;
        let within = |local: &NaiveDateTime| from <= *local && *local < to;
        let plain = |local| Candidate {
            local,
            length: None,
        };
        candidates.extend(Some(start).filter(within).map(plain));
        for rule in &self.times.rules {
            let mut occurrences = rule.occurrences(start).from(from).to(to).steps(*steps);
            if let Some(last) = self.last(rule) {
                occurrences = occurrences.until(last);
            }
            let most = scene.agenda.limits.occurrences;
            let result = occurrences
                .by_ref()
                .enumerate()
                .try_for_each(|(count, local)| {
                    if count >= most {
                        return Err(TooMuch);
                    }
                    candidates.push(plain(local?));
                    Ok(())
                });
            // What failed has cost no less.
            *steps = occurrences.steps_left();
            result?;
        }
        for (moment, ending) in &self.times.dates {
            let local = self.date(scene, *moment)?;
            let length = ending.map(|ending| scene.length(*moment, ending, self.event.home));
            let length = length.transpose()?;
            // A period may reach into the window from far away.
            if length.is_some() || within(&local) {
                candidates.push(Candidate { local, length });
            }
        }
        candidates.sort_by_key(|candidate| (candidate.local, candidate.length.is_none()));
        candidates.dedup_by_key(|candidate| candidate.local);
        Ok(())
    }

    /// A time of `RDATE` on the master's clock: a date is that day at the time of the others.
    fn date(&self, scene: &Scene<'_, '_>, moment: Moment) -> Result<NaiveDateTime, TooMuch> {
        let local = self.local(scene, moment)?;
        Ok(if self.times.start.is_date() {
            local.date().into()
        } else if moment.is_date() {
            local.date().and_time(self.times.start.local.time())
        } else {
            local
        })
    }

    /// Whether it occurs then.
    fn occurs(&self, scene: &Scene<'_, '_>, key: Key, steps: &mut u64) -> Result<bool, TooMuch> {
        let cost = (self.times.rules.len() + self.times.dates.len()) as u64;
        *steps = steps.checked_sub(LOOK * (1 + cost)).ok_or(TooMuch)?;
        let (from, to) = match key {
            Key::On(date) => (date.into(), NaiveDateTime::from(date) + TimeDelta::days(1)),
            Key::At(moment) => {
                let local = self.hands.local(moment);
                (local, local + TimeDelta::seconds(1))
            }
        };
        let mut candidates = Vec::new();
        self.candidates(scene, from, to, steps, &mut candidates)?;
        let times = candidates.iter().map(|candidate| candidate.local);
        Ok(times
            .filter(|local| from <= *local && *local < to)
            .any(|local| !self.is_excepted(local)))
    }
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
