//! What stands around the files of lexicons: the modules that lead to them, the registry.

use super::ident::{Scope, plain, token};
use super::plan::{Module, Node, Plan, role_path};
use super::source::{Modules, Source, file_path};
use super::{GeneratedFile, docs, header, lexicon};
use crate::model::{DefKind, Definition};
use proc_macro2::TokenStream;
use quote::quote;
use std::path::PathBuf;

/// Allowed in all generated code, which cannot choose what it is called and how much there is of it.
const ALLOWED: &str = r#"#![allow(
    dead_code,
    deprecated,
    clippy::doc_markdown,
    clippy::enum_variant_names,
    clippy::fn_params_excessive_bools,
    clippy::module_inception,
    clippy::option_option,
    clippy::similar_names,
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    clippy::too_many_arguments,
    clippy::too_many_lines,
    clippy::unsafe_removed_from_name,
    clippy::wrong_self_convention,
    reason = "names, sizes and descriptions are those of the lexicons"
)]"#;

/// All files of types; `root` is the name of the one that leads to the others.
pub(super) fn types(plan: &Plan<'_>, runtime: &str, root: &str) -> Vec<GeneratedFile> {
    let docs = "Lexicons as Rust types. Each is the module that its NSID names, e.g.\n\
                `com::example::thing`.";
    let tree = Node::tree(plan.modules().filter(|module| module.home.is_none()));
    let mut files = tree_files(&tree, root, docs, "registry", &mut |module, modules| {
        let document = module.document;
        let docs = match &document.description {
            Some(text) => docs::markdown(&format!("`{}`: {text}", document.id)),
            None => docs::module(document),
        };
        let source = lexicon::file(plan, module, runtime);
        source.finish(&header(&document.source), &docs, "", modules)
    });
    files.push(registry(plan, runtime));
    files
}

/// The files of a tree of modules: `root` is the name of the one at the root, which has a module
/// `more` too; `leaf` gives the text of what is a lexicon.
pub(super) fn tree_files(
    tree: &Node<'_, '_>,
    root: &str,
    docs: &str,
    more: &str,
    leaf: &mut dyn FnMut(&Module<'_>, &Modules<'_>) -> String,
) -> Vec<GeneratedFile> {
    let names = tree.children.keys().copied().chain([more]).collect();
    let modules = Modules {
        names,
        unformatted: true,
    };
    let text = plain_file(docs, ALLOWED, &modules);
    let mut files = vec![GeneratedFile {
        path: PathBuf::from(root),
        text,
    }];
    for (name, node) in &tree.children {
        node_files(node, &[(*name).to_owned()], leaf, &mut files);
    }
    files
}

fn node_files(
    node: &Node<'_, '_>,
    path: &[String],
    leaf: &mut dyn FnMut(&Module<'_>, &Modules<'_>) -> String,
    files: &mut Vec<GeneratedFile>,
) {
    let modules = Modules {
        names: node.children.keys().copied().collect(),
        unformatted: false,
    };
    let text = if let Some(module) = node.module {
        leaf(module, &modules)
    } else {
        let names: Vec<_> = path.iter().map(|name| plain(name)).collect();
        plain_file(
            &format!("Lexicons under `{}`.", names.join(".")),
            "",
            &modules,
        )
    };
    files.push(GeneratedFile {
        path: file_path(path),
        text,
    });
    for (name, node) in &node.children {
        let path: Vec<_> = path.iter().cloned().chain([(*name).to_owned()]).collect();
        node_files(node, &path, leaf, files);
    }
}

/// A file of nothing but modules.
fn plain_file(docs: &str, attributes: &str, modules: &Modules<'_>) -> String {
    Source::new("", &Scope::default()).finish(&header("lexicons"), docs, attributes, modules)
}

/// The file that finds types by the names of their lexicons.
fn registry(plan: &Plan<'_>, runtime: &str) -> GeneratedFile {
    let mut entries = Entries::new(runtime);
    for module in plan.modules().filter(|module| module.home.is_none()) {
        for definition in &module.document.defs {
            entries.definition(module, definition);
        }
    }
    let Entries {
        mut source,
        records,
        definitions,
        definition_type,
    } = entries;
    let invalid = lexicon::tokens(&source.of_schema("Invalid"));
    let body = check_record_body(&mut source, &records);
    source.push(quote! {
        /// Checks a record, as the canonical DAG-CBOR that a repository holds; `None` if the collection
        /// is none of these lexicons.
        pub fn check_record(nsid: &str, cbor: &[u8]) -> Option<Result<(), #invalid>> {
            #body
        }

        /// All types that stand for something of a lexicon as a whole: its definitions, and the
        /// parameters, bodies and messages of its methods; for tests that go over every one of them.
        #[doc(hidden)]
        pub const DEFINITIONS: &[#definition_type] = &[#(#definitions),*];
    });
    let docs = "Finds the types of these lexicons by name.";
    let text = source.finish(&header("lexicons"), docs, "", &Modules::NONE);
    GeneratedFile {
        path: PathBuf::from("registry.rs"),
        text,
    }
}

/// What the registry lists, and the file in which it does.
struct Entries {
    source: Source,
    /// An arm each of the match on the names of collections.
    records: Vec<TokenStream>,
    definitions: Vec<TokenStream>,
    definition_type: TokenStream,
}

impl Entries {
    fn new(runtime: &str) -> Self {
        let mut source = Source::new(runtime, &Scope::default());
        let definition_type = lexicon::tokens(&source.of_schema("Definition"));
        Self {
            source,
            records: Vec::new(),
            definitions: Vec::new(),
            definition_type,
        }
    }

    /// Lists the types of a definition, those in its fields aside.
    fn definition(&mut self, module: &Module<'_>, definition: &Definition) {
        let Definition { path, kind, .. } = definition;
        match kind {
            DefKind::Record(_) => {
                let nsid = module.document.id.as_str();
                let name = self.entry(module, path, path, "data");
                self.records.push(quote!(#nsid => #name::from_cbor(cbor)));
            }
            DefKind::Type(_) => {
                self.entry(module, path, path, "data");
            }
            DefKind::Subscription(_) => {
                let place = format!("{path}.message.schema");
                self.entry(module, &role_path(path, "Message"), &place, "data");
            }
            _ => {}
        }
        if kind
            .parameters()
            .is_some_and(|params| !params.properties.is_empty())
        {
            let place = format!("{path}.parameters");
            self.entry(module, &role_path(path, "Params"), &place, "params");
        }
        for body in kind.bodies() {
            if let Some(schema) = &body.schema {
                self.entry(module, &body.path, &schema.path, "data");
            }
        }
    }

    /// Lists the type that is called what `path` is called, and is the schema at `place`; its name here.
    fn entry(&mut self, module: &Module<'_>, path: &str, place: &str, kind: &str) -> TokenStream {
        let here = ["registry".to_owned()];
        let name = self
            .source
            .module_item(&here, None, &module.path, module.name(path));
        let (name, kind) = (lexicon::tokens(&name), token(kind));
        let (definition_type, nsid) = (&self.definition_type, module.document.id.as_str());
        self.definitions
            .push(quote!(#definition_type::#kind::<#name>(#nsid, #place)));
        name
    }
}

fn check_record_body(source: &mut Source, records: &[TokenStream]) -> TokenStream {
    if records.is_empty() {
        return quote! {
            let _ = (nsid, cbor);
            None
        };
    }
    source.use_trait("Data");
    quote! {
        let checked = match nsid {
            #(#records.map(drop),)*
            _ => return None,
        };
        Some(checked)
    }
}
