//! The dates of HTTP, in each of the three forms that are to be understood (RFC 9110 §5.6.7).

use chrono::{DateTime, Months, NaiveDateTime};
use huddle_ports::Timestamp;

/// The moment that a date tells.
pub(crate) fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    let moment = imf_fixdate(text)
        .or_else(|| rfc850(text, now))
        .or_else(|| asctime(text))?;
    Some(Timestamp::from_millis(moment.and_utc().timestamp_millis()))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, and its like in mails.
fn imf_fixdate(text: &str) -> Option<NaiveDateTime> {
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.naive_utc())
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`: a year that is more than 50 years ahead is the last one that ended so.
fn rfc850(text: &str, now: Timestamp) -> Option<NaiveDateTime> {
    const CENTURY: Months = Months::new(1200);
    let (_, text) = text.split_once(", ")?;
    let date = NaiveDateTime::parse_from_str(text, "%d-%b-%y %H:%M:%S GMT").ok()?;
    let latest = DateTime::from_timestamp_millis(now.as_millis())?
        .naive_utc()
        .checked_add_months(Months::new(600))?;
    let later = date.checked_add_months(CENTURY)?;
    Some(if later <= latest { later } else { date })
}

/// `Sun Nov  6 08:49:37 1994`.
fn asctime(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%a %b %e %H:%M:%S %Y").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T12:00:00Z.
    const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let expect = expect.map(|moment| {
            let moment = DateTime::parse_from_rfc3339(moment).unwrap();
            Timestamp::from_millis(moment.timestamp_millis())
        });
        assert_eq!(parse(text, NOON), expect, "{text}");
    }

    #[test]
    fn each_of_the_three_forms_is_read() {
        let expect = Some("1994-11-06T08:49:37Z");
        check("Sun, 06 Nov 1994 08:49:37 GMT", expect);
        check("Sunday, 06-Nov-94 08:49:37 GMT", expect);
        check("Sun Nov  6 08:49:37 1994", expect);
        check("Sun Nov 16 08:49:37 2036", Some("2036-11-16T08:49:37Z"));
        for text in ["", "soon", "Sunday, 06-Nov-94", "06-Nov-94 08:49:37 GMT"] {
            check(text, None);
        }
    }

    #[test]
    fn a_year_of_two_digits_is_at_most_fifty_years_ahead() {
        check(
            "Saturday, 21-Nov-26 12:01:30 GMT",
            Some("2026-11-21T12:01:30Z"),
        );
        check(
            "Saturday, 21-Nov-76 12:00:00 GMT",
            Some("2076-11-21T12:00:00Z"),
        );
        check(
            "Sunday, 21-Nov-76 12:00:01 GMT",
            Some("1976-11-21T12:00:01Z"),
        );
    }
}
