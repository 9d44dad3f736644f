//! Permission sets as constants.

use super::{Lexicon, tokens};
use crate::emit::docs;
use crate::emit::ident::token;
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
        match &permission.resource {
            Resource::Repo {
                collections,
                actions,
            } => quote! {
                #kind::Repo { collections: &[#(#collections),*], actions: &[#(#actions),*] }
            },
            Resource::Rpc {
                methods,
                audience,
                inherit_audience,
            } => {
                let mut variant =
                    |name| tokens(&format!("{}::{name}", self.source.of_schema("Audience")));
                let audience = match (audience.as_deref(), inherit_audience) {
                    (None, true) => variant("Inherited"),
                    (Some("*"), false) => variant("Any"),
                    (Some(service), false) => {
                        let variant = variant("Service");
                        quote!(#variant(#service))
                    }
                    // The specification has servers ignore what names no audience, and what names two.
                    (None, false) | (Some(_), true) => {
                        return quote!(#kind::Ignored { resource: "rpc" });
                    }
                };
                quote!(#kind::Rpc { methods: &[#(#methods),*], audience: #audience })
            }
            Resource::Unsupported { resource } => quote!(#kind::Ignored { resource: #resource }),
        }
    }
}

fn translations(by_language: &[(String, String)]) -> Vec<TokenStream> {
    by_language
        .iter()
        .map(|(language, text)| quote!((#language, #text)))
        .collect()
}
