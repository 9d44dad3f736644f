//! JSON text to a [`Document`], or to everything that is wrong with it.
//!
//! What is checked here can be seen in one file: keys and their types, and the rules of
//! <https://atproto.com/specs/lexicon>. Where references lead is for [`resolve`](crate::resolve) to
//! say; what is allowed but unwise, for the linter.

mod definition;
mod mime;
mod reader;
mod schema;

use self::reader::{Node, Reader, is_definition_name, quote};
use crate::diagnostic::{Diagnostic, Diagnostics, Rule, a, on_one_line};
use crate::json::Json;
use crate::model::{Definition, Document};
use huddle_syntax::Nsid;
use std::path::Path;

/// Reads a lexicon. `file` names it in messages; `source` is its [`Document::source`].
///
/// Never panics, and nests no deeper than 128 levels of JSON. All errors of the file come at once,
/// except that a file that is not JSON, has names of immense length, or is of another version of the
/// language, has only that one.
pub fn document(file: &Path, source: &str, text: &[u8]) -> Result<Document, Diagnostics> {
    let json = Json::parse(text).map_err(|error| {
        Diagnostics(vec![Diagnostic {
            file: file.to_owned(),
            path: format!("line {}, column {}", error.line(), error.column()),
            rule: Rule::SchemaJsonParse,
            message: bare_message(&error),
        }])
    })?;
    let mut reader = Reader::new(file);
    refuse_unwritable(&mut reader, source);
    let readable = reader.check_names(&json);
    let document = readable.then(|| read_document(&mut reader, &json, source));
    reader.finish(document.flatten())
}

/// Refuses the name of a file that a generated file could not have in its first line.
fn refuse_unwritable(reader: &mut Reader, source: &str) {
    if on_one_line(source) != source {
        let message = "generated files name what they come from, and cannot name this: a file or \
                       folder has an invisible or control character in its name; rename it";
        reader.fail("", Rule::LexiconSchema, message);
    }
}

/// The reader's message without the position, which the diagnostic has in its path.
fn bare_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}

fn read_document(reader: &mut Reader, json: &Json, source: &str) -> Option<Document> {
    let mut fields = reader.fields(&Node::root(json))?;
    let version = fields.require(reader, "lexicon", Reader::integer)?;
    if version != 1 {
        reader.fail(
            "lexicon",
            Rule::LexiconVersion,
            format!("version {version} is unknown; this reads version 1"),
        );
        return None;
    }
    // The language version is all that a lexicon published as a record has to say of its type.
    fields.read(reader, "$type", |reader, node| {
        let name = reader.text(node)?;
        if name != "com.atproto.lexicon.schema" {
            reader.fail(
                "$type",
                Rule::LexiconSchema,
                format!("{} is no lexicon", quote(&name)),
            );
        }
        Some(())
    });
    let id = fields.require(reader, "id", read_id);
    if let Some(id) = &id {
        reader.set_lexicon(id.clone());
    }
    let description = fields.read(reader, "description", Reader::text);
    let defs = fields.require(reader, "defs", read_definitions);
    fields.finish(reader);
    Some(Document {
        file: reader.file().to_owned(),
        source: source.to_owned(),
        id: id?,
        description: description.filter(|text| !text.is_empty()),
        defs: defs?,
        unexpected: reader.take_unexpected(),
    })
}

fn read_id(reader: &mut Reader, node: &Node<'_>) -> Option<Nsid> {
    let text = reader.text(node)?;
    match text.parse() {
        Ok(nsid) => Some(nsid),
        Err(error) => {
            reader.fail(
                &node.path,
                Rule::InvalidNsid,
                format!("{}: {error}", quote(&text)),
            );
            None
        }
    }
}

fn read_definitions(reader: &mut Reader, node: &Node<'_>) -> Option<Vec<Definition>> {
    let entries = reader.entries(node)?;
    if entries.is_empty() {
        reader.fail(
            &node.path,
            Rule::LexiconSchema,
            "a lexicon has at least one definition",
        );
    }
    let definitions: Vec<_> = entries
        .into_iter()
        .map(|(name, node)| read_definition(reader, name, &node))
        .collect();
    definitions.into_iter().collect()
}

fn read_definition(reader: &mut Reader, name: &str, node: &Node<'_>) -> Option<Definition> {
    let path = &node.path;
    if !is_definition_name(name) {
        let message = "a definition's name is letters and digits; this one is empty or has a `#`, a `.`, \
                       white space or an invisible or control character";
        reader.fail(path, Rule::LexiconSchema, message);
    }
    let mut fields = reader.fields(node)?;
    let docs = fields.docs(reader);
    let kind = definition::read(reader, &mut fields);
    fields.finish(reader);
    let kind = kind?;
    if kind.is_primary() && name != "main" {
        reader.fail(
            path,
            Rule::NonMainPrimary,
            format!("{} is the `main` of a lexicon of its own", a(kind.name())),
        );
    }
    Some(Definition {
        name: name.to_owned(),
        path: path.clone(),
        docs,
        kind,
    })
}

#[cfg(test)]
mod tests;
