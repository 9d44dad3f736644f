//! Statements that enforce what a schema asks of values beyond their Rust types.

use super::objects::Field;
use super::{Lexicon, count, integer, tokens};
use crate::emit::ident::token;
use crate::model::{
    ArraySchema, BlobSchema, BytesSchema, Document, IntegerSchema, Schema, SchemaKind, StringSchema,
};
use proc_macro2::TokenStream;
use quote::quote;

/// How a statement gets at a value, and what the value is called in errors.
struct Place {
    /// An expression of type `&T`.
    reference: TokenStream,
    /// An expression of type `T`, for types that are `Copy`.
    value: TokenStream,
    /// An expression to call methods on.
    receiver: TokenStream,
    /// Calls that add the steps from the object to the value, the innermost first.
    path: TokenStream,
    /// How many lists the value is in.
    depth: usize,
}

/// What enforces the constraints of a value.
enum Checks {
    /// Statements of functions that return `Result<_, Invalid>`; none if there are no constraints.
    Statements(Vec<TokenStream>),
    /// The value's type does, with `Data::check`.
    Nested,
}

impl<'a> Lexicon<'_, 'a> {
    /// The implementation of `Constraints` for a struct with these fields.
    pub(super) fn constraints(&mut self, name: &str, fields: &[Field<'a>]) {
        let statements: Vec<_> = fields
            .iter()
            .filter_map(|field| self.field_checks(field))
            .collect();
        let (schema, name) = (tokens(&self.source.of_runtime("schema")), token(name));
        let body = if statements.is_empty() {
            quote!()
        } else {
            let result = tokens(&self.source.prelude("Result"));
            let ok = tokens(&self.source.prelude("Ok"));
            let invalid = tokens(&self.source.of_schema("Invalid"));
            self.source.use_trait("At");
            quote! {
                fn check_fields(&self) -> #result<(), #invalid> {
                    #(#statements)*
                    #ok(())
                }
            }
        };
        self.source
            .push(quote!(impl #schema::Constraints for #name { #body }));
    }

    fn field_checks(&mut self, field: &Field<'a>) -> Option<TokenStream> {
        let property = field.property;
        let (name, field) = (&property.name, token(&field.name));
        let (home, schema) = self.plan.resolved(self.document(), &property.schema);
        let copied = matches!(schema.kind, SchemaKind::Boolean(_) | SchemaKind::Integer(_));
        let layers = usize::from(!property.required) + usize::from(property.nullable);
        let (reference, value) = match (layers, copied) {
            (0, _) => (quote!(&self.#field), quote!(self.#field)),
            (_, true) => (quote!(&#field), quote!(#field)),
            (_, false) => (quote!(#field), quote!(*#field)),
        };
        let receiver = if layers == 0 {
            quote!(self.#field)
        } else {
            quote!(#field)
        };
        let path = quote!(.at(#name));
        let place = Place {
            reference,
            value,
            receiver,
            path,
            depth: 0,
        };
        let statements = match self.checks(home, schema, &place) {
            Checks::Nested => {
                self.source.use_trait("Data");
                return Some(quote!(self.#field.check().at(#name)?;));
            }
            Checks::Statements(statements) if statements.is_empty() => return None,
            Checks::Statements(statements) => statements,
        };
        let some = tokens(&self.source.prelude("Some"));
        let subject = if copied {
            quote!(self.#field)
        } else {
            quote!(&self.#field)
        };
        Some(match layers {
            0 => quote!(#(#statements)*),
            1 => quote!(if let #some(#field) = #subject { #(#statements)* }),
            _ => quote!(if let #some(#some(#field)) = #subject { #(#statements)* }),
        })
    }

    fn checks(&mut self, document: &'a Document, schema: &'a Schema, place: &Place) -> Checks {
        let (document, schema) = self.plan.resolved(document, schema);
        let calls = match &schema.kind {
            SchemaKind::Boolean(schema) => {
                let constant: Vec<_> = schema.constant.iter().map(|value| quote!(#value)).collect();
                self.one_of(&constant, place)
            }
            SchemaKind::Integer(schema) => self.integer_calls(schema, place),
            SchemaKind::String(schema) => self.string_calls(schema, place),
            SchemaKind::Bytes(schema) => self.bytes_calls(schema, place),
            SchemaKind::Blob(schema) => self.blob_calls(schema, place),
            SchemaKind::Array(schema) => return self.array_checks(document, schema, place),
            SchemaKind::CidLink | SchemaKind::Unknown => Vec::new(),
            SchemaKind::Object(_) | SchemaKind::Union(_) | SchemaKind::Ref(_) => {
                if self.plan.has_constraints(schema) {
                    return Checks::Nested;
                }
                Vec::new()
            }
        };
        Checks::Statements(statements(&calls, place))
    }

    fn array_checks(
        &mut self,
        document: &'a Document,
        schema: &'a ArraySchema,
        place: &Place,
    ) -> Checks {
        let bounds = [
            ("min_items", schema.min_length),
            ("max_items", schema.max_length),
        ];
        let bounds = self.bound_calls(&bounds, &place.reference);
        let mut all = statements(&bounds, place);
        let Place {
            receiver,
            path,
            depth,
            ..
        } = place;
        let numbered = |name: &str| match depth {
            0 => token(name),
            depth => token(&format!("{name}_{}", depth + 1)),
        };
        let (index, item) = (numbered("index"), numbered("item"));
        let item_place = Place {
            reference: quote!(#item),
            value: quote!(*#item),
            receiver: quote!(#item),
            path: quote!(.at(#index) #path),
            depth: depth + 1,
        };
        match self.checks(document, &schema.items, &item_place) {
            // A list checks its items by itself.
            Checks::Nested if all.is_empty() => return Checks::Nested,
            Checks::Nested => {
                self.source.use_trait("Data");
                all.push(quote!(#receiver.check() #path?;));
            }
            Checks::Statements(each) if each.is_empty() => {}
            Checks::Statements(each) => all.push(quote! {
                for (#index, #item) in #receiver.iter().enumerate() {
                    #(#each)*
                }
            }),
        }
        Checks::Statements(all)
    }

    fn check(&mut self) -> TokenStream {
        tokens(&self.source.of_schema("check"))
    }

    fn one_of(&mut self, allowed: &[TokenStream], place: &Place) -> Vec<TokenStream> {
        if allowed.is_empty() {
            return Vec::new();
        }
        let (check, value) = (self.check(), &place.reference);
        vec![quote!(#check::one_of(#value, &[#(#allowed),*]))]
    }

    fn integer_calls(&mut self, schema: &IntegerSchema, place: &Place) -> Vec<TokenStream> {
        let mut calls = Vec::new();
        let value = &place.value;
        if let Some(minimum) = schema.minimum.map(integer) {
            let check = self.check();
            calls.push(quote!(#check::minimum(#value, #minimum)));
        }
        if let Some(maximum) = schema.maximum.map(integer) {
            let check = self.check();
            calls.push(quote!(#check::maximum(#value, #maximum)));
        }
        let values: Vec<_> = schema
            .values
            .iter()
            .flatten()
            .copied()
            .map(integer)
            .collect();
        calls.extend(self.one_of(&values, place));
        let constant: Vec<_> = schema.constant.into_iter().map(integer).collect();
        calls.extend(self.one_of(&constant, place));
        calls
    }

    fn string_calls(&mut self, schema: &StringSchema, place: &Place) -> Vec<TokenStream> {
        let value = &place.reference;
        let bounds = [
            ("min_bytes", schema.min_length),
            ("max_bytes", schema.max_length),
            ("min_graphemes", schema.min_graphemes),
            ("max_graphemes", schema.max_graphemes),
        ];
        let mut calls = self.bound_calls(&bounds, value);
        if let Some(constant) = &schema.constant {
            let check = self.check();
            calls.push(quote!(#check::one_text_of(#value, &[#constant])));
        }
        calls
    }

    fn bytes_calls(&mut self, schema: &BytesSchema, place: &Place) -> Vec<TokenStream> {
        let bounds = [
            ("min_size", schema.min_length),
            ("max_size", schema.max_length),
        ];
        self.bound_calls(&bounds, &place.reference)
    }

    fn bound_calls(
        &mut self,
        bounds: &[(&str, Option<usize>)],
        value: &TokenStream,
    ) -> Vec<TokenStream> {
        let present = bounds
            .iter()
            .filter_map(|(function, bound)| Some((function, (*bound)?)));
        let mut calls = Vec::new();
        for (function, bound) in present {
            let (check, function, bound) = (self.check(), token(function), count(bound));
            calls.push(quote!(#check::#function(#value, #bound)));
        }
        calls
    }

    fn blob_calls(&mut self, schema: &BlobSchema, place: &Place) -> Vec<TokenStream> {
        let mut calls = Vec::new();
        let value = &place.reference;
        if !schema.accept.is_empty() {
            let (check, accept) = (self.check(), &schema.accept);
            calls.push(quote!(#check::accept(#value, &[#(#accept),*])));
        }
        if let Some(maximum) = schema.max_size.map(integer) {
            let check = self.check();
            calls.push(quote!(#check::max_blob(#value, #maximum)));
        }
        calls
    }
}

/// Calls, made at a place.
fn statements(calls: &[TokenStream], place: &Place) -> Vec<TokenStream> {
    let path = &place.path;
    calls.iter().map(|call| quote!(#call #path?;)).collect()
}
