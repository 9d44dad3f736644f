//! Objects and parameters as structs: their fields, constructor, defaults.

use super::enums::Variants;
use super::{Lexicon, integer, literal, tokens};
use crate::emit::docs;
use crate::emit::ident::{Scope, snake, started, token};
use crate::emit::plan::text_values;
use crate::model::{Docs, ObjectSchema, Property, SchemaKind, StringSchema};
use proc_macro2::TokenStream;
use quote::quote;

/// What an object is in its lexicon.
pub(super) enum Role<'r> {
    /// The record of a collection.
    Record {
        /// The collection.
        nsid: &'r str,
        /// The form of its record keys.
        key: String,
    },
    /// Any other object.
    Object {
        /// What `$type` says of it; empty if it has no name in the lexicon.
        tag: &'r str,
    },
}

/// A field of the struct.
pub(super) struct Field<'a> {
    pub(super) property: &'a Property,
    /// Its name, escaped.
    pub(super) name: String,
    /// Its type as if it were always there.
    inner: String,
    /// Its type.
    full: String,
    boxed: bool,
}

impl Field<'_> {
    /// What the runtime's macros are told of it: `name: required "wire name"`.
    fn line(&self, suffix: &str) -> String {
        let Self { property, name, .. } = self;
        let presence = if property.required {
            "required"
        } else {
            "optional"
        };
        format!("{name}: {presence}{suffix} {}", literal(&property.name))
    }
}

