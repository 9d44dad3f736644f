//! Target `lexicon`: a text as a lexicon, from its JSON to the Rust that is generated of it.

mod rust;

use crate::Target;
use crate::mutate::{self, Random};
use crate::repository::{conformance, lexicon_texts, published_lexicon_texts};
use huddle_codegen::diagnostic::{Diagnostic, Diagnostics};
use huddle_codegen::diff::diff;
use huddle_codegen::emit::{Error, GeneratedFile, Options, Output, generate};
use huddle_codegen::lint::lint;
use huddle_codegen::load::Loaded;
use huddle_codegen::model::{Catalog, DefKind, Document, NsidPattern};
use huddle_codegen::parse;
use huddle_codegen::resolve::{External, Externals, resolve};
use huddle_codegen::sample::Sampler;
use huddle_codegen::validate::{Against, violations};
use huddle_syntax::{Nsid, data};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

/// A text is refused for a reason, or it is a lexicon: it differs from itself in nothing, it can be held
/// against others and linted, and if its references lead somewhere, what is generated of it is Rust.
pub const TARGET: Target = Target {
    name: "lexicon",
    check,
    mutate,
    seeds,
};

fn check(input: &[u8]) {
    let document = match read("lexicons/input.json", input) {
        Ok(document) => document,
        Err(Diagnostics(problems)) => return check_printable(&problems),
    };
    compare(&document);

    let mut loaded = Loaded {
        catalog: COMPANIONS.clone(),
        problems: Vec::new(),
    };
    let nsid = document.id.clone();
    if loaded.catalog.insert(document).is_err() {
        return;
    }
    let elsewhere = Externals::new([External {
        lexicons: parsed("com.atproto.*"),
        rust_path: "elsewhere::lexicons".to_owned(),
    }]);
    check_printable(&lint(&loaded, &elsewhere));

    let selection = vec![parsed(nsid.as_str())];
    let resolves = resolve(&loaded.catalog, &selection, &elsewhere).is_ok();
    if resolves {
        check_samples(&loaded.catalog, &nsid);
    }
    let types = "crate::lexicon".to_owned();
    for output in [
        Output::Crate {
            name: "input".to_owned(),
        },
        Output::Handlers { types },
    ] {
        let options = Options {
            output,
            selection: selection.clone(),
            externals: elsewhere.clone(),
            runtime: None,
        };
        match generate(&loaded.catalog, &options) {
            Ok(files) => {
                assert!(resolves);
                check_files(&files);
                assert_eq!(generate(&loaded.catalog, &options).ok(), Some(files));
            }
            Err(Error::Lexicons(Diagnostics(problems))) => check_printable(&problems),
            Err(error) => panic!("{error}"),
        }
    }
}

fn read(source: &str, text: &[u8]) -> Result<Document, Diagnostics> {
    parse::document(Path::new(source), source, text)
}

fn parsed(pattern: &str) -> NsidPattern {
    pattern
        .parse()
        .expect("an NSID is a pattern, and so is a prefix with a star")
}

/// Lexicons that others can refer to, one for each kind of `main`, and one whose types another crate has.
static COMPANIONS: LazyLock<Catalog> = LazyLock::new(|| {
    let texts: Vec<Value> = serde_json::from_str(include_str!("lexicon/companions.json"))
        .expect("the file is a list of lexicons");
    let mut catalog = Catalog::default();
    for text in texts {
        let document = read("lexicons/companion.json", text.to_string().as_bytes());
        let document = document.expect("a companion is a lexicon");
        catalog
            .insert(document)
            .expect("each has a name of its own");
    }
    catalog
});

fn catalog(document: Document) -> Catalog {
    let mut catalog = Catalog::default();
    catalog
        .insert(document)
        .expect("nothing is in the way of the first");
    catalog
}

/// Holds a lexicon against itself, against each companion as if that were another version of it, and its
/// definitions against each other.
fn compare(document: &Document) {
    let this = catalog(document.clone());
    assert_eq!(diff(&this, &this), []);

    let mut turned = document.clone();
    let names: Vec<String> = turned
        .defs
        .iter()
        .map(|definition| definition.name.clone())
        .collect();
    for (definition, name) in turned
        .defs
        .iter_mut()
        .zip(names.into_iter().cycle().skip(1))
    {
        definition.name = name;
    }
    let companions = COMPANIONS.documents().map(|companion| Document {
        id: document.id.clone(),
        ..companion.clone()
    });
    for other in companions.chain([turned]).map(catalog) {
        for finding in diff(&this, &other).into_iter().chain(diff(&other, &this)) {
            check_one_line(&finding.to_string());
            assert_ne!(finding.old, finding.new);
        }
    }
}

