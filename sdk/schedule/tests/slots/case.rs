//! A case of a vector file.
//!
//! ```text
//! == What it shows
//! zone: America/New_York
//! dates: 2026-03-08
//! hours: daily 01:00-04:00
//! =>
//! Sun 2026-03-08 -05:00: 01:00 01:30
//! Sun 2026-03-08 -04:00: 03:00 03:30
//! ```
//!
//! After `=>` come the starts of all slots, by local date and offset; of a slot that has not the host's favourite length
//! its minutes too, as in `09:00/60`. With `guest zone` each line says the same in the guest's zone. With `best: N`
//! come the N best and their scores in their place, and with `explain: START .. END` why that slot is not offered.

use std::num::NonZeroU16;

use chrono::{DateTime, FixedOffset};
use huddle_ports::Timestamp;
use huddle_schedule::{Candidate, Interval, Match, Reason, Search, Zone};

use crate::setting::Setting;

/// A case, ready to run.
pub(crate) struct Case {
    pub title: String,
    setting: Setting,
    question: Question,
    guest_zone: Option<Zone>,
    pub expect: Vec<String>,
}

enum Question {
    All,
    Best(usize),
    Explain(String),
}

/// Reads the cases of a file.
pub(crate) fn read(text: &str) -> Vec<Case> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut cases: Vec<Vec<&str>> = Vec::new();
    for line in lines {
        match line.strip_prefix("== ") {
            Some(title) => cases.push(vec![title]),
            None => cases.last_mut().expect("a case begins with ==").push(line),
        }
    }
    cases.iter().map(|lines| Case::read(lines)).collect()
}

impl Case {
    fn read(lines: &[&str]) -> Self {
        let (title, lines) = lines.split_first().expect("a case has a title");
        let mut parts = lines.splitn(2, |line| *line == "=>");
        let (given, expect) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let pairs = given.iter().map(|line| {
            line.split_once(": ")
                .unwrap_or_else(|| panic!("{title}: {line:?} is not KEY: VALUE"))
        });
        let mut pairs = pairs.peekable();
        let zone = pairs.next_if(|(key, _)| *key == "zone");
        let zone = zone
            .unwrap_or_else(|| panic!("{title}: the zone comes first"))
            .1;
        let mut case = Self {
            title: (*title).to_owned(),
            setting: Setting::new(zone.parse().expect("a zone")),
            question: Question::All,
            guest_zone: None,
            expect: expect.iter().map(|line| (*line).to_owned()).collect(),
        };
        for (key, value) in pairs {
            match key {
                "best" => case.question = Question::Best(value.parse().expect("a number")),
                "explain" => case.question = Question::Explain(value.to_owned()),
                "guest zone" => case.guest_zone = Some(value.parse().expect("a zone")),
                _ => case.setting.take(key, value),
            }
        }
        case
    }

    /// What comes of it, in lines.
    pub(crate) fn run(&self) -> Vec<String> {
        let lines = self.setting.search(|search| match &self.question {
            Question::All => self.all(search),
            Question::Best(limit) => search
                .best(*limit)
                .iter()
                .map(|found| self.ranked(found))
                .collect(),
            Question::Explain(slot) => {
                let slot = self.setting.between(slot);
                search
                    .explain(slot)
                    .into_iter()
                    .map(|reason| self.reason(reason))
                    .collect()
            }
        });
        if lines.is_empty() {
            vec!["none".to_owned()]
        } else {
            lines
        }
    }

    fn all(&self, search: &Search<'_>) -> Vec<String> {
        let usual = search.rules.durations[0];
        let mut lines: Vec<(String, String)> = Vec::new();
        for Candidate { interval, .. } in search.all() {
            let (day, mut time) = day_and_time(self.setting.zone, interval.start());
            if minutes(interval) != u64::from(NonZeroU16::get(usual)) {
                time = format!("{time}/{}", minutes(interval));
            }
            let mut line = (day, time);
            if let Some(zone) = self.guest_zone {
                let (day, time) = day_and_time(zone, interval.start());
                line = (
                    format!("{} = {day}", line.0),
                    format!("{} = {time}", line.1),
                );
            }
            match lines.last_mut() {
                Some((day, times)) if *day == line.0 => *times = format!("{times} {}", line.1),
                _ => lines.push(line),
            }
        }
        lines
            .into_iter()
            .map(|(day, times)| format!("{day}: {times}"))
            .collect()
    }

    fn ranked(&self, found: &Match) -> String {
        let (day, time) = day_and_time(self.setting.zone, found.interval.start());
        let score = found.score;
        format!(
            "{day}: {time} soon {} daytime {} working {} preferred {} near {} tidy {} length {}",
            score.soon,
            score.daytime,
            score.working,
            score.preferred,
            score.near,
            score.tidy,
            score.length
        )
    }

    fn reason(&self, reason: Reason) -> String {
        let name = |party: usize| &self.setting.people[party].name;
        let moment = |moment| {
            let (day, time) = day_and_time(self.setting.zone, moment);
            format!("{day} {time}")
        };
        let between = |interval: Interval| {
            format!("{} .. {}", moment(interval.start()), moment(interval.end()))
        };
        match reason {
            Reason::TooSoon(first) => format!("too soon: from {first}", first = moment(first)),
            Reason::TooFarAhead(end) => format!("too far ahead: before {end}", end = moment(end)),
            Reason::Unreadable(party) => format!("unreadable: {}", name(party)),
            Reason::Closed(party) => format!("closed: {}", name(party)),
            Reason::Busy(party, busy) => format!("busy: {} {}", name(party), between(busy)),
            Reason::Meeting(party, meeting) => {
                format!("meeting: {} {}", name(party), between(meeting))
            }
            Reason::FullDay(party) => format!("full day: {}", name(party)),
            Reason::FullWeek(party) => format!("full week: {}", name(party)),
            Reason::TooFew { free, quorum } => format!("too few: {free} of {quorum}"),
            other => format!("{other:?}"),
        }
    }
}

fn minutes(interval: Interval) -> u64 {
    interval.duration().as_secs() / 60
}

/// `Sun 2026-03-08 -05:00` and `01:30`.
fn day_and_time(zone: Zone, moment: Timestamp) -> (String, String) {
    let utc = DateTime::from_timestamp_millis(moment.as_millis()).expect("a time of our days");
    let seconds = (zone.local(moment) - utc.naive_utc()).num_seconds();
    let offset = i32::try_from(seconds)
        .ok()
        .and_then(FixedOffset::east_opt)
        .expect("less than a day");
    let local = utc.with_timezone(&offset);
    (
        local.format("%a %Y-%m-%d %:z").to_string(),
        local.format("%H:%M").to_string(),
    )
}
