//! Strings with values and unions, as enums.

use super::{Lexicon, literal, tokens};
use crate::emit::docs;
use crate::emit::ident::{Scope, pascal, started, token};
use crate::emit::plan::text_values;
use crate::model::{DefId, DefKind, Docs, Reference, Schema, SchemaKind, UnionSchema};
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashSet;

/// The variants of a generated enum.
pub(super) struct Variants {
    /// Names, escaped, and what they stand for on the wire.
    pub(super) known: Vec<(String, String)>,
    /// The name of the variant for all else, if there can be anything else.
    pub(super) other: Option<String>,
}

impl Variants {
    /// One variant a value.
    pub(super) fn of_text(values: &[String], open: bool) -> Self {
        let mut scope = Scope::default();
        let mut seen = HashSet::new();
        let mut known = Vec::new();
        for value in values.iter().filter(|value| seen.insert(*value)) {
            // A token is called by its own name, a value as a whole.
            let name = value
                .rsplit_once('#')
                .map_or(value.as_str(), |(_, name)| name);
            let [short, long] = [name, value].map(|name| started(&pascal(name), "Value"));
            known.push((scope.claim(&[short, long]), value.clone()));
        }
        let other = open.then(|| scope.claim(&["Other".to_owned(), "OtherValue".to_owned()]));
        Self { known, other }
    }

    /// One variant a member.
    pub(super) fn of_union(union: &UnionSchema, home: &str) -> Self {
        let mut scope = Scope::default();
        let known = union
            .refs
            .iter()
            .map(|Reference { target, .. }| {
                let long = started(&pascal(&target.to_string()), "Type");
                let name = scope.claim(&[started(&member_name(target, home), "Type"), long]);
                (name, target.to_string())
            })
            .collect();
        let other = (!union.closed)
            .then(|| scope.claim(&["Unknown".to_owned(), "UnknownMember".to_owned()]));
        Self { known, other }
    }

    /// How the runtime's macros are told of the variant for all else.
    pub(super) fn tail(&self) -> String {
        let other = self.other.as_ref();
        other.map_or_else(String::new, |other| format!(" ..{other}"))
    }
}

/// What a member is called in unions of the lexicon `home`: by its definition, and where that says
/// too little (`view`, of `app.example.embed.images`) by its lexicon too.
fn member_name(target: &DefId, home: &str) -> String {
    let lexicon = target.nsid().name();
    if target.is_main() {
        pascal(lexicon)
    } else if target.nsid().as_str() == home || lexicon == "defs" {
        pascal(target.name())
    } else {
        pascal(lexicon) + &pascal(target.name())
    }
}

impl<'a> Lexicon<'_, 'a> {
    /// Writes the enum of a string with values, or of a union.
    pub(super) fn enumeration(
        &mut self,
        name: &str,
        schema: &'a Schema,
        docs: &Docs,
        fallback: &str,
    ) {
        let attributes = docs::attributes(docs, fallback);
        match &schema.kind {
            SchemaKind::String(string) => {
                if let Some((values, open)) = text_values(string) {
                    self.text_enum(name, &Variants::of_text(values, open), &attributes);
                }
            }
            SchemaKind::Union(union) => {
                self.union(name, union, &attributes);
            }
            _ => {}
        }
    }

    fn text_enum(&mut self, name: &str, variants: &Variants, attributes: &TokenStream) {
        let type_name = token(name);
        let known = variants.known.iter().map(|(variant, value)| {
            let attributes = self.value_docs(value);
            let variant = token(variant);
            quote!(#attributes #variant)
        });
        let known: Vec<_> = known.collect();
        let copy = variants.other.is_none().then(|| quote!(Copy,));
        let other = variants.other.as_ref().map(|other| {
            let (other, string) = (token(other), tokens(&self.source.prelude("String")));
            quote! {
                /// A value that this version of the lexicon does not name.
                #other(#string)
            }
        });
        let all = known.into_iter().chain(other);
        self.source.push(quote! {
            #attributes
            #[derive(Clone, #copy Debug, PartialEq, Eq, Hash)]
            pub enum #type_name {
                #(#all,)*
            }
        });
        let lines: Vec<_> = variants
            .known
            .iter()
            .map(|(variant, value)| format!("{variant} = {}", literal(value)))
            .collect();
        self.source
            .push_macro("text_enum", name, &lines, &variants.tail());
    }

    /// What is known of a value: the description of the token that it is, or itself.
    fn value_docs(&self, value: &str) -> TokenStream {
        let fallback = docs::code(value);
        let token = value
            .parse::<DefId>()
            .ok()
            .and_then(|id| self.plan.target(&id));
        match token {
            Some((_, definition)) if matches!(definition.kind, DefKind::Token) => {
                docs::attributes(&definition.docs, &fallback)
            }
            _ => docs::comment(&fallback),
        }
    }

    /// Writes the enum of a union; gives its variants.
    pub(super) fn union(
        &mut self,
        name: &str,
        union: &'a UnionSchema,
        attributes: &TokenStream,
    ) -> Variants {
        let variants = Variants::of_union(union, self.nsid());
        let members: Vec<_> = union
            .refs
            .iter()
            .map(|reference| self.referred(&reference.target))
            .collect();
        let boxed = tokens(&self.source.prelude("Box"));
        let known = variants
            .known
            .iter()
            .zip(&members)
            .map(|((variant, tag), member)| {
                let doc = docs::comment(&format!("`{tag}`"));
                let (variant, member) = (token(variant), tokens(member));
                quote!(#doc #variant(#boxed<#member>))
            });
        let known: Vec<_> = known.collect();
        let other = variants.other.as_ref().map(|other| {
            let (other, unknown) = (token(other), tokens(&self.source.of_schema("Unknown")));
            quote! {
                /// A member that this version of the lexicon does not name.
                #other(#unknown)
            }
        });
        let all = known.into_iter().chain(other);
        let type_name = token(name);
        self.source.push(quote! {
            #attributes
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub enum #type_name {
                #(#all,)*
            }
        });
        let lines: Vec<_> = variants
            .known
            .iter()
            .zip(&members)
            .map(|((variant, _), member)| format!("{variant}({member})"))
            .collect();
        self.source
            .push_macro("union", name, &lines, &variants.tail());
        variants
    }
}
