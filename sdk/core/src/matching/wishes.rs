//! What a guest asks for, as the schedule takes it.

use std::num::NonZeroU16;
use std::time::Duration;

use chrono::{Datelike as _, Weekday, WeekdaySet};
use huddle_schedule as schedule;
use huddle_schedule::{Interval, Zone};

use crate::booking::Constraints;

/// The constraints as the schedule has them; `None` where nothing can fulfil them, because they contradict each other
/// or cannot be read.
pub(super) fn wishes(asked: &Constraints) -> Option<schedule::Constraints> {
    let read = match &asked.chosen {
        Some(chosen) => exactly(chosen.slot)?,
        None => schedule::Constraints {
            duration_min: length(asked.duration_min)?,
            duration_max: length(asked.duration_max)?,
            earliest: asked.earliest,
            latest: asked.latest,
            days: days(&asked.days)?,
            ..schedule::Constraints::default()
        },
    };
    let wishes = schedule::Constraints {
        zone: zone(asked)?.unwrap_or(Zone::UTC),
        ..read
    };
    wishes.check().is_ok().then_some(wishes)
}

/// Whether a slot lies within what is wished. Its length is one that is wished, wherever it lies.
pub(super) fn are_fulfilled(wishes: &schedule::Constraints, slot: Interval) -> bool {
    let is_on = |days: WeekdaySet| {
        let last = slot.end() - Duration::from_millis(1);
        let dates = [slot.start(), last].map(|moment| wishes.zone.date(moment));
        // A meeting takes hours: there is no third date between the two.
        dates.iter().all(|date| days.contains(date.weekday()))
    };
    wishes
        .earliest
        .is_none_or(|earliest| earliest <= slot.start())
        && wishes.latest.is_none_or(|latest| slot.end() <= latest)
        && wishes.days.is_none_or(is_on)
}

/// The zone that the guest names, if they name any; `None` where it is unknown.
#[expect(clippy::option_option, reason = "there is no zone, or no good one")]
pub(super) fn zone(asked: &Constraints) -> Option<Option<Zone>> {
    asked.tz.as_deref().map(str::parse).transpose().ok()
}

/// That slot and no other.
fn exactly(slot: Interval) -> Option<schedule::Constraints> {
    let minutes = slot.duration().as_secs() / 60;
    let length = NonZeroU16::new(minutes.try_into().ok()?)?;
    Some(schedule::Constraints {
        duration_min: Some(length),
        earliest: Some(slot.start()),
        latest: Some(slot.end()),
        ..schedule::Constraints::default()
    })
}

#[expect(clippy::option_option, reason = "there is no length, or no good one")]
fn length(minutes: Option<u32>) -> Option<Option<NonZeroU16>> {
    let read = |minutes| u16::try_from(minutes).ok().and_then(NonZeroU16::new);
    match minutes {
        Some(minutes) => read(minutes).map(Some),
        None => Some(None),
    }
}

#[expect(clippy::option_option, reason = "there are no days, or no good ones")]
fn days(days: &[u8]) -> Option<Option<WeekdaySet>> {
    if days.is_empty() {
        return Some(None);
    }
    let days: Result<WeekdaySet, _> = days.iter().map(|day| Weekday::try_from(*day)).collect();
    days.ok().map(Some)
}

#[cfg(test)]
mod tests {
    use huddle_ports::Timestamp;

    use super::*;
    use crate::booking::Chosen;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    fn minutes(minutes: u16) -> Option<NonZeroU16> {
        NonZeroU16::new(minutes)
    }

