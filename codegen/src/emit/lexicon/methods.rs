//! Queries, procedures and subscriptions: a marker type each, and what it is called with.

use super::{Lexicon, first_described, literal, objects, tokens};
use crate::emit::docs;
use crate::emit::ident::{Scope, pascal, started, token};
use crate::emit::plan::{is_enum, role_path};
use crate::model::{
    Body, DeclaredError, Definition, Docs, Params, Procedure, Query, SchemaKind, Subscription,
};
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashSet;

impl<'a> Lexicon<'_, 'a> {
    pub(super) fn query(&mut self, name: &str, definition: &'a Definition, query: &'a Query) {
        let Query {
            parameters,
            output,
            errors,
        } = query;
        self.marker(name, definition, parameters.as_ref(), errors);
        self.call(name, None, output.as_ref());
        let (schema, marker) = (self.schema(), token(name));
        self.source.push(quote!(impl #schema::Query for #marker {}));
        self.params_type(definition, parameters.as_ref());
        self.body("output", output.as_ref());
        self.errors(definition, errors);
    }

    pub(super) fn procedure(
        &mut self,
        name: &str,
        definition: &'a Definition,
        procedure: &'a Procedure,
    ) {
        let Procedure {
            parameters,
            input,
            output,
            errors,
        } = procedure;
        self.marker(name, definition, parameters.as_ref(), errors);
        self.call(name, input.as_ref(), output.as_ref());
        let (schema, marker) = (self.schema(), token(name));
        self.source
            .push(quote!(impl #schema::Procedure for #marker {}));
        self.params_type(definition, parameters.as_ref());
        self.body("input", input.as_ref());
        self.body("output", output.as_ref());
        self.errors(definition, errors);
    }

    pub(super) fn subscription(
        &mut self,
        name: &str,
        definition: &'a Definition,
        subscription: &'a Subscription,
    ) {
        self.marker(
            name,
            definition,
            subscription.parameters.as_ref(),
            &subscription.errors,
        );
        let message = self.name(&role_path(&definition.path, "Message"));
        let schema = self.schema();
        let (marker, message_type) = (token(name), token(&message));
        self.source.push(quote! {
            impl #schema::Subscription for #marker {
                type Message = #message_type;
            }
        });
        self.params_type(definition, subscription.parameters.as_ref());
        let nsid = self.nsid();
        let fallback = format!("What `{nsid}` carries.");
        let attributes = docs::attributes(&subscription.message.docs, &fallback);
        let variants = self.union(&message, &subscription.message.union, &attributes);
        let lines: Vec<_> = variants
            .known
            .iter()
            .map(|(variant, tag)| {
                // A definition of the stream's own lexicon goes without its NSID.
                let own = tag.strip_prefix(nsid).filter(|rest| rest.starts_with('#'));
                format!("{variant} = {}", literal(own.unwrap_or(tag)))
            })
            .collect();
        let tail = variants.tail();
        self.source.push_macro("message", &message, &lines, &tail);
        self.errors(definition, &subscription.errors);
    }

    fn schema(&mut self) -> TokenStream {
        tokens(&self.source.of_runtime("schema"))
    }

    /// Writes what queries and procedures have in common.
    fn call(&mut self, name: &str, input: Option<&Body>, output: Option<&Body>) {
        let (input, input_encoding) = self.body_type("INPUT", input);
        let (output, output_encoding) = self.body_type("OUTPUT", output);
        let (schema, marker) = (self.schema(), token(name));
        self.source.push(quote! {
            impl #schema::Call for #marker {
                type Input = #input;
                type Output = #output;
                #input_encoding
                #output_encoding
            }
        });
    }

    /// Writes the marker type and what all methods implement.
    fn marker(
        &mut self,
        name: &str,
        definition: &Definition,
        params: Option<&Params>,
        errors: &[DeclaredError],
    ) {
        let nsid = self.nsid();
        let attributes = docs::attributes(&definition.docs, &format!("`{nsid}`."));
        let (schema, text) = (self.schema(), tokens(&self.source.prelude("str")));
        let params = match params {
            Some(params) if !params.properties.is_empty() => {
                tokens(&self.name(&role_path(&definition.path, "Params")))
            }
            _ => quote!(()),
        };
        let error = if errors.is_empty() {
            tokens(&self.source.import("core::convert", "Infallible"))
        } else {
            tokens(&self.name(&role_path(&definition.path, "Error")))
        };
        let marker = token(name);
        self.source.push(quote! {
            #attributes
            #[derive(Clone, Copy, Debug)]
            pub struct #marker;

            impl #schema::Method for #marker {
                const NSID: &'static #text = #nsid;
                type Params = #params;
                type Error = #error;
            }
        });
    }

    fn params_type(&mut self, definition: &'a Definition, params: Option<&'a Params>) {
        let Some(params) = params.filter(|params| !params.properties.is_empty()) else {
            return;
        };
        let name = self.name(&role_path(&definition.path, "Params"));
        let fallback = format!("The parameters of `{}`.", self.nsid());
        self.params(&name, &params.properties, &params.docs, &fallback);
    }

    /// The type of a body, and the constant that says its encoding, if there is a body.
    fn body_type(&mut self, constant: &str, body: Option<&Body>) -> (TokenStream, TokenStream) {
        let nothing = (quote!(()), quote!());
        let Some(body) = body else { return nothing };
        let (body_type, encoding) = match (&body.schema, body.encoding.as_str()) {
            (None, "") => return nothing,
            (Some(_), "") => (self.name(&body.path), "application/json"),
            (Some(_), encoding) => (self.name(&body.path), encoding),
            (None, "application/json") => (self.source.of_runtime("Value"), "application/json"),
            (None, encoding) => (self.source.of_schema("Payload"), encoding),
        };
        let (constant, text) = (token(constant), tokens(&self.source.prelude("str")));
        (
            tokens(&body_type),
            quote!(const #constant: &'static #text = #encoding;),
        )
    }

    /// Writes the type of a body that has a schema.
    fn body(&mut self, role: &str, body: Option<&'a Body>) {
        let Some((body, schema)) = body.and_then(|body| Some((body, body.schema.as_ref()?))) else {
            return;
        };
        let name = self.name(&body.path);
        let fallback = format!("The {role} of `{}`.", self.nsid());
        let docs = first_described([&body.docs, &schema.docs]);
        match &schema.kind {
            SchemaKind::Object(object) => {
                self.object(
                    &name,
                    object,
                    docs,
                    &fallback,
                    &objects::Role::Object { tag: "" },
                );
                self.inline_types(object, &name);
            }
            kind if is_enum(kind) => self.enumeration(&name, schema, docs, &fallback),
            _ => {
                let attributes = docs::attributes(docs, &fallback);
                let (name, target) = (token(&name), tokens(&self.rust_type(schema)));
                self.source
                    .push(quote!(#attributes pub type #name = #target;));
            }
        }
    }

    fn errors(&mut self, definition: &Definition, errors: &[DeclaredError]) {
        if errors.is_empty() {
            return;
        }
        let name = self.name(&role_path(&definition.path, "Error"));
        let attributes = docs::attributes(
            &Docs::default(),
            &format!("The errors that `{}` declares.", self.nsid()),
        );
        let mut scope = Scope::default();
        let mut seen = HashSet::new();
        let distinct = errors.iter().filter(|error| seen.insert(&error.name));
        let variants: Vec<_> = distinct
            .map(|error| {
                let variant = scope.claim(&[started(&pascal(&error.name), "Error")]);
                (variant, error)
            })
            .collect();
        let declared = variants.iter().map(|(variant, error)| {
            let fallback = docs::code(&error.name);
            let attributes = docs::attributes(&error.docs, &fallback);
            let variant = token(variant);
            quote!(#attributes #variant)
        });
        let type_name = token(&name);
        let declared: Vec<_> = declared.collect();
        self.source.push(quote! {
            #attributes
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum #type_name {
                #(#declared,)*
            }
        });
        let lines: Vec<_> = variants
            .iter()
            .map(|(variant, error)| format!("{variant} = {}", literal(&error.name)))
            .collect();
        self.source.push_macro("error_names", &name, &lines, "");
    }
}
