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
            .filter_map(|permission| self.permission(permission))
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

    /// A permission; nothing for one that means nothing in a set.
    fn permission(&mut self, permission: &Permission) -> Option<TokenStream> {
        let kind = tokens(&self.source.of_schema("Permission"));
        match &permission.resource {
            Resource::Repo {
                collections,
                actions,
            } => Some(quote! {
                #kind::Repo { collections: &[#(#collections),*], actions: &[#(#actions),*] }
            }),
            Resource::Rpc {
                methods,
                audience,
                inherit_audience,
            } => {
                let service = tokens(&self.source.of_schema("Audience"));
                let audience = match audience.as_deref() {
                    _ if *inherit_audience => quote!(#service::Inherited),
                    Some("*") => quote!(#service::Any),
                    Some(audience) => quote!(#service::Service(#audience)),
                    None => return None,
                };
                Some(quote!(#kind::Rpc { methods: &[#(#methods),*], audience: #audience }))
            }
            Resource::Unsupported { .. } => None,
        }
    }
}

fn translations(by_language: &[(String, String)]) -> Vec<TokenStream> {
    by_language
        .iter()
        .map(|(language, text)| quote!((#language, #text)))
        .collect()
}
