//! Frames with something wrong with them, the same ones every time.

/// Numbers that are spread evenly (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below this one.
    #[expect(clippy::cast_possible_truncation, reason = "it is below a `usize`")]
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

/// Changes a frame in one place: mostly where it is not a block, of which any change is seen by its hash.
pub fn mutate(frame: &[u8], random: &mut Random) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let blocks = find(&frame, b"\x66blocks").unwrap_or(frame.len());
    let end = find(&frame, b"\x66commit\xd8").unwrap_or(0);
    let outside = blocks + (frame.len() - end.max(blocks));
    let place = match random.below(8) {
        0 => random.below(frame.len()),
        _ => match random.below(outside.max(1)) {
            place if place < blocks => place,
            place => place - blocks + end,
        },
    };
    match random.below(5) {
        0 => drop(frame.remove(place)),
        1 => frame.insert(place, u8::try_from(random.below(256)).unwrap_or_default()),
        2 => frame[place] = frame[random.below(frame.len())],
        _ => frame[place] ^= 1 << random.below(8),
    }
    frame
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
