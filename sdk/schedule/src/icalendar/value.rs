//! Values of the types that times are written in (RFC 5545 §3.3).

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// A DATE or DATE-TIME as it stands: by its form, whatever `VALUE` says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Date(NaiveDate),
    Local(NaiveDateTime),
    Utc(NaiveDateTime),
}

/// `20260301`, `20260301T090000`, `20260301T090000Z`.
pub(super) fn date_or_time(text: &str) -> Option<Written> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(digits(bytes.get(..4)?)?).ok()?,
        digits(bytes.get(4..6)?)?,
        digits(bytes.get(6..8)?)?,
    )?;
    let (time, utc) = match bytes.get(8..)? {
        [] => return Some(Written::Date(date)),
        [b'T' | b't', time @ .., b'Z' | b'z'] => (time, true),
        [b'T' | b't', time @ ..] => (time, false),
        _ => return None,
    };
    let local = date.and_time(time_of_day(time)?);
    Some(if utc {
        Written::Utc(local)
    } else {
        Written::Local(local)
    })
}

/// `090000`; second 60 is 59, as RFC 5545 §3.3.12 has it where there are no leap seconds.
fn time_of_day(bytes: &[u8]) -> Option<NaiveTime> {
    if bytes.len() != 6 {
        return None;
    }
    let second = digits(&bytes[4..])?;
    let second = if second == 60 { 59 } else { second };
    NaiveTime::from_hms_opt(digits(&bytes[..2])?, digits(&bytes[2..4])?, second)
}

fn digits(bytes: &[u8]) -> Option<u32> {
    let all_digits = !bytes.is_empty() && bytes.len() <= 9 && bytes.iter().all(u8::is_ascii_digit);
    all_digits.then(|| {
        bytes
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    })
}

/// How long something lasts: days by the calendar, and then by the clock.
///
/// A day is as long as it is in the zone; hours are always the same (RFC 5545 §3.3.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lasting {
    pub(super) days: i64,
    pub(super) seconds: i64,
}

impl Lasting {
    pub(super) fn seconds(seconds: i64) -> Self {
        Self { days: 0, seconds }
    }

    pub(super) fn days(days: i64) -> Self {
        Self { days, seconds: 0 }
    }

    /// About as long as it is, for what need not be exact.
    pub(super) fn roughly(self) -> TimeDelta {
        TimeDelta::seconds(self.days * DAY_SECS + self.seconds)
    }
}

pub(super) const DAY_SECS: i64 = 86_400;

/// Nothing that is planned lasts longer than this many seconds: a hundred years.
const LONGEST: i64 = 100 * 366 * DAY_SECS;

/// `PT1H30M`, `P1D`, `-P2W`: RFC 5545 §3.3.6, in any combination; at most a hundred years.
pub(super) fn duration(text: &str) -> Option<Lasting> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut rest = text.strip_prefix(['P', 'p'])?;
    let mut sum = Lasting::default();
    let (mut in_time, mut items) = (false, 0);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix(['T', 't']).filter(|_| !in_time) {
            (rest, in_time) = (time, true);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number = i64::from(digits(&rest.as_bytes()[..end])?);
        match (rest.as_bytes()[end].to_ascii_uppercase(), in_time) {
            (b'W', false) => sum.days += number * 7,
            (b'D', false) => sum.days += number,
            (b'H', true) => sum.seconds += number * 3600,
            (b'M', true) => sum.seconds += number * 60,
            (b'S', true) => sum.seconds += number,
            _ => return None,
        }
        items += 1;
        rest = &rest[end + 1..];
    }
    if items == 0 || sum.days * DAY_SECS + sum.seconds > LONGEST {
        return None;
    }
    Some(if negative {
        Lasting {
            days: -sum.days,
            seconds: -sum.seconds,
        }
    } else {
        sum
    })
}

/// Seconds east of UTC: `+0100`, `-0330`, `+005328` (RFC 5545 §3.3.14).
pub(super) fn utc_offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let bytes = rest.as_bytes();
    let hours = digits(bytes.get(..2)?)?;
    let minutes = digits(bytes.get(2..4)?)?;
    let seconds = match bytes.get(4..)? {
        [] => 0,
        seconds => digits(seconds)?,
    };
    let valid = hours < 24 && minutes < 60 && seconds < 60 && bytes.len() <= 6;
    let total = (hours * 3600 + minutes * 60 + seconds).cast_signed();
    valid.then_some(sign * total)
}

/// How a period ends: `…/19970102T070000Z` or `…/PT5H`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeriodEnd {
    At(Written),
    After(Lasting),
}

/// `19970101T180000Z/PT5H30M` (RFC 5545 §3.3.9).
pub(super) fn period(text: &str) -> Option<(Written, PeriodEnd)> {
    let (start, end) = text.split_once('/')?;
    let end = match end.trim().as_bytes().first()? {
        b'0'..=b'9' => PeriodEnd::At(date_or_time(end)?),
        _ => PeriodEnd::After(duration(end)?),
    };
    Some((date_or_time(start)?, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_told_by_their_form() {
        let date = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let time = date.and_hms_opt(9, 0, 59).unwrap();
        assert_eq!(date_or_time("20260301"), Some(Written::Date(date)));
        assert_eq!(date_or_time("20260301T090059"), Some(Written::Local(time)));
        assert_eq!(date_or_time(" 20260301t090060z "), Some(Written::Utc(time)));
        for bad in [
            "",
            "2026",
            "20260230",
            "20261301",
            "20260301T",
            "20260301T0900",
            "20260301T250000",
            "20260301 090000",
            "2026030é",
            "+0260301",
            "20260301T090000+01",
        ] {
            assert_eq!(date_or_time(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn durations_keep_days_and_seconds_apart() {
        let lasting = |days, seconds| Some(Lasting { days, seconds });
        for (text, expected) in [
            ("PT1H30M", lasting(0, 5400)),
            ("P1D", lasting(1, 0)),
            ("-P2W", lasting(-14, 0)),
            ("+P15DT5H0M20S", lasting(15, 18_020)),
            ("P7W", lasting(49, 0)),
            ("P", None),
            ("PT", None),
            ("1H", None),
            ("P1H", None),
            ("PT1D", None),
            ("P1", None),
            ("P99999W", None),
            ("PT9999999999S", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn offsets_have_seconds_if_need_be() {
        assert_eq!(utc_offset("+0100"), Some(3600));
        assert_eq!(utc_offset("-0330"), Some(-12_600));
        assert_eq!(utc_offset("+005328"), Some(3208));
        for bad in ["", "+1", "+2400", "+0160", "+00é"] {
            assert_eq!(utc_offset(bad), None, "{bad}");
        }
    }

    #[test]
    fn periods_end_at_a_time_or_after_a_while() {
        let (start, end) = period("19970101T180000Z/PT5H30M").unwrap();
        assert!(matches!(start, Written::Utc(_)));
        assert_eq!(end, PeriodEnd::After(Lasting::seconds(19_800)));
        assert!(matches!(
            period("19970101/19970102"),
            Some((_, PeriodEnd::At(Written::Date(_))))
        ));
        assert_eq!(period("19970101T180000Z"), None);
    }
}