impl<'a> Lexicon<'_, 'a> {
    /// Writes the struct of an object, and what it implements.
    pub(super) fn object(
        &mut self,
        name: &str,
        object: &'a ObjectSchema,
        docs: &Docs,
        fallback: &str,
        role: &Role<'_>,
    ) {
        let mut scope = Scope::default();
        let fields = self.fields(&object.properties, &mut scope);
        let extra = scope.claim(&["extra".to_owned()]);
        self.structure(name, &fields, Some(&extra), docs, fallback);
        self.constructor(name, &fields, Some(&extra));
        self.constraints(name, &fields);
        let lines: Vec<_> = fields.iter().map(|field| field.line("")).collect();
        let tail = format!(" ..{extra}");
        match role {
            Role::Record { nsid, key } => {
                let head = format!("{name} = {}, key {}", literal(nsid), literal(key));
                self.source.push_macro("record", &head, &lines, &tail);
            }
            Role::Object { tag } => {
                let head = format!("{name} = {}", literal(tag));
                self.source.push_macro("object", &head, &lines, &tail);
            }
        }
    }

    /// Writes the struct of a method's parameters, and what it implements.
    pub(super) fn params(
        &mut self,
        name: &str,
        properties: &'a [Property],
        docs: &Docs,
        fallback: &str,
    ) {
        let fields = self.fields(properties, &mut Scope::default());
        self.structure(name, &fields, None, docs, fallback);
        self.constructor(name, &fields, None);
        self.constraints(name, &fields);
        let lines: Vec<_> = fields
            .iter()
            .map(|field| {
                let list = matches!(field.property.schema.kind, SchemaKind::Array(_));
                field.line(if list { "_list" } else { "" })
            })
            .collect();
        self.source.push_macro("params", name, &lines, "");
        for Property {
            name: field,
            schema,
            ..
        } in properties
        {
            self.inline_type(schema, &format!("{} in `{name}`", docs::code(field)));
        }
    }

    fn fields(&mut self, properties: &'a [Property], scope: &mut Scope) -> Vec<Field<'a>> {
        let document = self.document();
        properties
            .iter()
            .map(|property| {
                let name = scope.claim(&[started(&snake(&property.name), "field_")]);
                let mut inner = self.rust_type(&property.schema);
                let boxed = self.plan.resolution.needs_box(document, &property.schema);
                if boxed {
                    inner = format!("{}<{inner}>", self.source.prelude("Box"));
                }
                let mut full = inner.clone();
                for wrapped in [property.nullable, !property.required] {
                    if wrapped {
                        full = format!("{}<{full}>", self.source.prelude("Option"));
                    }
                }
                Field {
                    property,
                    name,
                    inner,
                    full,
                    boxed,
                }
            })
            .collect()
    }

    fn structure(
        &mut self,
        name: &str,
        fields: &[Field<'_>],
        extra: Option<&str>,
        docs: &Docs,
        fallback: &str,
    ) {
        let attributes = docs::attributes(docs, fallback);
        let name = token(name);
        let derived = fields.iter().all(|field| !field.property.required);
        let default = derived.then(|| quote!(, Default));
        let fields: Vec<_> = fields
            .iter()
            .map(|field| {
                let fallback = docs::code(&field.property.name);
                let attributes = docs::attributes(&field.property.schema.docs, &fallback);
                let (name, full) = (token(&field.name), tokens(&field.full));
                quote!(#attributes pub #name: #full)
            })
            .collect();
        let extra = extra.map(|extra| {
            let (extra, map) = (token(extra), tokens(&self.source.of_runtime("Map")));
            quote! {
                /// Fields that this version of the lexicon does not name.
                pub #extra: #map
            }
        });
        let fields = fields.into_iter().chain(extra);
        self.source.push(quote! {
            #attributes
            #[derive(Clone, Debug, PartialEq, Eq #default)]
            pub struct #name {
                #(#fields,)*
            }
        });
    }

    /// Writes `new`, or `Default` where nothing has to be given and it cannot be derived; and the
    /// accessors of fields that have defaults.
    fn constructor(&mut self, name: &str, fields: &[Field<'a>], extra: Option<&str>) {
        let accessors: Vec<_> = fields
            .iter()
            .filter_map(|field| self.accessor(field))
            .collect();
        let mut arguments = Vec::new();
        let mut values = Vec::new();
        for field in fields {
            let field_name = token(&field.name);
            if !field.property.required {
                let none = tokens(&self.source.prelude("None"));
                values.push(quote!(#field_name: #none));
            } else if let Some(constant) = self.constant(field) {
                values.push(quote!(#field_name: #constant));
            } else {
                let (argument, value) = self.argument(field);
                arguments.push(argument);
                values.push(value);
            }
        }
        if let Some(extra) = extra {
            let (extra, map) = (token(extra), tokens(&self.source.of_runtime("Map")));
            values.push(quote!(#extra: #map::new()));
        }
        let all_optional = fields.iter().all(|field| !field.property.required);
        let optional = fields.iter().any(|field| !field.property.required);
        let name = token(name);
        let new = (!arguments.is_empty()).then(|| {
            let doc = if optional {
                docs::comment("With what is required; the rest is absent.")
            } else {
                docs::comment("With what is required, which is all there is.")
            };
            quote! {
                #doc
                pub fn new(#(#arguments),*) -> Self {
                    Self { #(#values),* }
                }
            }
        });
        if new.is_some() || !accessors.is_empty() {
            self.source.push(quote!(impl #name { #new #(#accessors)* }));
        }
        if arguments.is_empty() && !all_optional {
            let default = tokens(&self.source.prelude("Default"));
            self.source.push(quote! {
                impl #default for #name {
                    fn default() -> Self {
                        Self { #(#values),* }
                    }
                }
            });
        }
    }

    /// An argument of `new`, and the field that it becomes.
    fn argument(&mut self, field: &Field<'a>) -> (TokenStream, TokenStream) {
        let name = token(&field.name);
        let (_, schema) = self.plan.resolved(self.document(), &field.property.schema);
        let text = match &schema.kind {
            SchemaKind::String(schema) => schema.format.is_none() && text_values(schema).is_none(),
            _ => false,
        };
        if text && !field.property.nullable {
            let (into, full) = (tokens(&self.source.prelude("Into")), tokens(&field.full));
            return (
                quote!(#name: impl #into<#full>),
                quote!(#name: #name.into()),
            );
        }
        if field.boxed && !field.property.nullable {
            let unboxed = tokens(&self.rust_type(&field.property.schema));
            let new = tokens(&self.source.prelude("Box"));
            return (quote!(#name: #unboxed), quote!(#name: #new::new(#name)));
        }
        let full = tokens(&field.full);
        (quote!(#name: #full), quote!(#name))
    }

    /// The only value that a field can have.
    fn constant(&mut self, field: &Field<'a>) -> Option<TokenStream> {
        if field.property.nullable {
            return None;
        }
        let (_, schema) = self.plan.resolved(self.document(), &field.property.schema);
        match &schema.kind {
            SchemaKind::Boolean(boolean) => boolean.constant.map(|value| quote!(#value)),
            SchemaKind::Integer(schema) => schema.constant.map(integer),
            SchemaKind::String(string) => {
                let constant = string.constant.as_ref()?;
                // A constant in a format or a set of values is left to the caller.
                let plain = string.format.is_none() && text_values(string).is_none();
                plain.then(|| quote!(#constant.to_owned()))
            }
            _ => None,
        }
    }

    /// The function that gives a field's value or its default.
    ///
    /// There is none for a field that may be null, where the default would hide what null means.
    fn accessor(&mut self, field: &Field<'a>) -> Option<TokenStream> {
        if field.property.required || field.property.nullable {
            return None;
        }
        let (_, schema) = self.plan.resolved(self.document(), &field.property.schema);
        let by_value = |default: TokenStream| quote!(unwrap_or(#default));
        let (lent, value, default) = match &schema.kind {
            SchemaKind::Boolean(schema) => {
                let default = schema.default?;
                (false, by_value(quote!(#default)), format!("`{default}`"))
            }
            SchemaKind::Integer(schema) => {
                let default = schema.default?;
                (false, by_value(integer(default)), format!("`{default}`"))
            }
            SchemaKind::String(schema) => {
                let default = schema.default.as_ref()?;
                let (lent, value) = text_or_default(schema, default, &tokens(&field.inner))?;
                (lent, value, docs::code(default))
            }
            _ => return None,
        };
        let returned = if lent {
            let text = tokens(&self.source.prelude("str"));
            quote!(&#text)
        } else {
            tokens(&field.inner)
        };
        let name = field
            .name
            .strip_prefix("r#")
            .unwrap_or(&field.name)
            .trim_end_matches('_');
        let function = token(&format!("{name}_or_default"));
        let name = token(&field.name);
        let wire_name = docs::code(&field.property.name);
        let comment = docs::comment(&format!("{wire_name}, or its default: {default}."));
        Some(quote! {
            #comment
            pub fn #function(&self) -> #returned {
                self.#name.#value
            }
        })
    }
}

/// How the text of an optional field, or its default, is got from the field; and whether it is lent.
fn text_or_default(
    schema: &StringSchema,
    default: &str,
    field_type: &TokenStream,
) -> Option<(bool, TokenStream)> {
    let Some((values, open)) = text_values(schema) else {
        let value = if schema.format.is_some() {
            quote!(as_ref().map_or(#default, #field_type::as_str))
        } else {
            quote!(as_deref().unwrap_or(#default))
        };
        return Some((true, value));
    };
    let Variants { known, other } = Variants::of_text(values, open);
    let known = known.iter().find(|(_, text)| text == default);
    let default = match (known, &other) {
        (Some((variant, _)), _) => {
            let variant = token(variant);
            quote!(#field_type::#variant)
        }
        (None, Some(other)) => {
            let other = token(other);
            quote!(#field_type::#other(#default.to_owned()))
        }
        // A default that the schema itself does not allow.
        (None, None) => return None,
    };
    // An open set holds a string, which has to be copied.
    let clone = other.is_some().then(|| quote!(clone().));
    let value = quote!(#clone unwrap_or(#default));
    Some((false, value))
}
