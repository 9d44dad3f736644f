//! An event that says when it occurs, and what is asked about that.

use super::scene::{AHEAD, Hands, Length, Scene, TooMuch};
use crate::Zone;
use crate::icalendar::event::{Clock, Event, Moment, Times};
use crate::recurrence::{Rule, Until};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use huddle_ports::Timestamp;

/// What it costs, in steps, to look whether a rule has an occurrence at one time.
const LOOK: u64 = 32;

/// Which occurrence something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// By its first moment.
    At(Timestamp),
    /// By its date, at whatever time.
    On(NaiveDate),
}

/// One time at which a master says that it occurs.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) local: NaiveDateTime,
    /// Of a period in `RDATE`; otherwise as long as the event.
    pub(super) length: Option<Length>,
}

/// A master, and what about it is asked again and again.
pub(super) struct Master<'s, 'd> {
    pub(super) place: usize,
    pub(super) event: &'s Event<'d>,
    pub(super) times: &'s Times,
    pub(super) hands: Hands<'s>,
    /// `EXDATE`, in order.
    exceptions: Vec<Key>,
}

impl<'s, 'd> Master<'s, 'd> {
    /// `None` if its times cannot be read.
    pub(super) fn new(scene: &'s Scene<'_, 'd>, place: usize) -> Result<Option<Self>, TooMuch> {
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
            .filter(|exception| exception.is_comparable(times.start))
            .map(|moment| master.key(scene, *moment));
        master.exceptions = keys.collect::<Result<_, _>>()?;
        master.exceptions.sort_unstable();
        Ok(Some(master))
    }

    /// A moment on the master's clock. What floats is on it already.
    pub(super) fn local(
        &self,
        scene: &Scene<'_, '_>,
        moment: Moment,
    ) -> Result<NaiveDateTime, TooMuch> {
        let same = moment.clock == self.times.start.clock;
        if same || matches!(moment.clock, Clock::Date | Clock::Floating) {
            return Ok(moment.local);
        }
        Ok(self.hands.local(scene.instant(moment, self.event.home)?))
    }

    /// The occurrence that `EXDATE` or `RECURRENCE-ID` means. Dates for times, and times for dates, are common.
    pub(super) fn key(&self, scene: &Scene<'_, '_>, moment: Moment) -> Result<Key, TooMuch> {
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
    pub(super) fn find<T>(
        &self,
        list: &[T],
        local: NaiveDateTime,
        key: impl Fn(&T) -> Key,
    ) -> Option<usize> {
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

    pub(super) fn is_excepted(&self, local: NaiveDateTime) -> bool {
        self.find(&self.exceptions, local, |key| *key).is_some()
    }

    /// The last moment that a rule allows, on the master's clock.
    fn last(&self, rule: &Rule) -> Option<NaiveDateTime> {
        let until = rule.until()?;
        Some(match until {
            Until::Utc(utc) => {
                let local = if self.times.start.is_vague() {
                    utc + AHEAD
                } else {
                    self.hands.local(Zone::UTC.instant(utc))
                };
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
    pub(super) fn candidates(
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
    pub(super) fn occurs(
        &self,
        scene: &Scene<'_, '_>,
        key: Key,
        steps: &mut u64,
    ) -> Result<bool, TooMuch> {
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
