//! Datetimes: a moment and the offset it was written in, as text.

use crate::SyntaxError;
use crate::syntax_error::ensure;
use crate::text_type::text_type;
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, Timelike, Utc};
use std::cmp::Ordering;
use std::ops::Range;

/// A datetime, e.g. `2026-02-28T09:30:00.000-10:00`, kept exactly as it was written.
///
/// Two datetimes are equal if their texts are: a record must survive a rewrite unchanged. There is
/// no order, because that of the texts is not that of the moments; compare
/// [`instant`](Datetime::instant)s, or sort by [`cmp_instant`](Datetime::cmp_instant).
///
/// The form is what RFC 3339, ISO 8601 and HTML have in common: an upper-case `T`, seconds, any
/// number of fraction digits up to 64 bytes in all, and `Z` or an offset of ±23:59 at most, but not
/// `-00:00`. There are no leap seconds, and nothing before the year 0000 in UTC. Rules:
/// <https://atproto.com/specs/lexicon#datetime>.
///
/// ```
/// use huddle_syntax::Datetime;
///
/// let start: Datetime = "2026-02-28T09:30:00-10:00".parse()?;
/// assert_eq!(start.offset().local_minus_utc(), -10 * 3600);
///
/// let utc = Datetime::from_utc(start.instant())?;
/// assert_eq!(utc, "2026-02-28T19:30:00.000Z");
/// assert_ne!(start, utc);
/// assert!(start.cmp_instant(&utc).is_eq());
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct Datetime {
    text: Box<str>,
    value: DateTime<FixedOffset>,
}

text_type!(Datetime: "datetime", unordered);

impl Datetime {
    /// Writes a moment, in milliseconds since 1970, as `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    ///
    /// Fails outside the years 0000–9999, which four digits cannot write.
    pub fn from_timestamp_millis(millis: i64) -> Result<Self, SyntaxError> {
        DateTime::from_timestamp_millis(millis)
            .filter(|instant| (0..=9999).contains(&instant.year()))
            .map(|instant| Self {
                text: canonical(&instant).into(),
                value: instant.fixed_offset(),
            })
            .ok_or(SyntaxError::new(
                Self::KIND,
                "not in the years 0000 to 9999",
            ))
    }

    /// Writes a moment as [`from_timestamp_millis`](Self::from_timestamp_millis) does.
    ///
    /// What is below a millisecond is dropped, towards the past.
    pub fn from_utc(instant: DateTime<Utc>) -> Result<Self, SyntaxError> {
        Self::from_timestamp_millis(instant.timestamp_millis())
    }

    /// The moment, down to nanoseconds; digits beyond them are dropped, towards the past.
    pub const fn instant(&self) -> DateTime<Utc> {
        self.value.to_utc()
    }

    /// The offset from UTC that the text is written in; zero for `Z`.
    pub const fn offset(&self) -> FixedOffset {
        *self.value.offset()
    }

    /// Milliseconds since 1970; digits beyond them are dropped, towards the past.
    pub const fn timestamp_millis(&self) -> i64 {
        self.value.timestamp_millis()
    }

    /// Microseconds since 1970; digits beyond them are dropped, towards the past.
    pub const fn timestamp_micros(&self) -> i64 {
        self.value.timestamp_micros()
    }

    /// Which moment is earlier; equal for texts that write one moment differently.
    pub fn cmp_instant(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }

    /// The text, as it came.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn into_text(self) -> Box<str> {
        self.text
    }

    fn parse(text: impl AsRef<str> + Into<Box<str>>) -> Result<Self, SyntaxError> {
        match read(text.as_ref().as_bytes()) {
            Ok(value) => Ok(Self {
                text: text.into(),
                value,
            }),
            Err(problem) => Err(SyntaxError::new(Self::KIND, problem)),
        }
    }
}

fn canonical(instant: &DateTime<Utc>) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        instant.year(),
        instant.month(),
        instant.day(),
        instant.hour(),
        instant.minute(),
        instant.second(),
        instant.timestamp_subsec_millis(),
    )
}

const MAX_LEN: usize = 64;
const FORM: &str = "not of the form YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)";

