//! Lines and characters: folding, line ends, and the two ways of escaping.

use std::borrow::Cow;
use std::fmt;

/// The most octets of a line that is written, its end not counted (RFC 5545 §3.1).
const LINE_OCTETS: usize = 75;

/// Bytes as text: without a byte order mark, and with what is no UTF-8 replaced by U+FFFD.
///
/// Borrows, unless something has to be replaced. Some programs fold in the middle of a character
/// (RFC 5545 §3.1 has them warned): then lines are joined before characters are looked for.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(String::from_utf8_lossy(&joined(bytes)).into_owned()),
    }
}

/// The bytes without their folds.
fn joined(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let after_break = match rest {
            [b'\r', b'\n', b' ' | b'\t', after @ ..]
            | [b'\r' | b'\n', b' ' | b'\t', after @ ..] => after,
            _ => {
                out.push(first);
                after
            }
        };
        rest = after_break;
    }
    out
}

/// The content lines of a text, unfolded, without empty ones.
///
/// A line ends with CR LF, LF or CR. A line that begins with a space or tab goes on the one before, even across
/// empty lines.
pub(super) fn lines(text: &str) -> Lines<'_> {
    Lines { rest: text }
}

pub(super) struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Lines<'a> {
    /// The next line as it stands, if there is one that is not empty.
    fn physical(&mut self) -> Option<&'a str> {
        loop {
            let bytes = self.rest.as_bytes();
            if bytes.is_empty() {
                return None;
            }
            let end = line_end(bytes);
            let (line, rest) = self.rest.split_at(end);
            self.rest = rest.get(1..).unwrap_or_default();
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    /// What the next line adds to the one before it.
    fn continuation(&mut self) -> Option<&'a str> {
        let next = self.rest.trim_start_matches(['\r', '\n']);
        if !next.starts_with([' ', '\t']) {
            return None;
        }
        self.rest = next;
        self.physical().and_then(|line| line.get(1..))
    }
}

/// Where the first CR or LF is, or the end.
fn line_end(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'))
        .unwrap_or(bytes.len())
}

impl<'a> Iterator for Lines<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let mut line = Cow::Borrowed(self.physical()?);
        while let Some(more) = self.continuation() {
            line.to_mut().push_str(more);
        }
        Some(line)
    }
}

/// Writes a content line: folded at 75 octets between characters, ended by CR LF.
pub(super) fn fold(line: &str, out: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = line;
    let mut room = LINE_OCTETS;
    while rest.len() > room {
        let (part, after) = rest.split_at(rest.floor_char_boundary(room));
        write!(out, "{part}\r\n ")?;
        rest = after;
        // The space counts.
        room = LINE_OCTETS - 1;
    }
    write!(out, "{rest}\r\n")
}

/// Text that stands in one value of type TEXT, whatever is in it (RFC 5545 §3.3.11).
///
/// Every way to break a line becomes the one that TEXT has; control characters, which it cannot hold, are left
/// out. What [`unescape`] makes of it is [`plain`] of the text.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in plain(text).chars() {
        match character {
            '\\' | ';' | ',' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
    out
}

/// The text with line feeds for line breaks of every kind (CR, NEL, LS, PS), and without other control
/// characters: what programs that split lines in their own way cannot take for two.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push('\t'),
            _ if character.is_control() => {}
            _ => out.push(character),
        }
    }
    out
}

/// The text of a value of type TEXT.
pub(super) fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some('n' | 'N')) => out.push('\n'),
            ('\\', Some(escaped @ ('\\' | ';' | ',' | ':' | '"'))) => out.push(escaped),
            _ => {
                out.push(character);
                continue;
            }
        }
        characters.next();
    }
    Cow::Owned(out)
}

/// A parameter's value, as it is written: RFC 6868 for what quotes cannot hold, and quoted where RFC 5545 §3.2
/// asks for it.
pub(super) fn parameter(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for character in plain(text).chars() {
        match character {
            '^' => out.push_str("^^"),
            '"' => out.push_str("^'"),
            '\n' => out.push_str("^n"),
            _ => out.push(character),
        }
    }
    if out.contains([',', ';', ':']) {
        out.insert(0, '"');
        out.push('"');
    }
    out
}

