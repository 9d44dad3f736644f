//! Target `identifiers`: a text as every identifier, and as the query string of every method.

use crate::Target;
use crate::mutate::Random;
use crate::repository::{LEXICONS, SAMPLER, conformance_lines};
use huddle_codegen::model::{Params, Property, SchemaKind};
use huddle_codegen::validate::Against;
use huddle_lexicon::registry::DEFINITIONS;
use huddle_lexicon::schema::{Codec, Invalid, QueryWriter};
use huddle_syntax::{
    AtIdentifier, AtUri, Cid, CidLink, Datetime, Did, Handle, Language, Nsid, RecordKey,
    SyntaxError, Tid, Uri, Value, data,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::{Borrow, Cow};
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::LazyLock;

/// Every way of reading a text as an identifier says the same of it; every way of writing the identifier
/// gives the text back, and so do its parts. A query string keeps whatever the method declares.
pub const TARGET: Target = Target {
    name: "identifiers",
    check,
    mutate,
    seeds,
};

fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    accounts(text);
    names(text);
    times(text);
    links(text);
    read::<Language>(text);
    for method in METHODS.iter() {
        method.check(text);
    }
}

/// Reads a text in every way there is, and writes what it is in every way.
fn read<T>(text: &str) -> Option<T>
where
    T: FromStr<Err = SyntaxError> + TryFrom<String, Error = SyntaxError>,
    T: for<'a> TryFrom<&'a str, Error = SyntaxError>,
    T: Into<String> + AsRef<str> + Borrow<str> + Display + Debug + Clone + PartialEq,
    T: Serialize + DeserializeOwned,
{
    let parsed = text.parse::<T>();
    assert_eq!(T::try_from(text), parsed);
    assert_eq!(T::try_from(text.to_owned()), parsed);
    let json = data::to_json(text).expect("a string is data");
    let cbor = data::to_cbor(text).expect("a string is data");
    assert_eq!(data::from_json(&json).ok(), parsed.clone().ok());
    assert_eq!(data::from_cbor(&cbor).ok(), parsed.clone().ok());
    match parsed {
        Ok(value) => {
            assert_eq!(value.to_string(), text);
            assert_eq!(AsRef::<str>::as_ref(&value), text);
            assert_eq!(Borrow::<str>::borrow(&value), text);
            assert_eq!(Into::<String>::into(value.clone()), text);
            assert_eq!(data::to_json(&value), Ok(json));
            assert_eq!(data::to_cbor(&value), Ok(cbor));
            assert!(!format!("{value:?}").is_empty());
            Some(value)
        }
        Err(error) => {
            assert!(error.to_string().len() < 200, "{error}");
            None
        }
    }
}

/// DIDs and handles, one of which an AT identifier is.
fn accounts(text: &str) {
    let did = read::<Did>(text);
    if let Some(did) = &did {
        let again = format!("did:{}:{}", did.method(), did.method_specific_id());
        assert_eq!(again, text);
    }
    let handle = read::<Handle>(text);
    if let Some(handle) = &handle {
        let normalized = handle.normalized();
        assert_eq!(normalized, text.to_ascii_lowercase().as_str());
        assert_eq!(read(normalized.as_str()), Some(normalized.normalized()));
    }
    let who = read::<AtIdentifier>(text);
    assert_eq!(who.as_ref().and_then(AtIdentifier::as_did), did.as_ref());
    assert_eq!(
        who.as_ref().and_then(AtIdentifier::as_handle),
        handle.as_ref()
    );
    assert_eq!(who.is_some(), did.is_some() || handle.is_some());
}

/// NSIDs, record keys, and the URIs that are made of them.
fn names(text: &str) {
    let key = read::<RecordKey>(text);
    if let Some(nsid) = read::<Nsid>(text) {
        let segments: Vec<&str> = nsid.segments().collect();
        assert!(segments.len() >= 3);
        assert_eq!(segments.join("."), text);
        let authority = nsid.authority();
        let reversed: Vec<&str> = authority.rsplit('.').collect();
        assert_eq!(format!("{}.{}", reversed.join("."), nsid.name()), text);
        assert_eq!(key, Some(RecordKey::from(nsid)));
    }
    if let Some(uri) = read::<AtUri>(text) {
        let collection = uri
            .collection()
            .map(|nsid| format!("/{nsid}"))
            .unwrap_or_default();
        let rkey = uri
            .rkey()
            .map(|rkey| format!("/{rkey}"))
            .unwrap_or_default();
        let fragment = uri
            .fragment()
            .map(|path| format!("#{path}"))
            .unwrap_or_default();
        assert_eq!(
            format!("at://{}{collection}{rkey}{fragment}", uri.authority()),
            text
        );
        if let (AtIdentifier::Did(did), Some(collection), Some(rkey), None) = (
            uri.authority(),
            uri.collection(),
            uri.rkey(),
            uri.fragment(),
        ) {
            assert_eq!(AtUri::for_record(&did, &collection, &rkey), uri);
        }
    }
    if let Some(uri) = read::<Uri>(text) {
        assert!(
            text.strip_prefix(uri.scheme())
                .is_some_and(|rest| rest.starts_with(':'))
        );
    }
}

/// TIDs and datetimes.
fn times(text: &str) {
    if let Some(tid) = read::<Tid>(text) {
        let micros = tid.timestamp_micros();
        let again = Tid::from_parts(micros, tid.clock_id());
        assert_eq!(again.ok(), (micros >> 53 == 0).then_some(tid));
        assert_eq!(read(text), Some(RecordKey::from(tid)));
    }
    if let Some(datetime) = read::<Datetime>(text) {
        let instant = datetime.instant();
        assert_eq!(instant.timestamp_micros(), datetime.timestamp_micros());
        assert!(datetime.offset().local_minus_utc().abs() < 24 * 3600);
        assert!(datetime.cmp_instant(&datetime).is_eq());
        // The last hours of the year 9999 may belong to the next one in UTC.
        if let Ok(written) = Datetime::from_utc(instant) {
            assert_eq!(
                written.instant().timestamp_millis(),
                instant.timestamp_millis()
            );
            assert_eq!(read(written.as_str()), Some(written));
        }
    }
}

