//! The official vectors for the syntax of identifiers (`conformance/interop/syntax`).

use huddle_syntax::{
    AtIdentifier, AtUri, Cid, Datetime, Did, Handle, Language, Nsid, RecordKey, SyntaxError, Tid,
    Uri,
};
use huddle_testdata::shared_text;
use std::fmt::Display;
use std::str::FromStr;

/// Holds every line of `file` against the parser, and lists the lines where it errs.
///
/// A line that starts with `#` is a comment; the white space of all others is part of the case.
#[track_caller]
fn check<T: FromStr<Err = SyntaxError> + Display>(file: &str, valid: bool) {
    let path = format!("conformance/interop/syntax/{file}");
    let Some(text) = shared_text(&path) else {
        return;
    };
    let cases = || {
        (1..)
            .zip(text.split('\n'))
            .filter(|(_, l)| !l.is_empty() && !l.starts_with('#'))
    };
    assert!(cases().next().is_some(), "{file} has no cases");
    let wrong: Vec<String> = cases()
        .filter_map(|(number, case)| match case.parse::<T>() {
            Ok(parsed) if parsed.to_string() != case => Some((number, case, "changed".to_owned())),
            Ok(_) => (!valid).then(|| (number, case, "accepted".to_owned())),
            Err(error) => valid.then(|| (number, case, error.to_string())),
        })
        .map(|(number, case, verdict)| format!("{file}:{number}: {case:?}: {verdict}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! vectors {
    ($($name:ident: $type:ty, $file:literal, $valid:literal;)+) => {
        $(
            #[test]
            fn $name() {
                check::<$type>($file, $valid);
            }
        )+
    };
}

vectors! {
    valid_at_identifiers_parse: AtIdentifier, "atidentifier_syntax_valid.txt", true;
    invalid_at_identifiers_are_refused: AtIdentifier, "atidentifier_syntax_invalid.txt", false;
    valid_at_uris_parse: AtUri, "aturi_syntax_valid.txt", true;
    invalid_at_uris_are_refused: AtUri, "aturi_syntax_invalid.txt", false;
    valid_cids_parse: Cid, "cid_syntax_valid.txt", true;
    invalid_cids_are_refused: Cid, "cid_syntax_invalid.txt", false;
    valid_datetimes_parse: Datetime, "datetime_syntax_valid.txt", true;
    invalid_datetimes_are_refused: Datetime, "datetime_syntax_invalid.txt", false;
    datetimes_that_name_no_moment_are_refused: Datetime, "datetime_parse_invalid.txt", false;
    valid_dids_parse: Did, "did_syntax_valid.txt", true;
    invalid_dids_are_refused: Did, "did_syntax_invalid.txt", false;
    valid_handles_parse: Handle, "handle_syntax_valid.txt", true;
    invalid_handles_are_refused: Handle, "handle_syntax_invalid.txt", false;
    valid_languages_parse: Language, "language_syntax_valid.txt", true;
    invalid_languages_are_refused: Language, "language_syntax_invalid.txt", false;
    // Exception: these repeat a subtag, which makes a tag well-formed but not valid by RFC 5646
    // §2.2.9. The specification of lexicons asks for well-formed tags, and leaves it to clients to
    // ignore those that are not valid, so that a record with one still decodes.
    languages_that_repeat_a_subtag_parse: Language, "language_parse_invalid.txt", true;
    valid_nsids_parse: Nsid, "nsid_syntax_valid.txt", true;
    invalid_nsids_are_refused: Nsid, "nsid_syntax_invalid.txt", false;
    valid_record_keys_parse: RecordKey, "recordkey_syntax_valid.txt", true;
    invalid_record_keys_are_refused: RecordKey, "recordkey_syntax_invalid.txt", false;
    valid_tids_parse: Tid, "tid_syntax_valid.txt", true;
    invalid_tids_are_refused: Tid, "tid_syntax_invalid.txt", false;
    valid_uris_parse: Uri, "uri_syntax_valid.txt", true;
    invalid_uris_are_refused: Uri, "uri_syntax_invalid.txt", false;
}