fn read(text: &[u8]) -> Result<DateTime<FixedOffset>, &'static str> {
    ensure(text.len() <= MAX_LEN, "longer than 64 bytes")?;
    let (head, rest) = text.split_first_chunk::<19>().ok_or(FORM)?;
    let separators = [head[4], head[7], head[10], head[13], head[16]];
    ensure(separators == *b"--T::", FORM)?;
    let field = |place: Range<usize>| number(&head[place]);
    let (year, month, day) = (field(0..4)?.cast_signed(), field(5..7)?, field(8..10)?);
    let (hour, minute, second) = (field(11..13)?, field(14..16)?, field(17..19)?);
    let (nanos, rest) = fraction(rest)?;
    let offset = offset(rest)?;

    let date = NaiveDate::from_ymd_opt(year, month, day).ok_or("no such day")?;
    let time =
        NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).ok_or("no such time of day")?;
    let value = date
        .and_time(time)
        .and_local_timezone(offset)
        .single()
        .ok_or(FORM)?;
    ensure(value.naive_utc().year() >= 0, "before the year 0000 in UTC")?;
    Ok(value)
}

fn fraction(text: &[u8]) -> Result<(u32, &[u8]), &'static str> {
    let [b'.', text @ ..] = text else {
        return Ok((0, text));
    };
    let length = text.iter().take_while(|b| b.is_ascii_digit()).count();
    ensure(length > 0, "has no digits after the point")?;
    let (digits, rest) = text.split_at(length);
    let nanos = (0..9).fold(0, |nanos, place| {
        nanos * 10 + digits.get(place).map_or(0, |digit| u32::from(digit - b'0'))
    });
    Ok((nanos, rest))
}

fn offset(text: &[u8]) -> Result<FixedOffset, &'static str> {
    let seconds = match *text {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
            ensure(hours <= 23 && minutes <= 59, "no such offset from UTC")?;
            let seconds = (hours * 3600 + minutes * 60).cast_signed();
            ensure(sign == b'+' || seconds != 0, "its offset is `-00:00`")?;
            if sign == b'+' { seconds } else { -seconds }
        }
        [] => return Err("has no offset from UTC"),
        _ => return Err(FORM),
    };
    FixedOffset::east_opt(seconds).ok_or("no such offset from UTC")
}

fn number(digits: &[u8]) -> Result<u32, &'static str> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Ok(number * 10 + u32::from(digit - b'0')),
        _ => Err(FORM),
    })
}

#[cfg(test)]
mod tests {
    use super::{Datetime, SyntaxError};
    use chrono::{DateTime, Utc};

    #[track_caller]
    fn parse(text: &str) -> Datetime {
        text.parse().unwrap()
    }

    #[test]
    fn every_offset_is_read_and_kept() {
        #[track_caller]
        fn check(offset: &str, seconds: i32) {
            let datetime = parse(&format!("2026-01-01T10:00:00{offset}"));
            assert_eq!(datetime.offset().local_minus_utc(), seconds);
            let utc = parse("2026-01-01T10:00:00Z").instant().timestamp();
            assert_eq!(datetime.instant().timestamp(), utc - i64::from(seconds));
        }
        check("Z", 0);
        check("+00:00", 0);
        check("-00:01", -60);
        check("-10:00", -36_000);
        check("+05:45", 20_700);
        check("+14:00", 50_400);
        check("+23:59", 86_340);
        check("-23:59", -86_340);
    }

    #[test]
    fn a_text_that_is_no_datetime_says_why() {
        #[track_caller]
        fn check(text: &str, problem: &str) {
            assert_eq!(
                text.parse::<Datetime>().map_err(|error| error.problem()),
                Err(problem)
            );
        }
        let form = "not of the form YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)";
        check("", form);
        check("2026-01-01T10:00:00Z ", form);
        check("2026-01-01T10:00:00ZZ", form);
        check("2026-01-01T10:00:00+1:000", form);
        check("2026-01-01T10:00:00+-1:00", form);
        check("2026-01-01T10:00:0٣Z", form);
        check("+026-01-01T10:00:00Z", form);
        check("2026-01-01T10:00:00,5Z", form);
        check("2026-01-01T10:00:00", "has no offset from UTC");
        check("2026-01-01T10:00:00.Z", "has no digits after the point");
        check("2026-01-01T10:00:00-00:00", "its offset is `-00:00`");
        check("2026-01-01T10:00:00+24:00", "no such offset from UTC");
        check("2026-01-01T10:00:00+10:60", "no such offset from UTC");
        check("2026-01-01T24:00:00Z", "no such time of day");
        check("2026-01-01T23:60:00Z", "no such time of day");
        check("2016-12-31T23:59:60Z", "no such time of day");
        check("2026-02-29T10:00:00Z", "no such day");
        check("1900-02-29T10:00:00Z", "no such day");
        check("2026-04-31T10:00:00Z", "no such day");
        check("0000-01-01T00:00:00+00:01", "before the year 0000 in UTC");
        check(
            &format!("2026-01-01T10:00:00.{}Z", "0".repeat(44)),
            "longer than 64 bytes",
        );
    }

