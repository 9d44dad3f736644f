//! Revisions: TIDs as the numbers that they are.

use std::fmt;
use std::time::Duration;

const LEN: usize = 13;
const CLOCK_ID_BITS: u32 = 10;

/// A timestamp identifier, e.g. `3jzfcijpj2z2a`: what the revisions of a repository are, in ascending order.
///
/// Anybody can write any TID: it proves nothing about when something was made. Rules:
/// <https://atproto.com/specs/tid>.
///
/// ```
/// use huddle_firehose::Tid;
///
/// let rev: Tid = "3ke6kg3wk222b".parse()?;
/// assert_eq!(rev.since_epoch().as_micros(), 1_700_000_000_000_000);
/// assert_eq!(rev.to_string(), "3ke6kg3wk222b");
/// # Ok::<(), huddle_firehose::InvalidTid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid(u64);

/// Not 13 characters of base32-sortable that hold 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a TID")]
pub struct InvalidTid;

impl Tid {
    /// The TID of a moment on clock 0: the time since 1970, to the microsecond, of which 54 bits are kept.
    pub const fn from_time(since_epoch: Duration) -> Self {
        let micros = since_epoch.as_secs().wrapping_mul(1_000_000);
        Self(micros.wrapping_add(since_epoch.subsec_micros() as u64) << CLOCK_ID_BITS)
    }

    /// The time since 1970 that it claims.
    pub const fn since_epoch(self) -> Duration {
        Duration::from_micros(self.0 >> CLOCK_ID_BITS)
    }
}

/// What each byte is worth as a digit.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value: u8 = 0;
    while value < 32 {
        values[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    values
};
const DIGITS: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
/// All of its bits are set: so are those of any number of bytes of which one is no digit.
const NO_DIGIT: u8 = u8::MAX;

impl std::str::FromStr for Tid {
    type Err = InvalidTid;

    #[inline]
    fn from_str(text: &str) -> Result<Self, InvalidTid> {
        let text: &[u8; LEN] = text.as_bytes().as_array().ok_or(InvalidTid)?;
        // The first of 13 digits of 5 bits holds the top 4 of 64.
        if text[0] > b'j' {
            return Err(InvalidTid);
        }
        let (mut number, mut values) = (0, 0);
        for digit in text {
            let value = VALUES[usize::from(*digit)];
            values |= value;
            number = number << 5 | u64::from(value & 31);
        }
        if values == NO_DIGIT {
            return Err(InvalidTid);
        }
        Ok(Self(number))
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; LEN];
        for (place, digit) in text.iter_mut().rev().enumerate() {
            *digit = DIGITS[(self.0 >> (5 * place) & 31) as usize];
        }
        f.write_str(str::from_utf8(&text).expect("base32-sortable is ASCII"))
    }
}

impl fmt::Debug for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Tid;
    use huddle_testdata::shared_text;
    use proptest::prelude::*;
    use std::time::Duration;

    #[track_caller]
    fn check(text: &str) {
        let reference = text.parse::<huddle_syntax::Tid>();
        let tid = text.parse::<Tid>();
        assert_eq!(tid.is_ok(), reference.is_ok(), "{text:?}");
        if let (Ok(tid), Ok(reference)) = (tid, reference) {
            assert_eq!(tid.to_string(), text);
            let micros = i64::try_from(tid.since_epoch().as_micros());
            assert_eq!(micros, Ok(reference.timestamp_micros()));
        }
    }

    #[test]
    fn interop_vectors_are_judged_as_by_the_type_of_huddle_syntax() {
        for verdict in ["valid", "invalid"] {
            let file = format!("conformance/interop/syntax/tid_syntax_{verdict}.txt");
            let Some(text) = shared_text(&file) else {
                return;
            };
            text.lines().for_each(check);
        }
    }

    #[test]
    fn a_moment_becomes_the_first_tid_of_its_microsecond() {
        let tid = Tid::from_time(Duration::from_secs(1_700_000_000));
        assert_eq!(tid.to_string(), "3ke6kg3wk2222");
    }

    proptest! {
        #[test]
        fn texts_that_are_nearly_right_are_judged_as_by_the_type(text in "[0-9a-zA-Z]{12,14}|[2-7a-z]{13}") {
            check(&text);
        }

        #[test]
        fn order_is_that_of_the_texts(one in "[2-7a-j][2-7a-z]{12}", other in "[2-7a-j][2-7a-z]{12}") {
            let tids: (Tid, Tid) = (one.parse().unwrap(), other.parse().unwrap());
            prop_assert_eq!(tids.0.cmp(&tids.1), one.cmp(&other));
        }
    }
}