/// What is sampled of a definition is allowed by it, and is data.
fn check_samples(catalog: &Catalog, nsid: &Nsid) {
    let sampler = Sampler::new(catalog);
    let mut random = Random::new(0);
    let document = catalog.get(nsid).expect("it has been put in");
    for definition in &document.defs {
        if !matches!(definition.kind, DefKind::Record(_) | DefKind::Type(_)) {
            continue;
        }
        let id = document.def_id(definition);
        let against = Against::Definition(&id);
        if let Some(value) = sampler.sample(against, &mut || random.number()) {
            assert_eq!(violations(catalog, against, &value), [], "{value:?}");
            let cbor = data::to_cbor(&value).expect("a sample is data");
            assert_eq!(data::from_cbor(&cbor), Ok(value));
        }
    }
}

/// There are problems, or none; each is one line, whatever is in the lexicon.
fn check_printable(problems: &[Diagnostic]) {
    for problem in problems {
        check_one_line(&problem.to_string());
        serde_json::to_string(problem).expect("a problem can be written as JSON");
    }
}

fn check_one_line(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}

fn check_files(files: &[GeneratedFile]) {
    let paths: BTreeSet<&Path> = files.iter().map(|file| file.path.as_path()).collect();
    assert_eq!(paths.len(), files.len(), "{paths:?}");
    for GeneratedFile { path, text } in files {
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Err(problem) = rust::check(text)
        {
            panic!("{}: {problem}\n{text}", path.display());
        }
    }
}

/// The lexicons of the repository and, last, texts and numbers that are worth meeting in one.
static DONORS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut donors: Vec<Value> = lexicon_texts()
        .iter()
        .filter_map(|text| serde_json::from_slice(text).ok())
        .collect();
    donors.push(json!([
        ["#main", "#thing", "com.example.input", "com.example.input#thing", "com.atproto.companion"],
        ["com.example.record", "com.example.record#object", "com.example.record#token"],
        ["com.example.query", "com.example.record#list", "com.example.record#closed"],
        ["main", "thing", "self", "Self", "crate", "super", "type", "r#type", "extra", "try"],
        ["Option", "String", "Vec", "Box", "Result", "Ok", "Some", "Params", "Output", "Error"],
        ["schema", "check", "Other", "Unknown", "Data", "huddle_syntax", "core", "std", "new"],
        {"maxLength": 0, "minLength": 0, "maxGraphemes": 0, "minimum": 0, "maximum": 0},
        {"const": 0, "default": 0, "enum": [0], "knownValues": [], "closed": true},
        {"const": "", "default": "", "enum": [""], "deprecated": "", "nullable": []},
    ]));
    donors
});

/// The most bytes of a seed: larger ones say nothing new, and slow everything that is made of them.
const MAX_SEED_BYTES: usize = 8 << 10;

/// The lexicons of the repository, those that others have published, and the vectors of what a lexicon is.
fn seeds() -> Vec<Vec<u8>> {
    let vectors = ["lexicon/lexicon-valid.json", "lexicon/lexicon-invalid.json"]
        .into_iter()
        .flat_map(conformance)
        .map(|case| case["lexicon"].to_string().into_bytes());
    lexicon_texts()
        .into_iter()
        .chain(published_lexicon_texts())
        .chain(vectors)
        .filter(|seed| seed.len() <= MAX_SEED_BYTES)
        .collect()
}

/// Edits a lexicon with parts of others; of what is none, it makes one.
fn mutate(input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let edited = mutate::json(input, &DONORS, random)?;
    if random.one_in(4) {
        return Some(edited);
    }
    // What refers to nothing is refused early, and parts of other lexicons mostly do.
    let mut document: Value = serde_json::from_slice(&edited).ok()?;
    let mut targets: Vec<String> = COMPANIONS
        .documents()
        .flat_map(|document| document.defs.iter().map(|d| document.def_id(d).to_string()))
        .collect();
    let definitions = document.get("defs").and_then(Value::as_object);
    let names = definitions
        .into_iter()
        .flat_map(|definitions| definitions.keys());
    targets.extend(names.map(|name| format!("#{name}")));
    lead_somewhere(&mut document, &targets, random);
    Some(document.to_string().into_bytes())
}

/// Gives references that are not to one of the targets one of them.
fn lead_somewhere(value: &mut Value, targets: &[String], random: &mut Random) {
    let mut lead = |reference: &mut Value| {
        if let Value::String(text) = reference
            && !targets.contains(text)
            && let Some(target) = random.pick(targets)
        {
            target.clone_into(text);
        }
    };
    match value {
        Value::Object(fields) => {
            fields.get_mut("ref").into_iter().for_each(&mut lead);
            let refs = fields.get_mut("refs").and_then(Value::as_array_mut);
            refs.into_iter().flatten().for_each(lead);
            for field in fields.values_mut() {
                lead_somewhere(field, targets, random);
            }
        }
        Value::Array(items) => {
            for item in items {
                lead_somewhere(item, targets, random);
            }
        }
        _ => {}
    }
}
