//! Sets of the small numbers that the parts of a rule list, as bits: what is asked of them most is membership.

use std::iter;

const WORDS: usize = 6;

/// Numbers from 1 to 383 that count from the start, and as many that count from the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ordinals {
    from_start: [u64; WORDS],
    from_end: [u64; WORDS],
}

impl Ordinals {
    /// Adds `ordinal`, which is not 0 and no further from it than 383.
    pub(super) fn insert(&mut self, ordinal: i16) {
        let bits = if ordinal > 0 {
            &mut self.from_start
        } else {
            &mut self.from_end
        };
        let number = usize::from(ordinal.unsigned_abs());
        if let Some(word) = bits.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.from_start == [0; WORDS] && self.from_end == [0; WORDS]
    }

    /// Whether the `number`-th of `length`, counted from 1, is named from either side.
    pub(super) fn names(&self, number: u32, length: u32) -> bool {
        let has = |bits: &[u64; WORDS], number: u32| {
            let word = bits.get(number as usize / 64).copied().unwrap_or_default();
            word >> (number % 64) & 1 != 0
        };
        has(&self.from_start, number) || has(&self.from_end, (length + 1).saturating_sub(number))
    }

    /// All of them: from the end as negative numbers, in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = i16> {
        let numbers = |bits: [u64; WORDS]| {
            (0..)
                .zip(bits)
                .flat_map(|(i, word)| ones(word).map(move |bit| i * 64 + i16::from(bit)))
        };
        let mut negative: Vec<i16> = numbers(self.from_end).map(|n| -n).collect();
        negative.reverse();
        negative.into_iter().chain(numbers(self.from_start))
    }
}

/// Numbers from 0 to 63: months, hours, minutes or seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Units(u64);

impl Units {
    pub(super) fn only(number: u32) -> Self {
        Self(1 << (number % 64))
    }

    /// Adds `number`, which is below 64.
    pub(super) fn insert(&mut self, number: u32) {
        self.0 |= Self::only(number).0;
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn contains(self, number: u32) -> bool {
        self.0 & Self::only(number).0 != 0
    }

    pub(super) fn len(self) -> u64 {
        self.0.count_ones().into()
    }

    /// The `place`-th in ascending order, from 0; there must be so many.
    pub(super) fn at(self, place: u64) -> u32 {
        if self.0.is_power_of_two() {
            return self.0.trailing_zeros();
        }
        let mut rest = self.0;
        for _ in 0..place {
            rest &= rest.wrapping_sub(1);
        }
        rest.trailing_zeros()
    }

    /// The first that is at least `number`.
    pub(super) fn at_least(self, number: u32) -> Option<u32> {
        let rest = self.0 & u64::MAX.checked_shl(number).unwrap_or(0);
        (rest != 0).then(|| rest.trailing_zeros())
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        ones(self.0)
    }
}

/// The places of the bits that are set, in ascending order.
fn ones(mut word: u64) -> impl Iterator<Item = u8> {
    iter::from_fn(move || {
        let place = u8::try_from(word.trailing_zeros()).ok()?;
        word &= word.wrapping_sub(1);
        (place < 64).then_some(place)
    })
}
