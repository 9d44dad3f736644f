//! Traits to be implemented by whoever answers the methods of lexicons, and routes that call them.

use super::docs;
use super::ident::{Scope, escape, snake, token};
use super::lexicon::tokens;
use super::plan::{Module, Node, Plan};
use super::root::tree_files;
use super::source::{Modules, Source};
use super::{GeneratedFile, header};
use crate::model::{DefKind, Definition, NsidPattern};
use quote::quote;
use std::path::PathBuf;

/// Whose routes and requests these are.
const SERVER: &str = "huddle_xrpc::server";

/// All files of handlers for the methods that a pattern selects (all that are not external, if there
/// is none); `types` is where their types are.
pub(super) fn files(
    plan: &Plan<'_>,
    selection: &[NsidPattern],
    types: &str,
    root: &str,
) -> Vec<GeneratedFile> {
    let selected = |module: &Module<'_>| match selection {
        [] => module.home.is_none(),
        patterns => patterns
            .iter()
            .any(|pattern| pattern.matches(&module.document.id)),
    };
    let methods: Vec<_> = plan
        .modules()
        .filter(|module| selected(module))
        .filter_map(|module| Some((module, Method::of(module)?)))
        .collect();
    let tree = Node::tree(methods.iter().map(|(module, _)| *module));
    let docs = "Traits to answer lexicons' methods, and their routes. Each is in the module that its NSID\n\
                names, e.g. `com::example::find_things`; [`handlers`] has them all.";
    let mut files = tree_files(&tree, root, docs, "handlers", &mut |module, modules| {
        let method = Method::of(module).expect("the tree is made of methods");
        method.file(module, types, modules)
    });
    files.push(all(&methods));
    files
}

/// A method that is called and answers once.
struct Method<'a> {
    definition: &'a Definition,
    /// The name of the trait, which is that of the marker type.
    name: String,
    /// The function of the router that adds it.
    adds: &'static str,
}

impl<'a> Method<'a> {
    fn of(module: &Module<'a>) -> Option<Self> {
        let definition = module.document.definition("main")?;
        let adds = match definition.kind {
            DefKind::Query(_) => "query",
            DefKind::Procedure(_) => "procedure",
            _ => return None,
        };
        Some(Self {
            definition,
            name: module.name(&definition.path).to_owned(),
            adds,
        })
    }

    fn file(&self, module: &Module<'_>, types: &str, modules: &Modules<'_>) -> String {
        let nsid = module.document.id.as_str();
        let mut taken = Scope::default();
        modules
            .names
            .iter()
            .chain([&self.name.as_str()])
            .for_each(|name| taken.reserve(name));
        let generic = token(&taken.clone().claim(&["H".to_owned(), "T".to_owned()]));
        let mut source = Source::new("", &taken);
        let home = module.home.as_deref().unwrap_or(types);
        let marker = tokens(&source.of_alias(home, &module.path, "lexicon", &self.name));
        let [request, reply, router] =
            ["Request", "Reply", "Router"].map(|name| tokens(&source.import(SERVER, name)));
        let arc = tokens(&source.import("std::sync", "Arc"));
        // In the prelude only since the edition of 2024.
        let future = tokens(&source.import("std::future", "Future"));
        let [send, sync] = ["Send", "Sync"].map(|name| tokens(&source.prelude(name)));
        let (name, adds) = (token(&self.name), token(self.adds));
        let answer = token(&escape(&snake(&self.name)));
        let docs = docs::attributes(&self.definition.docs, &format!("`{nsid}`."));
        let route = docs::comment(&format!("Adds the route of `{nsid}`."));
        source.push(quote! {
            #docs
            pub trait #name: #send + #sync + 'static {
                /// Answers one call.
                fn #answer(
                    &self,
                    request: #request<#marker>,
                ) -> impl #future<Output = #reply<#marker>> + #send;
            }

            #route
            pub fn route<#generic: #name>(router: #router<#generic>) -> #router<#generic> {
                router.#adds(|handlers: #arc<#generic>, request: #request<#marker>| async move {
                    handlers.#answer(request).await
                })
            }
        });
        let docs = format!("Answering `{nsid}`.");
        source.finish(&header(&module.document.source), &docs, "", modules)
    }
}

/// The file that brings all methods together.
fn all(methods: &[(&Module<'_>, Method<'_>)]) -> GeneratedFile {
    let here = ["handlers".to_owned()];
    let mut source = Source::new("", &Scope::default());
    let router = tokens(&source.import(SERVER, "Router"));
    let mut item =
        |module: &Module<'_>, name: &str| source.module_item(&here, None, &module.path, name);
    let traits: Vec<_> = methods
        .iter()
        .map(|(module, method)| item(module, &method.name))
        .collect();
    let functions: Vec<_> = methods
        .iter()
        .map(|(module, _)| tokens(&item(module, "route")))
        .collect();
    let bounds = if traits.is_empty() {
        "Send + Sync + 'static".to_owned()
    } else {
        traits.join("\n    + ")
    };
    source.push_text(format!(
        "/// What answers every one of these methods.\npub trait Handlers:\n    {bounds}\n{{\n}}"
    ));
    let bounds = bounds.replace('\n', "\n    ");
    source.push_text(format!(
        "impl<H> Handlers for H where\n    H: {bounds}\n{{\n}}"
    ));
    let steps = if functions.is_empty() {
        quote!(router)
    } else {
        quote! {
            let mut router = router;
            #(router = #functions(router);)*
            router
        }
    };
    source.push(quote! {
        /// Adds all routes.
        pub fn routes<H: Handlers>(router: #router<H>) -> #router<H> {
            #steps
        }
    });
    let text = source.finish(
        &header("lexicons"),
        "All methods together.",
        "",
        &Modules::NONE,
    );
    GeneratedFile {
        path: PathBuf::from("handlers.rs"),
        text,
    }
}
