//! What holds for every identifier, whatever the text.

use chrono::{DateTime, Utc};
use huddle_syntax::{
    AtIdentifier, AtUri, Cid, Datetime, Did, Handle, Language, Nsid, RecordKey, SyntaxError, Tid,
    Uri,
};
use proptest::prelude::*;
use std::fmt::Display;
use std::str::FromStr;

/// Any text, and texts near to valid ones: of the characters that identifiers are made of, or an
/// example with a piece of it replaced.
fn text() -> impl Strategy<Value = String> {
    let examples = prop::sample::select(vec![
        "did:plc:z72i7hdynmk6r22z27h6tvur",
        "alice.example.com",
        "at://did:web:a.example/com.example.event/self#/a/b%20c",
        "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
        "2026-02-28T09:30:00.123456789012-10:00",
        "en-GB-boont-r-extended-sequence-x-private",
        "3jzfcijpj2z2a",
        "https://example.com/path?q=1#f",
    ]);
    let edited = (
        examples,
        any::<prop::sample::Index>(),
        0..3_usize,
        "[ -~]{0,3}|\\PC{0,2}",
    )
        .prop_map(|(example, at, length, insert)| {
            let start = at.index(example.len() + 1);
            let end = (start + length).min(example.len());
            format!("{}{insert}{}", &example[..start], &example[end..])
        });
    prop_oneof![any::<String>(), "[a-zA-Z0-9:/.#%_~+=-]{0,40}", edited]
}

fn parses_to_itself<T: FromStr<Err = SyntaxError> + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}

fn example_of(pattern: &str) -> impl Strategy<Value = String> + use<> {
    proptest::string::string_regex(pattern).expect("a regular expression")
}

const LABEL: &str = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,9}[a-zA-Z0-9])?";

fn did() -> impl Strategy<Value = String> {
    example_of("did:[a-z]{1,9}:[a-zA-Z0-9._:%-]{0,40}[a-zA-Z0-9._-]")
}

fn handle() -> impl Strategy<Value = String> {
    example_of(&format!(
        "({LABEL}\\.){{1,4}}[a-zA-Z]([a-zA-Z0-9-]{{0,9}}[a-zA-Z0-9])?"
    ))
}