    #[test]
    fn the_days_that_exist_once_in_four_years_exist() {
        for text in [
            "2024-02-29T23:59:59Z",
            "2000-02-29T00:00:00Z",
            "0000-02-29T00:00:00Z",
        ] {
            assert_eq!(parse(text), text);
        }
    }

    #[test]
    fn fractions_are_rounded_towards_the_past() {
        #[track_caller]
        fn check(text: &str, micros: i64, nanos: u32) {
            let datetime = parse(text);
            assert_eq!(datetime.timestamp_micros(), micros);
            assert_eq!(datetime.instant().timestamp_subsec_nanos(), nanos);
        }
        check("1970-01-01T00:00:00.1Z", 100_000, 100_000_000);
        check("1970-01-01T00:00:00.0000019999Z", 1, 1_999);
        check("1970-01-01T00:00:00.123456789999Z", 123_456, 123_456_789);
        check("1969-12-31T23:59:59.9999999Z", -1, 999_999_900);
        check("1969-12-31T23:59:59.0000001Z", -1_000_000, 100);
        check(
            &format!("1970-01-01T00:00:00.{}Z", "9".repeat(43)),
            999_999,
            999_999_999,
        );
    }

    #[test]
    fn the_range_of_years_is_that_of_four_digits() {
        #[track_caller]
        fn check(text: &str, seconds: i64) {
            assert_eq!(parse(text).instant().timestamp(), seconds);
        }
        check("0000-01-01T00:00:00Z", -62_167_219_200);
        check("9999-12-31T23:59:59Z", 253_402_300_799);
        // Written in four digits, although it is the year 10000 in UTC.
        check("9999-12-31T23:59:59-23:59", 253_402_300_799 + 86_340);
    }

    #[test]
    fn a_moment_is_written_in_the_preferred_form() {
        #[track_caller]
        fn check(millis: i64, expect: Result<&str, &str>) {
            let actual = Datetime::from_timestamp_millis(millis);
            let actual = actual
                .as_ref()
                .map(Datetime::as_str)
                .map_err(SyntaxError::problem);
            assert_eq!(actual, expect);
        }
        let out_of_range = Err("not in the years 0000 to 9999");
        check(0, Ok("1970-01-01T00:00:00.000Z"));
        check(-1, Ok("1969-12-31T23:59:59.999Z"));
        check(482_196_050_120, Ok("1985-04-12T23:20:50.120Z"));
        check(-62_167_219_200_000, Ok("0000-01-01T00:00:00.000Z"));
        check(-62_167_219_200_001, out_of_range);
        check(253_402_300_799_999, Ok("9999-12-31T23:59:59.999Z"));
        check(253_402_300_800_000, out_of_range);
        check(i64::MIN, out_of_range);
        check(i64::MAX, out_of_range);
    }

    #[test]
    fn a_written_moment_is_rounded_towards_the_past() {
        #[track_caller]
        fn check(nanos: i64, expect: &str) {
            let datetime =
                Datetime::from_utc(DateTime::<Utc>::from_timestamp_nanos(nanos)).unwrap();
            assert_eq!(datetime, expect);
        }
        check(1_999_999, "1970-01-01T00:00:00.001Z");
        check(-1, "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn one_moment_written_twice_is_two_datetimes() {
        let (zulu, offset) = (
            parse("2026-01-01T10:00:00Z"),
            parse("2026-01-01T10:00:00+00:00"),
        );
        assert_ne!(zulu, offset);
        assert!(zulu.cmp_instant(&offset).is_eq());
        assert!(
            zulu.cmp_instant(&parse("2026-01-01T10:00:00+00:01"))
                .is_gt()
        );
    }
}
