//! Names in Rust, made from the names of lexicons, whatever these contain.

use proc_macro2::{Ident, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Rust's keywords of all editions up to 2024, reserved ones included.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Keywords that cannot be written as raw identifiers.
const NEVER_RAW: [&str; 5] = ["_", "crate", "self", "Self", "super"];

/// `getBookingIcs`, `get-booking-ics` -> `get_booking_ics`; empty if there is no letter or digit.
pub(crate) fn snake(name: &str) -> String {
    words(name).join("_").to_ascii_lowercase()
}

/// `getBookingIcs`, `get-booking-ics` -> `GET_BOOKING_ICS`; empty if there is no letter or digit.
pub(crate) fn screaming(name: &str) -> String {
    words(name).join("_").to_ascii_uppercase()
}

/// `getBookingIcs`, `get-booking-ics` -> `GetBookingIcs`; empty if there is no letter or digit.
pub(crate) fn pascal(name: &str) -> String {
    words(name)
        .into_iter()
        .map(|word| word[..1].to_ascii_uppercase() + &word[1..].to_ascii_lowercase())
        .collect()
}

/// `name`, or `{prefix}{name}` where it cannot start an identifier; the prefix alone if it is empty.
pub(crate) fn started(name: &str, prefix: &str) -> String {
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name.to_owned(),
        Some(_) => format!("{prefix}{name}"),
        None => prefix.trim_end_matches('_').to_owned(),
    }
}

/// The ASCII words of a name: apart by case (`fooBar`, `HTTPServer`, `allDIDs`) or by other characters.
fn words(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
    {
        let mut start = 0;
        for end in 1..part.len() {
            if starts_word(part.as_bytes(), end) {
                words.push(&part[start..end]);
                start = end;
            }
        }
        words.push(&part[start..]);
    }
    words
}

/// Whether a word starts at an index that is not the first.
fn starts_word(part: &[u8], index: usize) -> bool {
    if !part[index].is_ascii_uppercase() {
        return false;
    }
    if !part[index - 1].is_ascii_uppercase() {
        return true;
    }
    // The last of several capitals starts a word if small letters follow, except for a plural `s`.
    match &part[index + 1..] {
        [b's'] => false,
        [b's', rest @ ..] | rest => rest.first().is_some_and(u8::is_ascii_lowercase),
    }
}

/// A name as it stands in code: keywords raw, or with `_` behind those that cannot be.
pub(crate) fn escape(name: &str) -> String {
    if NEVER_RAW.contains(&name) {
        format!("{name}_")
    } else if KEYWORDS.contains(&name) {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// An escaped name as files and other names have it: a raw one plain.
pub(crate) fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// The token of an escaped name.
pub(crate) fn token(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

/// The names that are taken in one place, so that no two things share one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    taken: BTreeSet<String>,
    /// By name, the least number that may be free behind it: names stay taken.
    numbers: BTreeMap<String, usize>,
}

impl Scope {
    /// Takes the first of the candidates that is free; if none is, the last of them with a number.
    pub(crate) fn claim(&mut self, candidates: &[String]) -> String {
        for name in candidates {
            let name = escape(name);
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
        let last = candidates.last().map_or("", String::as_str);
        let snake = last.starts_with(|c: char| !c.is_ascii_uppercase()) || last.contains('_');
        let separator = if snake || last.ends_with(|c: char| c.is_ascii_digit()) {
            "_"
        } else {
            ""
        };
        let number = self.numbers.entry(last.to_owned()).or_insert(2);
        loop {
            let name = format!("{last}{separator}{number}");
            *number += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Takes a name that is not ours to change.
    pub(crate) fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// Whether the name is taken.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.taken.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        #[track_caller]
        fn check(name: &str, expect: [&str; 3]) {
            assert_eq!(
                [snake(name), screaming(name), pascal(name)],
                expect,
                "{name}"
            );
        }
        check(
            "getBookingIcs",
            ["get_booking_ics", "GET_BOOKING_ICS", "GetBookingIcs"],
        );
        check(
            "get-booking_ics",
            ["get_booking_ics", "GET_BOOKING_ICS", "GetBookingIcs"],
        );
        check("HTTPServer", ["http_server", "HTTP_SERVER", "HttpServer"]);
        check("allDIDs", ["all_dids", "ALL_DIDS", "AllDids"]);
        check("DIDsOfAll", ["dids_of_all", "DIDS_OF_ALL", "DidsOfAll"]);
        check("IDs", ["ids", "IDS", "Ids"]);
        check("ISee", ["i_see", "I_SEE", "ISee"]);
        check("sha256Hash", ["sha256_hash", "SHA256_HASH", "Sha256Hash"]);
        check("v2", ["v2", "V2", "V2"]);
        check("_private_", ["private", "PRIVATE", "Private"]);
        check("a.b c#d", ["a_b_c_d", "A_B_C_D", "ABCD"]);
        check("naïve", ["na_ve", "NA_VE", "NaVe"]);
        check("4chan", ["4chan", "4CHAN", "4chan"]);
        check("→", ["", "", ""]);
    }

    #[test]
    fn every_keyword_can_be_a_name() {
        // To `syn`, which knows no editions, `gen` is a name like any other.
        for keyword in KEYWORDS.into_iter().filter(|keyword| *keyword != "gen") {
            assert!(
                syn::parse_str::<Ident>(keyword).is_err(),
                "{keyword} is no keyword"
            );
        }
        for keyword in KEYWORDS.into_iter().chain(NEVER_RAW) {
            let name = escape(keyword);
            assert_eq!(token(&name).to_string(), name);
            assert!(syn::parse_str::<Ident>(&name).is_ok(), "{name}");
        }
        assert_eq!(escape("match"), "r#match");
        assert_eq!(escape("crate"), "crate_");
        assert_eq!(escape("union"), "union");
    }

    #[test]
    fn no_two_things_share_a_name() {
        let mut scope = Scope::default();
        let mut claim = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            scope.claim(&names)
        };
        assert_eq!(claim(&["Other", "OtherValue"]), "Other");
        assert_eq!(claim(&["Other", "OtherValue"]), "OtherValue");
        assert_eq!(claim(&["Other", "OtherValue"]), "OtherValue2");
        assert_eq!(claim(&["OtherValue2"]), "OtherValue2_2");
        assert_eq!(claim(&["foo_bar"]), "foo_bar");
        assert_eq!(claim(&["foo_bar"]), "foo_bar_2");
        assert_eq!(claim(&["foo_bar"]), "foo_bar_3");
        assert_eq!(claim(&["match"]), "r#match");
        assert_eq!(claim(&["match"]), "match_2");
        assert_eq!(claim(&["Self"]), "Self_");
        assert_eq!(claim(&["Self"]), "Self2");
    }
}
