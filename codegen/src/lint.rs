//! What is allowed in a lexicon and likely to be regretted, beside what is wrong with it.
//!
//! Rules have the names that goat's `lex lint` gives them; see [`Rule`].

pub(crate) mod permission;

use crate::diagnostic::{Diagnostic, Rule};
use crate::load::Loaded;
use crate::model::{
    Body, BytesSchema, DefKind, Definition, Document, ObjectSchema, Params, PermissionSet,
    Property, Schema, SchemaKind, StringSchema,
};
use crate::resolve::{self, Externals};

/// From this many bytes on, data belongs into a blob.
const LARGE: usize = 20 * 1024;

/// The longest name that goat recommends, in bytes.
const LONGEST_NAME: usize = 255;

/// Everything to be said about a folder of lexicons, in the order of files and of places in them:
/// what is wrong with each, where references lead, and what is unwise.
pub fn lint(loaded: &Loaded, externals: &Externals) -> Vec<Diagnostic> {
    let mut found = loaded.problems.clone();
    let mut references = resolve::problems(&loaded.catalog, externals);
    if !loaded.problems.is_empty() {
        // What seems to be missing may be in a file that could not be read.
        references.retain(|problem| problem.rule != Rule::UnresolvedRef);
    }
    found.extend(references);
    found.extend(loaded.catalog.documents().flat_map(document));
    // Stable: within a file, errors stay before advice.
    found.sort_by(|a, b| a.file.cmp(&b.file));
    found
}

/// What is unwise in one lexicon.
pub fn document(document: &Document) -> Vec<Diagnostic> {
    let mut linter = Linter {
        document,
        found: Vec::new(),
    };
    linter.document();
    linter.found
}

struct Linter<'a> {
    document: &'a Document,
    found: Vec<Diagnostic>,
}

