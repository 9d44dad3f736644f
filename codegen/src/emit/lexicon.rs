//! The file of one lexicon: its definitions in source order, and the types that they hold.

mod checks;
mod enums;
mod methods;
mod objects;
mod permissions;

use super::docs;
use super::ident::token;
use super::plan::{Module, Plan, is_enum};
use super::source::Source;
use crate::model::{
    DefId, DefKind, Definition, Docs, Document, Format, ObjectSchema, Property, Schema, SchemaKind,
};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Writes the file of a module.
pub(super) fn file(plan: &Plan<'_>, module: &Module<'_>, runtime: &str) -> Source {
    let mut lexicon = Lexicon {
        plan,
        module,
        source: Source::new(runtime, &module.names),
    };
    for definition in &module.document.defs {
        lexicon.definition(definition);
    }
    lexicon.source
}

/// The file of a lexicon in the making.
struct Lexicon<'p, 'a> {
    plan: &'p Plan<'a>,
    module: &'p Module<'a>,
    source: Source,
}

impl<'a> Lexicon<'_, 'a> {
    fn document(&self) -> &'a Document {
        self.module.document
    }

    fn nsid(&self) -> &'a str {
        self.document().id.as_str()
    }

    /// What the generated type, or constant, of a JSON path is called.
    fn name(&self, path: &str) -> String {
        self.module.name(path).to_owned()
    }

    fn definition(&mut self, definition: &'a Definition) {
        let id = self.document().def_id(definition).to_string();
        let name = self.name(&definition.path);
        let fallback = format!("`{id}`.");
        match &definition.kind {
            DefKind::Record(record) => {
                let docs = first_described([&definition.docs, &record.docs]);
                let role = objects::Role::Record {
                    nsid: &id,
                    key: record.key.to_string(),
                };
                self.object(&name, &record.object, docs, &fallback, &role);
                self.inline_types(&record.object, &name);
            }
            DefKind::Type(schema) => self.type_definition(&name, &id, definition, schema),
            DefKind::Token => {
                let attributes = docs::attributes(&definition.docs, &fallback);
                let (name, text) = (token(&name), tokens(&self.source.prelude("str")));
                self.source
                    .push(quote!(#attributes pub const #name: &#text = #id;));
            }
            DefKind::PermissionSet(set) => self.permission_set(&name, definition, set),
            DefKind::Query(query) => self.query(&name, definition, query),
            DefKind::Procedure(procedure) => self.procedure(&name, definition, procedure),
            DefKind::Subscription(stream) => self.subscription(&name, definition, stream),
        }
    }

    fn type_definition(
        &mut self,
        name: &str,
        id: &str,
        definition: &'a Definition,
        schema: &'a Schema,
    ) {
        let fallback = format!("`{id}`.");
        match &schema.kind {
            SchemaKind::Object(object) => {
                let role = objects::Role::Object { tag: id };
                self.object(name, object, &definition.docs, &fallback, &role);
                self.inline_types(object, name);
            }
            kind if is_enum(kind) => self.enumeration(name, schema, &definition.docs, &fallback),
            _ => {
                let attributes = docs::attributes(&definition.docs, &fallback);
                let alias = token(name);
                let target = tokens(&self.rust_type(schema));
                self.source
                    .push(quote!(#attributes pub type #alias = #target;));
                self.inline_type(schema, &format!("an item of `{name}`"));
            }
        }
    }

    /// Writes the types of fields that have no name of their own in the lexicon.
    fn inline_types(&mut self, object: &'a ObjectSchema, parent: &str) {
        for Property { name, schema, .. } in &object.properties {
            self.inline_type(schema, &format!("{} in `{parent}`", docs::code(name)));
        }
    }

    fn inline_type(&mut self, schema: &'a Schema, place: &str) {
        match &schema.kind {
            SchemaKind::Array(array) => self.inline_type(&array.items, place),
            SchemaKind::Object(object) => {
                let name = self.name(&schema.path);
                let fallback = format!("The object in {place}.");
                let role = objects::Role::Object { tag: "" };
                self.object(&name, object, &schema.docs, &fallback, &role);
                self.inline_types(object, &name);
            }
            kind if is_enum(kind) => {
                let name = self.name(&schema.path);
                let fallback = match kind {
                    SchemaKind::Union(_) => format!("The variants of {place}."),
                    _ => format!("The values of {place}."),
                };
                self.enumeration(&name, schema, &schema.docs, &fallback);
            }
            _ => {}
        }
    }

    /// The Rust type of a place, leaving aside whether it may be absent or null.
    fn rust_type(&mut self, schema: &Schema) -> String {
        match &schema.kind {
            SchemaKind::Boolean(_) => self.source.prelude("bool"),
            SchemaKind::Integer(_) => self.source.prelude("i64"),
            SchemaKind::Bytes(_) => self.source.of_runtime("Bytes"),
            SchemaKind::CidLink => self.source.of_runtime("CidLink"),
            SchemaKind::Blob(_) => self.source.of_runtime("Blob"),
            SchemaKind::Unknown => self.source.of_runtime("Map"),
            SchemaKind::Array(array) => {
                let items = self.rust_type(&array.items);
                format!("{}<{items}>", self.source.prelude("Vec"))
            }
            kind if is_enum(kind) => self.name(&schema.path),
            SchemaKind::Object(_) => self.name(&schema.path),
            SchemaKind::Union(_) => self.source.of_schema("Unknown"),
            SchemaKind::String(string) => match string.format {
                Some(format) => self.source.of_runtime(format_type(format)),
                None => self.source.prelude("String"),
            },
            SchemaKind::Ref(reference) => self.referred(&reference.target),
        }
    }

    /// The Rust type of a definition, here or elsewhere.
    fn referred(&mut self, id: &DefId) -> String {
        let (home, name) = self
            .plan
            .type_name(id)
            .expect("`resolve` refuses what is not at hand");
        self.source.lexicon_type(self.module, home, name)
    }
}

/// The first that has a description; the first of all, if none has.
fn first_described<const N: usize>(docs: [&Docs; N]) -> &Docs {
    let described = docs.iter().find(|docs| docs.description.is_some());
    described.unwrap_or(&docs[0])
}

const fn format_type(format: Format) -> &'static str {
    match format {
        Format::AtIdentifier => "AtIdentifier",
        Format::AtUri => "AtUri",
        Format::Cid => "Cid",
        Format::Datetime => "Datetime",
        Format::Did => "Did",
        Format::Handle => "Handle",
        Format::Language => "Language",
        Format::Nsid => "Nsid",
        Format::RecordKey => "RecordKey",
        Format::Tid => "Tid",
        Format::Uri => "Uri",
    }
}

/// The tokens of a type or path that this generator wrote.
pub(super) fn tokens(code: &str) -> TokenStream {
    code.parse().expect("the generator writes tokens")
}

/// An integer with its digits in groups.
fn integer(value: i64) -> TokenStream {
    let digits = value.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    let sign = if value < 0 { "-" } else { "" };
    tokens(&format!("{sign}{grouped}"))
}

fn count(value: usize) -> TokenStream {
    // Lengths come from JSON integers of 64 signed bits.
    integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A string literal, as it stands in code.
fn literal(text: &str) -> String {
    Literal::string(text).to_string()
}
