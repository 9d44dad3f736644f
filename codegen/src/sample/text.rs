//! Strings of given sizes and formats.

use super::{LONGEST, Sampling};
use crate::model::{Format, StringSchema};
use crate::validate::string;

/// How many candidates are tried for a format that also has bounds.
const ATTEMPTS: usize = 64;

/// The most bytes of a string that has no bound, and need not have more.
const GENEROUS_BYTES: usize = 200;

impl<R: FnMut() -> u64> Sampling<'_, R> {
    /// A string that satisfies its schema, if one is found.
    pub(super) fn string(&mut self, schema: &StringSchema) -> Option<String> {
        let fits = |text: &String| string(schema, text).is_empty();
        if let Some(constant) = &schema.constant {
            return Some(constant.clone());
        }
        if let Some(values) = &schema.values {
            return self.pick(values).cloned();
        }
        if !schema.known_values.is_empty() && !self.one_in(4) {
            let known = self.pick(&schema.known_values).cloned().filter(fits);
            if known.is_some() {
                return known;
            }
        }
        if let Some(format) = schema.format {
            return (0..ATTEMPTS).find_map(|_| Some(self.formatted(format)).filter(fits));
        }
        self.plain(schema)
    }

    /// A string of no format within the bounds of bytes and graphemes.
    fn plain(&mut self, schema: &StringSchema) -> Option<String> {
        let least = schema.min_length.unwrap_or(0);
        let most = schema.max_length.unwrap_or(GENEROUS_BYTES.max(least));
        // A grapheme has a byte or more, and no bytes make no grapheme.
        let fewest = schema
            .min_graphemes
            .unwrap_or(0)
            .max(usize::from(least > 0));
        let greatest = schema.max_graphemes.unwrap_or(most).min(most);
        if greatest < fewest || least > LONGEST || fewest > LONGEST {
            return None;
        }
        let graphemes = self.length(Some(fewest), Some(greatest));
        let mut sizes = vec![1; graphemes];
        let mut bytes = graphemes;
        for size in &mut sizes {
            let wanted = [1, 1, 1, 2, 3, 4, 8, 25][self.below(8)];
            if bytes - *size + wanted <= most {
                bytes = bytes - *size + wanted;
                *size = wanted;
            }
        }
        if let (Some(last), true) = (sizes.last_mut(), bytes < least) {
            *last += least - bytes;
        }
        let text: String = sizes.into_iter().map(grapheme).collect();
        string(schema, &text).is_empty().then_some(text)
    }

    /// A string of a format, of any length that is usual for it.
    fn formatted(&mut self, format: Format) -> String {
        let length = self.length(Some(1), Some(40));
        let word = self.word(length);
        match format {
            Format::AtIdentifier if self.one_in(2) => self.formatted(Format::Handle),
            Format::AtIdentifier | Format::Did => match self.below(3) {
                0 => format!(
                    "did:plc:{}",
                    self.characters(b"abcdefghijklmnopqrstuvwxyz234567", 24)
                ),
                1 => format!("did:web:{word}.example.com"),
                _ => format!("did:x:{word}%20{word}"),
            },
            Format::AtUri => match self.below(3) {
                0 => format!("at://{}", self.formatted(Format::AtIdentifier)),
                1 => format!("at://{}/com.example.thing", self.formatted(Format::Did)),
                _ => format!(
                    "at://{}/com.example.thing/{}",
                    self.formatted(Format::Handle),
                    self.formatted(Format::Tid)
                ),
            },
            Format::Cid => self.link().to_string(),
            Format::Datetime => self.datetime(),
            Format::Handle => match self.below(2) {
                0 => format!("{word}.test"),
                _ => format!("{}.Example-1.com", self.word(3)),
            },
            Format::Language => {
                let tags = [
                    "en",
                    "pt-BR",
                    "ban",
                    "hy-Latn-IT-arevela",
                    "i-default",
                    "de-CH-1996",
                ];
                tags[self.below(tags.len())].to_owned()
            }
            Format::Nsid => format!("com.example.{word}.fooBar"),
            Format::RecordKey => match self.below(3) {
                0 => "self".to_owned(),
                1 => format!("{word}:a.b_c~d-e"),
                _ => self.formatted(Format::Tid),
            },
            Format::Tid => {
                let first = self.characters(b"234567abcdefghij", 1);
                let rest = self.characters(b"234567abcdefghijklmnopqrstuvwxyz", 12);
                first + &rest
            }
            Format::Uri => match self.below(3) {
                0 => format!("https://{word}.example.com/{word}?q=%C3%A9#f"),
                1 => format!("urn:x:{word}"),
                _ => self.formatted(Format::AtUri),
            },
        }
    }

    fn datetime(&mut self) -> String {
        let (year, month, day) = (
            1970 + self.below(130),
            1 + self.below(12),
            1 + self.below(28),
        );
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        let fraction = ["", ".5", ".120", ".123456", ".123456789012"][self.below(5)];
        let offset = ["Z", "+00:00", "-10:00", "+05:45", "+14:00", "-23:59"][self.below(6)];
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}")
    }

    /// Lower-case letters and digits that begin with a letter.
    fn word(&mut self, length: usize) -> String {
        let first = self.characters(b"abcdefghijklmnopqrstuvwxyz", 1);
        let rest = self.characters(
            b"abcdefghijklmnopqrstuvwxyz0123456789",
            length.saturating_sub(1),
        );
        first + &rest
    }

    fn characters(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }
}

/// One grapheme cluster of a size in bytes, which is not 0.
pub(super) fn grapheme(size: usize) -> String {
    const ACUTE: &str = "\u{301}";
    match size {
        3 => "語".to_owned(),
        4 => "😀".to_owned(),
        8 => "🇩🇪".to_owned(),
        25 => "👩‍👩‍👦‍👦".to_owned(),
        odd if odd % 2 == 1 => "a".to_owned() + &ACUTE.repeat(odd / 2),
        even => "é".to_owned() + &ACUTE.repeat(even / 2 - 1),
    }
}