/// CIDs, as texts and as links.
fn links(text: &str) {
    let cid = read::<Cid>(text);
    if let Ok(link) = text.parse::<CidLink>() {
        assert_eq!(link.to_string(), text);
        assert_eq!(CidLink::from_bytes(link.as_bytes()), Ok(link.clone()));
        assert_eq!(CidLink::try_from(link.to_cid()), Ok(link.clone()));
        assert_eq!(cid, Some(Cid::from(&link)));
    } else if let Some(cid) = cid {
        assert!(CidLink::try_from(&cid).is_err());
    }
}

/// A method with parameters.
struct Method {
    params: &'static Params,
    codec: fn(&str) -> Result<String, Invalid>,
}

/// All methods with parameters.
static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| {
    let method = |nsid: &str, codec| {
        let nsid = nsid.parse().expect("a generated type is of a lexicon");
        let main = LEXICONS.get(&nsid)?.definition("main")?;
        Some(Method {
            params: main.kind.parameters()?,
            codec,
        })
    };
    DEFINITIONS
        .iter()
        .filter_map(|definition| match definition.codec {
            Codec::Params(codec) => {
                Some(method(definition.nsid, codec).expect("the type has a lexicon"))
            }
            Codec::Data { .. } => None,
        })
        .collect()
});

impl Method {
    fn check(&self, text: &str) {
        let query = match (self.codec)(text) {
            Ok(query) => query,
            Err(invalid) => {
                assert!(!invalid.to_string().is_empty());
                return;
            }
        };
        assert_eq!((self.codec)(&query).as_ref(), Ok(&query));
        let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> =
            form_urlencoded::parse(text.as_bytes()).collect();
        let mut expected = QueryWriter::default();
        for property in &self.params.properties {
            for (_, value) in pairs.iter().filter(|(name, _)| *name == property.name) {
                // Of what a parameter can be, only an integer can be written in several ways.
                match value.parse::<i64>() {
                    Ok(integer) if is_integer(property) => {
                        expected.required(&property.name, &integer);
                    }
                    _ => expected.required(&property.name, value),
                }
            }
        }
        assert_eq!(query, expected.finish());
    }

    /// The query string of some valid call.
    fn sample(&self, random: &mut Random) -> Option<String> {
        let value = SAMPLER.sample(Against::Params(self.params), &mut || random.number())?;
        let Value::Map(map) = value else { return None };
        let mut query = QueryWriter::default();
        for (name, value) in map.iter() {
            let values = match value {
                Value::List(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            for value in values {
                match value {
                    Value::Bool(value) => query.required(name, value),
                    Value::Integer(value) => query.required(name, value),
                    Value::String(value) => query.required(name, value),
                    _ => {}
                }
            }
        }
        Some(query.finish())
    }
}

fn is_integer(property: &Property) -> bool {
    match &property.schema.kind {
        SchemaKind::Array(array) => matches!(array.items.kind, SchemaKind::Integer(_)),
        kind => matches!(kind, SchemaKind::Integer(_)),
    }
}

/// At least one text of each kind.
const EXAMPLES: &[&str] = &[
    "did:plc:z72i7hdynmk6r22z27h6tvur",
    "did:web:localhost%3A3000",
    "Alice.Example.COM",
    "xn--ls8h.test",
    "at://did:web:a.example/com.example.event/self#/a/b%20c",
    "at://alice.example.com",
    "com.example.calendar.fooBar",
    "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
    "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
    "2026-02-28T09:30:00.123456789012-10:00",
    "9999-12-31T23:59:59.999-23:59",
    "en-GB-boont-r-extended-sequence-x-private",
    "zh-yue-Hant-HK",
    "i-klingon",
    "3jzfcijpj2z2a",
    "jzzzzzzzzzzzz",
    "https://example.com/path?q=1#f",
    "pre:fix~1.2_3-4",
];

/// The examples, the vectors of each syntax, and a call of each method.
fn seeds() -> Vec<Vec<u8>> {
    let syntaxes = [
        "atidentifier",
        "aturi",
        "cid",
        "datetime",
        "did",
        "handle",
        "language",
        "nsid",
        "recordkey",
        "tid",
        "uri",
    ];
    let vectors = syntaxes.iter().flat_map(|syntax| {
        ["valid", "invalid"].into_iter().flat_map(move |verdict| {
            conformance_lines(&format!("syntax/{syntax}_syntax_{verdict}.txt"))
        })
    });
    let mut random = Random::new(0);
    let calls = METHODS
        .iter()
        .filter_map(|method| method.sample(&mut random));
    EXAMPLES
        .iter()
        .map(|example| (*example).to_owned())
        .chain(vectors)
        .chain(calls)
        .map(String::into_bytes)
        .collect()
}

/// Puts pieces of examples and of the text together, or asks a method something that it may be asked.
fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    if random.one_in(3) {
        let method = random.pick(&METHODS)?;
        return method.sample(random).map(String::into_bytes);
    }
    let example = random.pick(EXAMPLES)?.as_bytes();
    let (first, last) = match random.below(3) {
        0 => (example, input),
        1 => (input, example),
        _ => (input, input),
    };
    let end = random.below(first.len() + 1);
    let start = random.below(last.len() + 1);
    Some([&first[..end], &last[start..]].concat())
}