/// What RFC 6868 made of a parameter's value, undone.
pub(super) fn unquoted(value: &str) -> Cow<'_, str> {
    let value = value.trim().trim_matches('"');
    if !value.contains('^') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        let encoded = match (character, characters.clone().next()) {
            ('^', Some('^')) => '^',
            ('^', Some('\'')) => '"',
            ('^', Some('n')) => '\n',
            _ => {
                out.push(character);
                continue;
            }
        };
        out.push(encoded);
        characters.next();
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_lines(text: &str, expected: &[&str]) {
        assert_eq!(lines(text).collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn lines_end_in_every_way_and_empty_ones_are_nothing() {
        check_lines("A:1\r\nB:2\nC:3\rD:4", &["A:1", "B:2", "C:3", "D:4"]);
        check_lines("\r\n\nA:1\r\r\n\r\r\nB:2\n\n", &["A:1", "B:2"]);
        check_lines("", &[]);
    }

    #[test]
    fn folds_are_undone_with_tabs_and_across_empty_lines_too() {
        check_lines("A:1\r\n 2\r\n\t3", &["A:123"]);
        check_lines("A:1\n\n 2\nB:3\n  4", &["A:12", "B:3 4"]);
        check_lines(" A:1", &[" A:1"]);
        check_lines("A:1\r\n \r\nB:2", &["A:1", "B:2"]);
    }

    #[test]
    fn characters_that_a_fold_cut_in_two_are_whole_again() {
        let cut = [b"SUMMARY:caf\xc3".as_slice(), b"\r\n \xa9 au lait\r\nB:2"].concat();
        let text = decode(&cut);
        check_lines(&text, &["SUMMARY:café au lait", "B:2"]);
        assert_eq!(decode(b"\xef\xbb\xbfA:1"), "A:1");
        assert_eq!(decode(b"caf\xe9"), "caf\u{fffd}");
    }

    #[test]
    fn folded_lines_have_75_octets_at_most_and_whole_characters() {
        for line in [
            "x".repeat(75),
            "x".repeat(76),
            "é".repeat(100),
            "👨‍👩‍👧".repeat(40),
        ] {
            let mut folded = String::new();
            fold(&line, &mut folded).unwrap();
            let ended = folded.strip_suffix("\r\n").unwrap();
            assert!(ended.split("\r\n").all(|part| part.len() <= 75), "{folded}");
            check_lines(&folded, &[&line]);
        }
        let mut exact = String::new();
        fold(&"x".repeat(75), &mut exact).unwrap();
        assert_eq!(exact, format!("{}\r\n", "x".repeat(75)));
    }

    #[test]
    fn text_comes_back_as_it_was_but_for_control_characters() {
        for text in ["a,b;c\\d\\n", "tab\there", "\u{202e}evil", "é \"q\" :"] {
            assert_eq!(unescape(&escape(text)), text);
            assert_eq!(plain(text), text);
        }
        assert_eq!(
            escape("a\r\nb\rc\u{85}d\u{2028}e\u{2029}f"),
            r"a\nb\nc\nd\ne\nf"
        );
        assert_eq!(escape("a\u{b}b\u{c}c\0d\u{7f}e\u{9b}"), "abcde");
        assert_eq!(unescape(r"a\Nb\x\"), "a\nb\\x\\");
    }

    #[test]
    fn parameters_come_back_as_they_were_but_for_control_characters() {
        for text in [
            "Eve ^n^'^^ (RFC 6868)",
            "a,b;c:d",
            "\"quoted\"",
            "two\nlines",
            "plain",
        ] {
            let written = parameter(text);
            assert!(!written.contains('\n') && !written.trim_matches('"').contains('"'));
            assert_eq!(unquoted(&written), text);
        }
        assert_eq!(parameter("Eve\";RSVP=TRUE:x"), "\"Eve^';RSVP=TRUE:x\"");
        assert_eq!(unquoted("^x^"), "^x^");
    }
}
