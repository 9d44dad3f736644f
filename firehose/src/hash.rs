//! SHA-256, in one place.

#[cfg(feature = "native-crypto")]
use huddle_multibuffer::{Compressor, State};
use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};
use std::slice;

/// FIPS 180-4 §5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The hash of bytes that lie together. Blocks are short: padding them here, rather than in a buffer, saves a tenth.
#[inline]
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut state = INITIAL;
    let (whole, _) = bytes.as_chunks();
    if !whole.is_empty() {
        compress256(&mut state, whole);
    }
    let mut end = NO_END;
    let at = pad(bytes, &mut end);
    compress256(&mut state, &end[at..]);
    digest(state)
}

/// Hashes messages, and tells the hash of each with what was given with it; not in the order of the messages.
///
/// Every step of a hash waits for the step before. A processor that has instructions for them has time for steps of
/// other hashes meanwhile.
#[inline]
pub(crate) fn sha256_each<'a, T>(
    messages: impl Iterator<Item = (T, &'a [u8])>,
    tell: impl FnMut(T, [u8; 32]),
) {
    #[cfg(feature = "native-crypto")]
    if let Some(compressor) = Compressor::detect() {
        return by_turns(&compressor, messages, tell);
    }
    by_turns(&Alone, messages, tell);
}

/// The compression function, for the next block of each of some messages.
trait Compress {
    /// How many messages it is quickest for; at most [`LANES`].
    const AT_ONCE: usize;
    type State: Copy;
    const INITIAL: Self::State;

    fn compress<const N: usize>(&self, states: [&mut Self::State; N], blocks: [&[u8; 64]; N]);
    fn digest(state: Self::State) -> [u8; 32];
}

/// One block after the other. With two of them, a processor begins the second before it has finished the first: two
/// messages take three quarters of the time that they take one after the other.
struct Alone;

impl Compress for Alone {
    const AT_ONCE: usize = 2;
    type State = [u32; 8];
    const INITIAL: Self::State = INITIAL;

    #[inline]
    fn compress<const N: usize>(&self, states: [&mut Self::State; N], blocks: [&[u8; 64]; N]) {
        for (state, block) in states.into_iter().zip(blocks) {
            compress256(state, slice::from_ref(block));
        }
    }

    #[inline]
    fn digest(state: Self::State) -> [u8; 32] {
        digest(state)
    }
}

/// A round of each by turns: three messages take not quite two thirds of the time.
#[cfg(feature = "native-crypto")]
impl Compress for Compressor {
    const AT_ONCE: usize = 3;
    type State = State;
    const INITIAL: Self::State = State::INITIAL;

    #[inline]
    fn compress<const N: usize>(&self, states: [&mut Self::State; N], blocks: [&[u8; 64]; N]) {
        Self::compress(*self, states, blocks);
    }

    #[inline]
    fn digest(state: Self::State) -> [u8; 32] {
        state.digest()
    }
}

const LANES: usize = 3;

#[inline]
fn by_turns<'a, C: Compress, T>(
    compress: &C,
    mut messages: impl Iterator<Item = (T, &'a [u8])>,
    mut tell: impl FnMut(T, [u8; 32]),
) {
    let mut ends = [NO_END; LANES];
    let mut lanes: [_; LANES] = std::array::from_fn(|end| Message {
        about: None,
        state: C::INITIAL,
        whole: &[],
        end,
        at: NO_END.len(),
    });
    let mut active = 0;
    while active < C::AT_ONCE
        && let Some((about, bytes)) = messages.next()
    {
        lanes[active].begin(about, bytes, C::INITIAL, &mut ends);
        active += 1;
    }
    loop {
        match &mut lanes[..active] {
            [a, b, c] => step(compress, [a, b, c], &ends),
            [a, b] => step(compress, [a, b], &ends),
            [a] => step(compress, [a], &ends),
            _ => return,
        }
        for lane in (0..active).rev() {
            if lanes[lane].at < NO_END.len() {
                continue;
            }
            if let Some(about) = lanes[lane].about.take() {
                tell(about, C::digest(lanes[lane].state));
            }
            if let Some((about, bytes)) = messages.next() {
                lanes[lane].begin(about, bytes, C::INITIAL, &mut ends);
            } else {
                active -= 1;
                lanes.swap(lane, active);
            }
        }
    }
}