    #[test]
    fn what_is_asked_for_is_wished() {
        let asked = Constraints {
            duration_min: Some(30),
            duration_max: Some(60),
            earliest: Some(at(0)),
            latest: Some(at(600)),
            days: vec![0, 6],
            tz: Some("Asia/Tokyo".into()),
            chosen: None,
        };
        let expect = schedule::Constraints {
            duration_min: minutes(30),
            duration_max: minutes(60),
            earliest: Some(at(0)),
            latest: Some(at(600)),
            days: Some(WeekdaySet::from_array([Weekday::Mon, Weekday::Sun])),
            zone: "Asia/Tokyo".parse().unwrap(),
            preferred: Vec::new(),
        };
        assert_eq!(wishes(&asked), Some(expect));
        assert_eq!(
            wishes(&Constraints::default()),
            Some(schedule::Constraints::default())
        );
    }

    #[test]
    fn a_slot_that_was_chosen_is_all_that_is_wished() {
        let asked = Constraints {
            duration_min: Some(5),
            chosen: Some(Box::new(Chosen {
                offer: "at://did:web:ada.example.com/com.huddle.slotOffer/a"
                    .parse()
                    .unwrap(),
                slot: Interval::new(at(60), at(105)).unwrap(),
                expires: at(30),
            })),
            ..Constraints::default()
        };
        let expect = schedule::Constraints {
            duration_min: minutes(45),
            earliest: Some(at(60)),
            latest: Some(at(105)),
            ..schedule::Constraints::default()
        };
        assert_eq!(wishes(&asked), Some(expect));
    }

    #[test]
    fn a_slot_fulfils_what_is_wished_of_its_time_and_its_days() {
        // 1970 began on a Thursday; Berlin was an hour ahead.
        let slot = |start, end| Interval::new(at(start), at(end)).unwrap();
        let wished = |earliest, latest, days: &[u8], tz: Option<&str>| {
            let asked = Constraints {
                earliest: Some(at(earliest)),
                latest: Some(at(latest)),
                days: days.to_vec(),
                tz: tz.map(str::to_owned),
                ..Constraints::default()
            };
            wishes(&asked).unwrap()
        };
        let berlin = Some("Europe/Berlin");
        for (wishes, slot, expect) in [
            (wished(60, 120, &[], None), slot(60, 120), true),
            (wished(60, 120, &[], None), slot(59, 119), false),
            (wished(60, 120, &[], None), slot(61, 121), false),
            (wished(0, 9999, &[3], None), slot(1410, 1440), true),
            (wished(0, 9999, &[3], None), slot(1410, 1441), false),
            (wished(0, 9999, &[3, 4], None), slot(1410, 1441), true),
            (wished(0, 9999, &[3], berlin), slot(1380, 1410), false),
            (wished(0, 9999, &[4], berlin), slot(1380, 1410), true),
        ] {
            assert_eq!(
                are_fulfilled(&wishes, slot),
                expect,
                "{slot:?} of {wishes:?}"
            );
        }
    }

    #[test]
    fn what_contradicts_itself_or_cannot_be_read_is_fulfilled_by_nothing() {
        type Change = fn(&mut Constraints);
        let changes: [(&str, Change); 7] = [
            ("an unknown zone", |it| it.tz = Some("Mars/Olympus".into())),
            ("no day of the week", |it| it.days = vec![0, 7]),
            ("no length", |it| it.duration_min = Some(0)),
            ("a length of weeks", |it| it.duration_max = Some(70_000)),
            ("lengths the wrong way round", |it| {
                (it.duration_min, it.duration_max) = (Some(60), Some(30));
            }),
            ("times the wrong way round", |it| {
                (it.earliest, it.latest) = (Some(at(1)), Some(at(1)));
            }),
            ("a slot of seconds", |it| {
                it.chosen = Some(Box::new(Chosen {
                    offer: "at://did:web:ada.example.com/com.huddle.slotOffer/a"
                        .parse()
                        .unwrap(),
                    slot: Interval::new(Timestamp::from_millis(0), Timestamp::from_millis(59_000))
                        .unwrap(),
                    expires: Timestamp::MAX,
                }));
            }),
        ];
        for (what, change) in changes {
            let mut asked = Constraints::default();
            change(&mut asked);
            assert_eq!(wishes(&asked), None, "{what}");
        }
    }
}
