//! The numbers of CIDs and of CAR: <https://github.com/multiformats/unsigned-varint>.

/// The longest number of the form, which has 63 bits.
const MAX_VARINT: usize = 9;

/// An unsigned varint in its shortest form, and what follows it.
#[inline]
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes {
        // Nearly every one there is.
        [low @ 0x80..=0xff, high @ 1..0x80, rest @ ..] => {
            Some((u64::from(low & 0x7f) | u64::from(*high) << 7, rest))
        }
        _ => any_varint(bytes),
    }
}

fn any_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate().take(MAX_VARINT) {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let is_shortest = *byte != 0 || place == 0;
            return is_shortest.then(|| (number, &bytes[place + 1..]));
        }
    }
    None
}

/// Appends a number in its shortest form.
pub(crate) fn write(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push((number & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use super::{varint, write};

    #[test]
    fn numbers_survive() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), (1 << 63) - 1] {
            let mut bytes = Vec::new();
            write(number, &mut bytes);
            assert_eq!(varint(&bytes), Some((number, &[][..])));
            bytes.push(9);
            assert_eq!(varint(&bytes), Some((number, &[9][..])));
        }
    }

    #[test]
    fn only_the_shortest_form_of_63_bits_is_a_number() {
        #[track_caller]
        fn check(bytes: &[u8]) {
            assert_eq!(varint(bytes), None);
        }
        check(&[]);
        check(&[0x80]);
        check(&[0x80, 0]);
        check(&[0xff, 0x80, 0]);
        check(&[0xff; 10]);
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    }
}
