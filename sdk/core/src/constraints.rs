//! Constraints, from the lexicon's words into the core's and back: of calls and of records alike.

use huddle_lexicon::com::huddle::defs;
use huddle_ports::Timestamp;
use huddle_schedule::Zone;
use huddle_syntax::{Datetime, SyntaxError};

use crate::booking::Constraints;

/// Constraints that nothing can satisfy, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Contradiction(pub &'static str);

const DAYS: [defs::Weekday; 7] = [
    defs::Weekday::Mo,
    defs::Weekday::Tu,
    defs::Weekday::We,
    defs::Weekday::Th,
    defs::Weekday::Fr,
    defs::Weekday::Sa,
    defs::Weekday::Su,
];

/// The constraints that somebody has put like this; none, if they have not.
pub fn read(constraints: Option<&defs::Constraints>) -> Result<Constraints, Contradiction> {
    let Some(constraints) = constraints else {
        return Ok(Constraints::default());
    };
    let moment = |datetime: &Datetime| Timestamp::from_millis(datetime.timestamp_millis());
    // The lexicon's bounds are well within a u32.
    let minutes = |minutes: i64| u32::try_from(minutes).ok();
    let days: Vec<u8> = (0..)
        .zip(DAYS)
        .filter(|(_, day)| constraints.days.iter().flatten().any(|it| it == day))
        .map(|(index, _)| index)
        .collect();
    let read = Constraints {
        duration_min: constraints.duration_min.and_then(minutes),
        duration_max: constraints.duration_max.and_then(minutes),
        earliest: constraints.earliest.as_ref().map(moment),
        latest: constraints.latest.as_ref().map(moment),
        days,
        tz: constraints.tz.clone(),
        chosen: None,
    };
    checked(read)
}

/// The constraints, unless they contradict each other or name a zone that nobody knows.
pub fn checked(read: Constraints) -> Result<Constraints, Contradiction> {
    if let (Some(least), Some(most)) = (read.duration_min, read.duration_max)
        && least > most
    {
        return Err(Contradiction("durationMin is more than durationMax"));
    }
    if let (Some(earliest), Some(latest)) = (read.earliest, read.latest)
        && earliest >= latest
    {
        return Err(Contradiction("earliest is not before latest"));
    }
    if let Some(zone) = &read.tz
        && zone.parse::<Zone>().is_err()
    {
        return Err(Contradiction(
            "tz is not an IANA time zone that is known here",
        ));
    }
    Ok(read)
}

/// What somebody asked for; `None` where that is nothing.
pub fn write(constraints: &Constraints) -> Result<Option<defs::Constraints>, SyntaxError> {
    if *constraints == Constraints::default() {
        return Ok(None);
    }
    let moment = |moment: Timestamp| Datetime::from_timestamp_millis(moment.as_millis());
    let days: Vec<_> = constraints
        .days
        .iter()
        .filter_map(|day| DAYS.get(usize::from(*day)).copied())
        .collect();
    Ok(Some(defs::Constraints {
        duration_min: constraints.duration_min.map(i64::from),
        duration_max: constraints.duration_max.map(i64::from),
        earliest: constraints.earliest.map(moment).transpose()?,
        latest: constraints.latest.map(moment).transpose()?,
        days: (!days.is_empty()).then_some(days),
        tz: constraints.tz.clone(),
        ..defs::Constraints::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(change: impl FnOnce(&mut defs::Constraints)) -> defs::Constraints {
        let mut constraints = defs::Constraints::default();
        change(&mut constraints);
        constraints
    }

    #[test]
    fn what_was_asked_for_reads_back_the_same() {
        let constraints = asked(|it| {
            it.duration_min = Some(30);
            it.duration_max = Some(60);
            it.earliest = Some("2026-12-01T00:00:00.000Z".parse().unwrap());
            it.latest = Some("2026-12-05T00:00:00.000Z".parse().unwrap());
            it.days = Some(vec![defs::Weekday::Mo, defs::Weekday::Su]);
            it.tz = Some("Asia/Tokyo".to_owned());
        });
        let read = read(Some(&constraints)).unwrap();
        assert_eq!(read.days, [0, 6]);
        assert_eq!(write(&read).unwrap(), Some(constraints));
    }

    #[test]
    fn days_are_in_the_order_of_the_week_and_without_repeats() {
        use defs::Weekday::{Fr, Mo};

        let constraints = asked(|it| it.days = Some(vec![Fr, Mo, Fr]));
        assert_eq!(read(Some(&constraints)).unwrap().days, [0, 4]);
    }

    #[test]
    fn constraints_that_contradict_themselves_are_refused() {
        let at = |text: &str| Some(text.parse().unwrap());
        let durations = asked(|it| {
            it.duration_min = Some(60);
            it.duration_max = Some(30);
        });
        let times = asked(|it| {
            it.earliest = at("2026-12-01T10:00:00+02:00");
            it.latest = at("2026-12-01T08:00:00Z");
        });
        let zone = asked(|it| it.tz = Some("Mars/Olympus".to_owned()));
        for constraints in [durations, times, zone] {
            assert!(read(Some(&constraints)).is_err(), "{constraints:?}");
        }
    }

    #[test]
    fn nothing_asked_for_stays_nothing() {
        assert_eq!(read(None), Ok(Constraints::default()));
        assert_eq!(write(&Constraints::default()).unwrap(), None);
    }
}
