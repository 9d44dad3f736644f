//! How a stream goes.

use std::time::Duration;

/// How a stream goes, for whoever watches over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// How many frames have come, whatever they were.
    pub frames: u64,
    /// How old the newest frame is, by the time that the host says it is of; `None` before there was one that says so.
    /// The host tells all that it has before it falls silent: what is older than the pauses in its stream is a backlog.
    pub behind: Option<Duration>,
}

/// The frames that have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals {
    pub(super) frames: u64,
    /// The time of the newest, as it was said; read only when somebody asks.
    time: String,
}

impl Arrivals {
    /// The newest frame is of this time.
    pub(super) fn at(&mut self, time: &str) {
        // Nobody's time is longer, and what is goes nowhere.
        if time.len() <= 64 {
            time.clone_into(&mut self.time);
        }
    }

    /// The newest message is of this time, in microseconds since 1970.
    pub(super) fn at_micros(&mut self, micros: i64) {
        self.time = micros.to_string();
    }

    /// How old the newest is; what is of the future is new.
    pub(super) fn behind(&self, now: Duration) -> Option<Duration> {
        let micros = self.time.parse().map(Duration::from_micros).ok();
        let time = micros.or_else(|| since_epoch(&self.time))?;
        Some(now.saturating_sub(time))
    }
}

/// A time of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) after 1970, by the second.
fn since_epoch(time: &str) -> Option<Duration> {
    let (date, rest) = time.split_once('T')?;
    let (clock, offset) = rest.split_at(rest.find(['Z', '+', '-'])?);
    let mut date = date.splitn(3, '-').map(str::parse::<u64>);
    let mut next = || date.next()?.ok();
    let (year, month, day) = (next()?, next()?, next()?);
    let (hours, rest) = clock.split_once(':')?;
    let (minutes, rest) = rest.split_once(':')?;
    // 60 is a leap second.
    let seconds = at_most(60, rest.get(..2)?)?;
    let of_day =
        |hours: &str, minutes: &str| Some(at_most(23, hours)? * 3600 + at_most(59, minutes)? * 60);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years are counted from March on, so that a leap day is the last of its year.
    let (years, months) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = years / 4 - years / 100 + years / 400;
    let days = years * 365 + leap_days + (months * 153 + 2) / 5 + day;
    let local = (days - DAYS_BEFORE_1970) * 86_400 + of_day(hours, minutes)? + seconds;
    let ahead = |offset: &str| offset.split_once(':').and_then(|(h, m)| of_day(h, m));
    let seconds = match offset.split_at(1) {
        ("+", offset) => local.checked_sub(ahead(offset)?)?,
        ("-", offset) => local + ahead(offset)?,
        _ => local,
    };
    Some(Duration::from_secs(seconds))
}

fn at_most(most: u64, number: &str) -> Option<u64> {
    number.parse().ok().filter(|number| *number <= most)
}

/// From the first of March of the year 0 to the first of January 1970, and one more, because days are counted from 1 on.
const DAYS_BEFORE_1970: u64 = 719_469;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(time: &str, expect: Option<u64>) {
        assert_eq!(since_epoch(time), expect.map(Duration::from_secs), "{time}");
    }

    #[test]
    fn times_are_read_as_hosts_write_them() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("1970-03-01T00:00:00Z", Some(59 * 86_400));
        check("2000-02-29T23:59:59.999Z", Some(951_868_799));
        check("2024-12-31T12:30:15.123456Z", Some(1_735_648_215));
        check("2026-11-21T22:00:00+05:30", Some(1_795_278_600));
        check("2026-11-21T16:30:00-00:00", Some(1_795_278_600));
        check("2016-12-31T23:59:60Z", Some(1_483_228_800));
    }

    #[test]
    fn what_is_no_time_says_nothing() {
        for time in [
            "",
            "now",
            "2026-11-21",
            "2026-13-01T00:00:00Z",
            "1969-12-31T00:00:00Z",
            "2026-11-21T22:00Z",
            "2026-11-21T2é:00:00Z",
            "1970-01-01T00:00:00+01:00",
            "99999999999999999999-01-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T22:60:00Z",
            "2026-11-21T22:00:61Z",
            "2026-11-21T22:00:00+24:00",
            "2026-11-21T22:00:00-00:60",
            "2026-11-21T9999999999999999999:00:00Z",
            "2026-11-21T00:999999999999999999:00Z",
            "2026-11-21T18446744073709551:59:00Z",
            "2026-11-21T00:00:00-5124095576030431:00",
        ] {
            check(time, None);
        }
    }

    #[test]
    fn what_is_of_the_future_is_new() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.behind(Duration::from_secs(9)), None);
        arrivals.at("1970-01-01T00:00:10Z");
        assert_eq!(
            arrivals.behind(Duration::from_secs(9)),
            Some(Duration::ZERO)
        );
        assert_eq!(
            arrivals.behind(Duration::from_secs(15)),
            Some(Duration::from_secs(5))
        );
        arrivals.at_micros(14_000_000);
        assert_eq!(
            arrivals.behind(Duration::from_secs(15)),
            Some(Duration::from_secs(1))
        );
    }
}
