//! Language tags.

use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;
use std::iter::Peekable;
use std::str::Split;

/// A language tag, e.g. `pt-BR`: a text that is well-formed by BCP 47 (RFC 5646 §2.2.9).
///
/// Well-formed, not valid: tags of no registered language and repeated subtags are kept, as
/// <https://atproto.com/specs/lexicon#language> asks.
///
/// ```
/// use huddle_syntax::Language;
///
/// assert!("zh-Hant-TW".parse::<Language>().is_ok());
/// assert!("english".parse::<Language>().is_err());
/// ```
#[derive(Clone)]
pub struct Language(Box<str>);

text_type!(Language: "language tag", check);

/// Registered before the grammar and outside it (`irregular` of RFC 5646 §2.1).
const IRREGULAR: [&str; 17] = [
    "en-GB-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-BE-FR",
    "sgn-BE-NL",
    "sgn-CH-DE",
];

/// The subtags that are still to be read.
type Subtags<'a> = Peekable<Split<'a, char>>;

/// RFC 5646 §2.1: every kind of subtag is known by its length and characters, so that none is read
/// twice.
fn check(text: &str) -> Verdict {
    if IRREGULAR.iter().any(|tag| tag.eq_ignore_ascii_case(text)) {
        return Ok(());
    }
    let mut subtags = text.split('-').peekable();
    if !subtags.peek().is_some_and(|s| is_private_use(s)) {
        pass_language(&mut subtags)?;
        pass_extensions(&mut subtags)?;
    }
    pass_private_use(&mut subtags)?;
    ensure(
        subtags.next().is_none(),
        "has a subtag that is malformed or out of its place",
    )
}

/// `language`, `script`, `region` and `variant` of the grammar.
fn pass_language(subtags: &mut Subtags<'_>) -> Verdict {
    let language = subtags.next().unwrap_or_default();
    ensure(
        matches!(language.len(), 2..=3) && language.bytes().all(|b| b.is_ascii_lowercase()),
        "does not start with a language of two or three lower-case letters",
    )?;
    for _extended_language in 0..3 {
        subtags.next_if(|s| s.len() == 3 && is_alphabetic(s));
    }
    let _script = subtags.next_if(|s| s.len() == 4 && is_alphabetic(s));
    let _region = subtags.next_if(|s| {
        s.len() == 2 && is_alphabetic(s) || s.len() == 3 && s.bytes().all(|b| b.is_ascii_digit())
    });
    while subtags.next_if(|s| is_variant(s)).is_some() {}
    Ok(())
}

fn pass_extensions(subtags: &mut Subtags<'_>) -> Verdict {
    while subtags.next_if(|s| is_singleton(s)).is_some() {
        ensure(
            subtags.next_if(|s| is_extension(s)).is_some(),
            "has an extension without a subtag",
        )?;
        while subtags.next_if(|s| is_extension(s)).is_some() {}
    }
    Ok(())
}

fn pass_private_use(subtags: &mut Subtags<'_>) -> Verdict {
    if subtags.next_if(|s| is_private_use(s)).is_none() {
        return Ok(());
    }
    ensure(
        subtags.peek().is_some(),
        "has a private use without a subtag",
    )?;
    while subtags
        .next_if(|s| matches!(s.len(), 1..=8) && is_alphanumeric(s))
        .is_some()
    {}
    Ok(())
}

fn is_alphabetic(subtag: &str) -> bool {
    subtag.bytes().all(|b| b.is_ascii_alphabetic())
}

fn is_alphanumeric(subtag: &str) -> bool {
    subtag.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_variant(subtag: &str) -> bool {
    let is_length = match subtag.len() {
        4 => subtag.as_bytes()[0].is_ascii_digit(),
        length => matches!(length, 5..=8),
    };
    is_length && is_alphanumeric(subtag)
}

fn is_singleton(subtag: &str) -> bool {
    subtag.len() == 1 && is_alphanumeric(subtag) && !is_private_use(subtag)
}

fn is_extension(subtag: &str) -> bool {
    matches!(subtag.len(), 2..=8) && is_alphanumeric(subtag)
}

fn is_private_use(subtag: &str) -> bool {
    subtag.eq_ignore_ascii_case("x")
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[track_caller]
    fn check(text: &str, problem: Option<&str>) {
        assert_eq!(
            text.parse::<Language>().err().map(|error| error.problem()),
            problem,
            "{text}"
        );
    }

    #[test]
    fn subtags_stand_in_their_order() {
        let out_of_place = Some("has a subtag that is malformed or out of its place");
        check("zh-cmn-Hans-CN", None);
        check("zh-yue-cmn-min", None);
        check("zh-yue-cmn-min-nan", out_of_place);
        check("de-1996", None);
        check("de-a996", out_of_place);
        check("de-DE-Latn", out_of_place);
        check("de-419-DE", out_of_place);
        check("de-419", None);
        check("de-41a", out_of_place);
        check(
            "en-u-islamcal-a-b",
            Some("has an extension without a subtag"),
        );
        check("en-u-islamcal-a-bb-x-1-2", None);
        check("en-u", Some("has an extension without a subtag"));
        check("en-x", Some("has a private use without a subtag"));
        check("en-x-toolongsubtag", out_of_place);
        check("en-posi_x", out_of_place);
        check("en-u-c_", Some("has an extension without a subtag"));
        check("en-x-é", out_of_place);
        check("en--US", out_of_place);
        check("en-", out_of_place);
    }

    #[test]
    fn a_tag_starts_with_a_language_or_private_use_or_is_registered_whole() {
        let no_language = Some("does not start with a language of two or three lower-case letters");
        check("x-1", None);
        check("x", Some("has a private use without a subtag"));
        check(
            "x-",
            Some("has a subtag that is malformed or out of its place"),
        );
        check("i-klingon", None);
        check("i-unknown", no_language);
        check("EN", no_language);
        check("en_US", no_language);
        check("é1", no_language);
        check("", no_language);
    }
}