/// Hashes one more block of each.
#[inline]
fn step<C: Compress, T, const N: usize>(
    compress: &C,
    messages: [&mut Message<'_, T, C::State>; N],
    ends: &[End; LANES],
) {
    let mut blocks = [&[0; 64]; N];
    let mut at = 0;
    let states = messages.map(|message| {
        if let Some((block, whole)) = message.whole.split_first() {
            blocks[at] = block;
            message.whole = whole;
        } else {
            blocks[at] = &ends[message.end][message.at];
            message.at += 1;
        }
        at += 1;
        &mut message.state
    });
    compress.compress(states, blocks);
}

/// A message of which a part has been hashed. It is moved about, so its end lies elsewhere.
struct Message<'a, T, S> {
    about: Option<T>,
    state: S,
    /// The blocks that lie in it as they are, without those that have been hashed.
    whole: &'a [[u8; 64]],
    /// Which of the ends is its own, and the block of it that is the next behind those.
    end: usize,
    at: usize,
}

impl<'a, T, S> Message<'a, T, S> {
    #[inline]
    fn begin(&mut self, about: T, bytes: &'a [u8], state: S, ends: &mut [End; LANES]) {
        let (whole, _) = bytes.as_chunks();
        self.about = Some(about);
        self.state = state;
        self.whole = whole;
        self.at = pad(bytes, &mut ends[self.end]);
    }
}

/// What is left over of a message behind its whole blocks, padded to one block or two. Before them is room for more.
type End = [[u8; 64]; 3];

const NO_END: End = [[0; 64]; 3];

/// Writes the end of a message, and returns the block that it begins in.
#[inline]
fn pad(message: &[u8], end: &mut End) -> usize {
    let (_, rest) = message.as_chunks::<64>();
    // FIPS 180-4 §5.1.1: a bit, zeros, and the length in bits at the end of a block.
    let at = 1 + usize::from(rest.len() < 56);
    end[1..].fill([0; 64]);
    let bytes = end.as_flattened_mut();
    let stop = 64 * at + rest.len();
    // To move as many bytes as a block has takes two instructions, however few of them are wanted; to move any other number
    // takes a call.
    match message.last_chunk::<64>() {
        Some(last) => bytes[stop - 64..stop].copy_from_slice(last),
        None => bytes[64 * at..stop].copy_from_slice(rest),
    }
    bytes[stop] = 0x80;
    end[2][56..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    at
}

#[inline]
fn digest(state: [u32; 8]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

/// The hash of bytes that do not lie together.
pub(crate) fn sha256_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{Alone, by_turns, sha256, sha256_each, sha256_of};

    #[test]
    fn every_length_of_padding_gives_the_hash_that_the_library_gives() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            let bytes = &bytes[..length];
            assert_eq!(sha256(bytes), sha256_of(&[bytes]), "{length}");
        }
    }

    #[test]
    fn messages_that_are_hashed_at_once_have_the_hashes_that_they_have_alone() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        // Long and short ones by turns, of all lengths of padding.
        let lengths = (0..=255).map(|number: usize| number * 77 % 257 * (number % 4));
        let messages: Vec<_> = lengths.map(|length| &bytes[..length]).collect();
        for count in (0..=4).chain([messages.len()]) {
            let numbered = || messages[..count].iter().copied().enumerate();
            let alone = numbered().map(|(_, bytes)| Some(sha256(bytes)));
            let alone: Vec<_> = alone.collect();
            let (mut here, mut anywhere) = (vec![None; count], vec![None; count]);
            sha256_each(numbered(), |number, hash| {
                assert_eq!(here[number].replace(hash), None, "{number} of {count}");
            });
            assert_eq!(here, alone);
            by_turns(&Alone, numbered(), |number, hash| {
                assert_eq!(anywhere[number].replace(hash), None, "{number} of {count}");
            });
            assert_eq!(anywhere, alone);
        }
    }
}
