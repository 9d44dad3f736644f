//! Permission sets as constants.

use super::{Lexicon, tokens};
use crate::emit::docs;
use crate::emit::ident::token;
use crate::lint::permission;
use crate::model::{Definition, Permission, PermissionSet, Resource};
use proc_macro2::TokenStream;
use quote::quote;

impl Lexicon<'_, '_> {
    pub(super) fn permission_set(
        &mut self,
        name: &str,
        definition: &Definition,
        set: &PermissionSet,
    ) {
        let nsid = self.nsid();
        let attributes = docs::attributes(&definition.docs, &format!("`{nsid}`."));
        let kind = tokens(&self.source.of_schema("PermissionSet"));
        let title = set.title.as_deref().unwrap_or_default();
        let detail = set.detail.as_deref().unwrap_or_default();
        let titles = translations(&set.title_lang);
        let details = translations(&set.detail_lang);
        let permissions: Vec<_> = set
            .permissions
            .iter()
            .map(|permission| self.permission(permission))
            .collect();
        let name = token(name);
        self.source.push(quote! {
            #attributes
            pub const #name: #kind = #kind {
                nsid: #nsid,
                title: #title,
                title_lang: &[#(#titles),*],
                detail: #detail,
                detail_lang: &[#(#details),*],
                permissions: &[#(#permissions),*],
            };
        });
    }

    fn permission(&mut self, permission: &Permission) -> TokenStream {
        let kind = tokens(&self.source.of_schema("Permission"));
        let is_ignored = !permission::problems(&self.document().id, permission).is_empty();
        match &permission.resource {
            Resource::Unsupported { resource } => quote!(#kind::Ignored { resource: #resource }),
            Resource::Repo { .. } if is_ignored => quote!(#kind::Ignored { resource: "repo" }),
            Resource::Rpc { .. } if is_ignored => quote!(#kind::Ignored { resource: "rpc" }),
            Resource::Repo {
                collections,
                actions,
            } => quote! {
                #kind::Repo { collections: &[#(#collections),*], actions: &[#(#actions),*] }
            },
            Resource::Rpc {
                methods,
                inherit_audience,
                ..
            } => {
                // A set is for the service that asks, or for any.
                let audience = if *inherit_audience {
                    "Inherited"
                } else {
                    "Any"
                };
                let audience = tokens(&format!(
                    "{}::{audience}",
                    self.source.of_schema("Audience")
                ));
                quote!(#kind::Rpc { methods: &[#(#methods),*], audience: #audience })
            }
        }
    }
}

fn translations(by_language: &[(String, String)]) -> Vec<TokenStream> {
    by_language
        .iter()
        .map(|(language, text)| quote!((#language, #text)))
        .collect()
}
