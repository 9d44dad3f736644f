//! Timestamp identifiers: sortable record keys and repository revisions.

use crate::SyntaxError;
use crate::syntax_error::ensure;
use crate::text_type::text_type;

const LEN: usize = 13;
const CLOCK_ID_BITS: u32 = 10;
const TIMESTAMP_BITS: u32 = 53;

/// A timestamp identifier, e.g. `3jzfcijpj2z2a`: microseconds and a clock's number.
///
/// Sorts by time, then by clock identifier. Anybody can write any TID: it proves nothing about when
/// a record was made. Rules: <https://atproto.com/specs/tid>.
///
/// ```
/// use huddle_syntax::Tid;
///
/// let tid = Tid::from_parts(1_700_000_000_000_000, 7)?;
/// assert_eq!(tid, "3ke6kg3wk222b");
/// assert_eq!(tid.timestamp_micros(), 1_700_000_000_000_000);
/// assert_eq!(tid.clock_id(), 7);
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Tid([u8; LEN]);

text_type!(Tid: "TID");

impl Tid {
    /// Writes the TID of a moment, in microseconds since 1970, on a clock.
    ///
    /// Fails before 1970, after the 53 bits of the timestamp (the year 2255), and for a clock
    /// identifier above 10 bits (1023).
    pub const fn from_parts(timestamp_micros: i64, clock_id: u16) -> Result<Self, SyntaxError> {
        if timestamp_micros < 0 || timestamp_micros >> TIMESTAMP_BITS != 0 {
            return Err(SyntaxError::new(
                Self::KIND,
                "its timestamp is not of 53 bits",
            ));
        }
        if clock_id >> CLOCK_ID_BITS != 0 {
            return Err(SyntaxError::new(
                Self::KIND,
                "its clock identifier is not of 10 bits",
            ));
        }
        let mut rest = timestamp_micros.cast_unsigned() << CLOCK_ID_BITS | clock_id as u64;
        let mut text = [0; LEN];
        let mut place = LEN;
        while place > 0 {
            place -= 1;
            text[place] = digit((rest & 0x1f) as u8);
            rest >>= 5;
        }
        Ok(Self(text))
    }

    /// Microseconds since 1970.
    ///
    /// At most 53 bits in a TID that was made by the rules; the syntax leaves room for one more.
    pub fn timestamp_micros(&self) -> i64 {
        (self.number() >> CLOCK_ID_BITS).cast_signed()
    }

    /// The number, below 1024, that keeps clocks apart.
    pub fn clock_id(&self) -> u16 {
        (self.number() & 0x3ff) as u16
    }

    /// The text, as it came.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }

    fn into_text(self) -> Box<str> {
        self.as_str().into()
    }

    fn number(self) -> u64 {
        self.0
            .iter()
            .fold(0, |number, b| number << 5 | u64::from(value(*b)))
    }

    fn parse(text: impl AsRef<str>) -> Result<Self, SyntaxError> {
        match read(text.as_ref().as_bytes()) {
            Ok(text) => Ok(Self(text)),
            Err(problem) => Err(SyntaxError::new(Self::KIND, problem)),
        }
    }
}

fn read(text: &[u8]) -> Result<[u8; LEN], &'static str> {
    let text = <[u8; LEN]>::try_from(text).map_err(|_| "not 13 characters")?;
    ensure(
        text.iter().all(|b| matches!(b, b'2'..=b'7' | b'a'..=b'z')),
        "has a character other than `2`–`7` and `a`–`z`",
    )?;
    // The first of 13 digits of 5 bits holds the top 4 of 64.
    ensure(text[0] <= b'j', "above 64 bits")?;
    Ok(text)
}

fn ascii(text: &[u8]) -> &str {
    str::from_utf8(text).expect("base32-sortable is ASCII")
}

/// The character of a digit of base32-sortable: `2`–`7`, then `a`–`z`.
const fn digit(value: u8) -> u8 {
    if value < 6 {
        b'2' + value
    } else {
        b'a' + value - 6
    }
}

/// The value of a character of base32-sortable.
const fn value(digit: u8) -> u8 {
    if digit < b'a' {
        digit - b'2'
    } else {
        digit - b'a' + 6
    }
}

#[cfg(test)]
mod tests {
    use super::{SyntaxError, Tid};

    #[test]
    fn parts_are_read_from_the_text() {
        #[track_caller]
        fn check(text: &str, timestamp_micros: i64, clock_id: u16) {
            let tid: Tid = text.parse().unwrap();
            assert_eq!(
                (tid.timestamp_micros(), tid.clock_id()),
                (timestamp_micros, clock_id)
            );
        }
        check("2222222222222", 0, 0);
        check("222222222223z", 0, 63);
        check("22222222222zz", 0, 1023);
        check("2222222222322", 1, 0);
        check("bzzzzzzzzzzzz", (1 << 53) - 1, 1023);
        check("c222222222222", 1 << 53, 0);
        check("jzzzzzzzzzzzz", (1 << 54) - 1, 1023);
    }

    #[test]
    fn only_parts_that_fit_make_a_tid() {
        #[track_caller]
        fn check(timestamp_micros: i64, clock_id: u16, expect: Result<&str, &str>) {
            let actual = Tid::from_parts(timestamp_micros, clock_id);
            let actual = actual
                .as_ref()
                .map(Tid::as_str)
                .map_err(SyntaxError::problem);
            assert_eq!(actual, expect);
        }
        check(0, 0, Ok("2222222222222"));
        check((1 << 53) - 1, 1023, Ok("bzzzzzzzzzzzz"));
        check(1 << 53, 0, Err("its timestamp is not of 53 bits"));
        check(-1, 0, Err("its timestamp is not of 53 bits"));
        check(0, 1024, Err("its clock identifier is not of 10 bits"));
    }

    #[test]
    fn a_text_that_is_no_tid_says_why() {
        #[track_caller]
        fn check(text: &str, problem: &str) {
            assert_eq!(
                text.parse::<Tid>().map_err(|error| error.problem()),
                Err(problem)
            );
        }
        check("", "not 13 characters");
        check("3jzfcijpj2z2é", "not 13 characters");
        check(
            "3jzfcijpj2zé",
            "has a character other than `2`–`7` and `a`–`z`",
        );
        check("k222222222222", "above 64 bits");
    }
}
