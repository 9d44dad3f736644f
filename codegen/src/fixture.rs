//! Lexicons for tests, written as briefly as they can be read.

#![expect(
    clippy::needless_pass_by_value,
    reason = "cases are read more easily without `&`"
)]

use crate::model::{Catalog, Document};
use crate::parse;
use serde_json::{Value as Json, json};
use std::path::Path;

/// A lexicon with these definitions.
pub(crate) fn document(id: &str, defs: Json) -> Document {
    let text = json!({ "lexicon": 1, "id": id, "defs": defs }).to_string();
    let path = format!("lexicons/{}.json", id.replace('.', "/"));
    parse::document(Path::new(&path), &path, text.as_bytes())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A set of lexicons: ids and definitions.
pub(crate) fn catalog<const N: usize>(lexicons: [(&str, Json); N]) -> Catalog {
    let mut catalog = Catalog::default();
    for (id, defs) in lexicons {
        catalog
            .insert(document(id, defs))
            .expect("a test names each lexicon once");
    }
    catalog
}

/// An object definition with these fields.
pub(crate) fn object(properties: Json) -> Json {
    json!({ "type": "object", "properties": properties })
}