impl Linter<'_> {
    fn say(&mut self, path: &str, rule: Rule, message: impl Into<String>) {
        self.found.push(Diagnostic {
            file: self.document.file.clone(),
            path: path.to_owned(),
            rule,
            message: message.into(),
        });
    }

    fn document(&mut self) {
        let document = self.document;
        self.file_path();
        for path in &document.unexpected {
            self.say(
                path,
                Rule::UnexpectedField,
                "this key is not part of the lexicon language",
            );
        }
        for definition in &document.defs {
            self.definition(definition);
        }
    }

    fn file_path(&mut self) {
        let expected = format!("{}.json", self.document.id.as_str().replace('.', "/"));
        // A part of a tree may be linted by itself: then the path begins further down.
        let found = self
            .document
            .source
            .split_once('/')
            .map_or("", |(_, below)| below);
        let fits = expected
            .strip_suffix(found)
            .is_some_and(|above| above.is_empty() || above.ends_with('/'));
        if !fits {
            self.say(
                "",
                Rule::FilePath,
                format!("tools look for this lexicon in {expected}"),
            );
        }
    }

    fn definition(&mut self, definition: &Definition) {
        let Definition {
            name,
            path,
            docs,
            kind,
        } = definition;
        if !is_plain_name(name) {
            self.say(
                path,
                Rule::DefNameSyntax,
                "a name is letters and digits, a letter first",
            );
        }
        if self.document.id.name() == "defs" && name == "main" {
            let message = "a lexicon named `defs` is for definitions to share, and has no `main`";
            self.say(path, Rule::DefsMainDefinition, message);
        }
        let described = docs.description.is_some();
        if kind.is_primary() && !described && !matches!(kind, DefKind::PermissionSet(_)) {
            let message = format!("this {} has no description", kind.name());
            self.say(path, Rule::MissingPrimaryDescription, message);
        }
        if let Some(params) = kind.parameters() {
            self.params(params);
        }
        match kind {
            DefKind::Record(record) => self.object(&format!("{path}.record"), &record.object),
            DefKind::Query(query) => self.output(path, query.output.as_ref()),
            DefKind::Procedure(procedure) => {
                procedure.input.iter().for_each(|input| self.body(input));
                self.output(path, procedure.output.as_ref());
            }
            DefKind::Subscription(subscription) => {
                if subscription.message.union.refs.is_empty() {
                    let message = "this subscription names no messages";
                    self.say(path, Rule::SubscriptionNoMessages, message);
                }
            }
            DefKind::PermissionSet(set) => self.permission_set(path, set),
            DefKind::Token if !described => {
                let message = "a token is what its description says, and this has none";
                self.say(path, Rule::UndescribedToken, message);
            }
            DefKind::Token => {}
            DefKind::Type(schema) => self.schema(schema),
        }
    }

    fn output(&mut self, path: &str, output: Option<&Body>) {
        if let Some(output) = output {
            self.body(output);
        } else {
            let message = "what does this answer? say so, even if it is an empty object";
            self.say(path, Rule::EndpointOutputUndefined, message);
        }
    }

    fn body(&mut self, body: &Body) {
        body.schema.iter().for_each(|schema| self.schema(schema));
        if body.encoding.is_empty() {
            let message = "this body says nothing of its encoding, e.g. application/json";
            self.say(&body.path, Rule::UnspecifiedEncoding, message);
        }
    }

    fn permission_set(&mut self, path: &str, set: &PermissionSet) {
        if set.title.as_deref().unwrap_or_default().is_empty() {
            let message = "a consent page has no title to show for this";
            self.say(path, Rule::PermissionsetNoTitle, message);
        }
        if set.permissions.is_empty() {
            self.say(
                path,
                Rule::PermissionsetNoPermissions,
                "this set allows nothing",
            );
        }
        for permission in &set.permissions {
            for (rule, problem) in permission::problems(&self.document.id, permission) {
                self.say(&permission.path, rule, problem);
            }
        }
    }

    fn params(&mut self, params: &Params) {
        params
            .properties
            .iter()
            .for_each(|property| self.property(property));
    }

    fn object(&mut self, path: &str, object: &ObjectSchema) {
        object
            .properties
            .iter()
            .for_each(|property| self.property(property));
        for property in object
            .properties
            .iter()
            .filter(|p| p.nullable && !p.required)
        {
            let message = format!(
                "`{}` can be absent and can be null; readers will not tell these apart",
                property.name
            );
            self.say(path, Rule::NullableAndOptional, message);
        }
    }

    fn property(&mut self, property: &Property) {
        self.schema(&property.schema);
        if !is_plain_name(&property.name) {
            let message = "a field's name is letters and digits, a letter first";
            self.say(&property.schema.path, Rule::FieldNameSyntax, message);
        }
    }

    fn schema(&mut self, schema: &Schema) {
        let path = &schema.path;
        match &schema.kind {
            SchemaKind::String(string) => self.string(path, string),
            SchemaKind::Bytes(bytes) => self.bytes(path, bytes),
            SchemaKind::Array(array) => self.schema(&array.items),
            SchemaKind::Object(object) => self.object(path, object),
            _ => {}
        }
    }

    fn string(&mut self, path: &str, string: &StringSchema) {
        let limited = string.max_length.is_some() || string.max_graphemes.is_some();
        if !limited && string.format.is_none() {
            let message = "a string without `maxLength`, `maxGraphemes` or `format` has no end";
            self.say(path, Rule::UnlimitedString, message);
        }
        if let Some(most) = string.max_length.filter(|most| *most > LARGE) {
            let message = format!("{most} bytes are much for a string; a blob is for large texts");
            self.say(path, Rule::LargeString, message);
        }
        for value in string
            .known_values
            .iter()
            .filter(|value| value.starts_with('#'))
        {
            let message = format!(
                "{value:?} means nothing outside of this file; as a token it is \"{}{value}\"",
                self.document.id
            );
            self.say(path, Rule::KnownStringLocalRef, message);
        }
    }

    fn bytes(&mut self, path: &str, bytes: &BytesSchema) {
        match bytes.max_length {
            None => self.say(
                path,
                Rule::UnlimitedBytes,
                "bytes without `maxLength` have no end",
            ),
            Some(most) if most > LARGE => {
                let message = format!("{most} bytes are much for a field; a blob is for files");
                self.say(path, Rule::LargeBytes, message);
            }
            Some(_) => {}
        }
    }
}

fn is_plain_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