fn nsid() -> impl Strategy<Value = String> {
    let top = "[a-zA-Z]([a-zA-Z0-9-]{0,9}[a-zA-Z0-9])?";
    example_of(&format!(
        "{top}(\\.{LABEL}){{1,4}}\\.[a-zA-Z][a-zA-Z0-9]{{0,62}}"
    ))
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic_or_change_it(text in text()) {
        parses_to_itself::<AtIdentifier>(&text);
        parses_to_itself::<AtUri>(&text);
        parses_to_itself::<Cid>(&text);
        parses_to_itself::<Datetime>(&text);
        parses_to_itself::<Did>(&text);
        parses_to_itself::<Handle>(&text);
        parses_to_itself::<Language>(&text);
        parses_to_itself::<Nsid>(&text);
        parses_to_itself::<RecordKey>(&text);
        parses_to_itself::<Tid>(&text);
        parses_to_itself::<Uri>(&text);
    }

    #[test]
    fn what_parses_can_be_taken_apart(text in text()) {
        if let Ok(uri) = text.parse::<AtUri>() {
            let collection = uri.collection().map(|nsid| format!("/{nsid}")).unwrap_or_default();
            let rkey = uri.rkey().map(|rkey| format!("/{rkey}")).unwrap_or_default();
            let fragment = uri.fragment().map(|path| format!("#{path}")).unwrap_or_default();
            let again = format!("at://{}{collection}{rkey}{fragment}", uri.authority());
            prop_assert_eq!(again, text.clone());
        }
        if let Ok(datetime) = text.parse::<Datetime>() {
            let expect = DateTime::parse_from_rfc3339(&text).expect("a datetime of RFC 3339");
            prop_assert_eq!(datetime.instant(), expect.to_utc());
            prop_assert_eq!(datetime.offset(), *expect.offset());
        }
    }

    #[test]
    fn the_reference_grammar_is_accepted(did in did(), handle in handle(), nsid in nsid()) {
        prop_assert_eq!(did.parse::<Did>().expect("a DID"), did.as_str());
        prop_assert_eq!(handle.parse::<Handle>().expect("a handle"), handle.as_str());
        prop_assert_eq!(nsid.parse::<Nsid>().expect("an NSID"), nsid.as_str());
    }

    #[test]
    fn an_at_uri_gives_back_the_parts_it_was_made_of(
        did in did(),
        collection in nsid(),
        rkey in "[a-zA-Z0-9_~:-][a-zA-Z0-9._~:-]{0,20}",
    ) {
        let did: Did = did.parse().expect("a DID");
        let collection = collection.parse().expect("an NSID");
        let rkey = rkey.parse().expect("a record key");
        let uri = AtUri::for_record(&did, &collection, &rkey);
        prop_assert_eq!(uri.as_str().parse(), Ok(uri.clone()));
        prop_assert_eq!(uri.authority(), AtIdentifier::from(did));
        prop_assert_eq!(uri.collection(), Some(collection));
        prop_assert_eq!(uri.rkey(), Some(rkey));
    }

    #[test]
    fn the_authority_of_an_nsid_is_a_handle(nsid in nsid()) {
        let nsid: Nsid = nsid.parse().expect("an NSID");
        prop_assert!(nsid.authority().parse::<Handle>().is_ok());
    }

    #[test]
    fn tids_sort_as_their_parts(
        a in (0_i64..1 << 53, 0_u16..1024),
        b in (0_i64..1 << 53, 0_u16..1024),
    ) {
        let tid = |(micros, clock_id)| Tid::from_parts(micros, clock_id).expect("parts that fit");
        let parts = |tid: Tid| (tid.timestamp_micros(), tid.clock_id());
        prop_assert_eq!(parts(tid(a)), a);
        prop_assert_eq!(tid(a).as_str().parse(), Ok(tid(a)));
        prop_assert_eq!(tid(a).cmp(&tid(b)), a.cmp(&b));
    }

    #[test]
    fn tids_of_any_text_sort_as_their_parts(
        a in "[2-7a-j][2-7a-z]{12}",
        b in "[2-7a-j][2-7a-z]{12}",
    ) {
        let (a, b): (Tid, Tid) = (a.parse().expect("a TID"), b.parse().expect("a TID"));
        let parts = |tid: Tid| (tid.timestamp_micros(), tid.clock_id());
        prop_assert_eq!(a.cmp(&b), parts(a).cmp(&parts(b)));
    }

    #[test]
    fn datetimes_in_the_preferred_form_sort_as_their_moments(
        a in -62_167_219_200_000_i64..253_402_300_800_000,
        b in -62_167_219_200_000_i64..253_402_300_800_000,
    ) {
        let datetime = |millis| Datetime::from_timestamp_millis(millis).expect("of four digits");
        prop_assert_eq!(datetime(a).as_str().cmp(datetime(b).as_str()), a.cmp(&b));
        prop_assert_eq!(datetime(a).cmp_instant(&datetime(b)), a.cmp(&b));
        prop_assert_eq!(datetime(a).timestamp_micros(), a * 1000);

        let parsed: Datetime = datetime(a).as_str().parse().expect("what was written parses");
        prop_assert_eq!(parsed.instant(), datetime(a).instant());
        prop_assert_eq!(&parsed, &datetime(a));
    }

    #[test]
    fn a_datetime_in_any_offset_is_the_same_moment(
        millis in -62_000_000_000_000_i64..253_000_000_000_000,
        minutes in -1439_i32..1440,
    ) {
        let instant = DateTime::<Utc>::from_timestamp_millis(millis).expect("in range");
        let offset = chrono::FixedOffset::east_opt(minutes * 60).expect("in range");
        let text = instant.with_timezone(&offset).format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string();
        let datetime: Datetime = text.parse().expect("a datetime");
        prop_assert_eq!(datetime.instant(), instant);
        prop_assert_eq!(datetime.offset(), offset);
        prop_assert_eq!(datetime.timestamp_micros(), millis * 1000);

        let written = Datetime::from_timestamp_millis(millis).expect("of four digits");
        prop_assert_eq!(Datetime::from_utc(instant), Ok(written));
    }
}
