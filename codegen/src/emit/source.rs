//! The text of a file: its imports, its items, and how they are laid out.

use super::ident::{Scope, plain};
use super::plan::Module;
use proc_macro2::TokenStream;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The columns of a line that is laid out here.
const WIDTH: usize = 100;
const INDENT: &str = "    ";

/// The modules that a file declares.
pub(crate) struct Modules<'a> {
    /// Their names, escaped.
    pub(crate) names: Vec<&'a str>,
    /// Whether to keep rustfmt away from them: their layout is the generator's.
    pub(crate) unformatted: bool,
}

impl Modules<'_> {
    /// No modules.
    pub(crate) const NONE: Self = Self {
        names: Vec::new(),
        unformatted: false,
    };
}

/// A file in the making.
#[derive(Debug)]
pub(crate) struct Source {
    /// The Rust path of the runtime.
    runtime: String,
    /// Names of the file's own items, and of what it has imported.
    taken: Scope,
    /// Imported names by the path they are imported from.
    imports: BTreeMap<String, BTreeSet<String>>,
    items: Vec<String>,
}

impl Source {
    /// A file whose own items have the names in `taken`.
    pub(crate) fn new(runtime: &str, taken: &Scope) -> Self {
        Self {
            runtime: runtime.to_owned(),
            taken: taken.clone(),
            imports: BTreeMap::new(),
            items: Vec::new(),
        }
    }

    /// The runtime's path; absolute where something in the file has the crate's name.
    pub(crate) fn runtime(&self) -> String {
        self.root(&self.runtime)
    }

    fn root(&self, path: &str) -> String {
        let first = path.split("::").next().unwrap_or_default();
        let relative = matches!(first, "crate" | "self" | "super" | "");
        if !relative && self.taken.contains(first) {
            format!("::{path}")
        } else {
            path.to_owned()
        }
    }

    /// A name of the runtime's root, e.g. `Datetime` or `schema`.
    pub(crate) fn of_runtime(&mut self, name: &str) -> String {
        self.import(&self.runtime.clone(), name)
    }

    /// A name of the runtime's module `schema`.
    pub(crate) fn of_schema(&mut self, name: &str) -> String {
        match self.try_import(&format!("{}::schema", self.runtime), name) {
            Some(name) => name,
            None => format!("{}::{name}", self.of_runtime("schema")),
        }
    }

    /// Brings a trait of the runtime's module `schema` into scope, for its methods.
    pub(crate) fn use_trait(&mut self, name: &str) {
        let from = format!("{}::schema", self.runtime);
        self.imports
            .entry(from)
            .or_default()
            .insert(format!("{name} as _"));
    }

    /// A name of the prelude, which something in the file may hide.
    pub(crate) fn prelude(&self, name: &str) -> String {
        let path = match name {
            "String" => "::std::string::String",
            "Vec" => "::std::vec::Vec",
            "Box" => "::std::boxed::Box",
            "Option" => "::core::option::Option",
            "Some" => "::core::option::Option::Some",
            "None" => "::core::option::Option::None",
            "Result" => "::core::result::Result",
            "Ok" => "::core::result::Result::Ok",
            "Into" => "::core::convert::Into",
            "Default" => "::core::default::Default",
            "Send" => "::core::marker::Send",
            "Sync" => "::core::marker::Sync",
            // What is left are primitive types, which a module can hide.
            primitive => &format!("::core::primitive::{primitive}"),
        };
        if self.taken.contains(name) {
            path.to_owned()
        } else {
            name.to_owned()
        }
    }

    /// A type of a lexicon, as this file of the module `from` names it.
    pub(crate) fn lexicon_type(
        &mut self,
        from: &Module<'_>,
        to: &Module<'_>,
        name: &str,
    ) -> String {
        if std::ptr::eq(from, to) || from.document.id == to.document.id {
            return name.to_owned();
        }
        self.module_item(&from.path, to.home.as_deref(), &to.path, name)
    }

    /// An item of a module, as this file of the module `from` names it.
    pub(crate) fn module_item(
        &mut self,
        from: &[String],
        home: Option<&str>,
        to: &[String],
        name: &str,
    ) -> String {
        let path = match home {
            Some(home) => {
                let home = home.split("::").map(str::to_owned);
                home.chain(to.iter().cloned()).collect()
            }
            None => relative(from, to),
        };
        let parents_only = path.iter().all(|segment| segment == "super");
        // What is below this module is in scope already.
        let below = home.is_none() && to.starts_with(from);
        if parents_only || below {
            return format!("{}::{name}", path.join("::"));
        }
        // The module alone if that is clear, or else with the one that it is in.
        for length in [1, 2] {
            let (base, rest) = path.split_at(path.len().saturating_sub(length));
            let [module, ..] = rest else { break };
            if !base.is_empty()
                && module != "super"
                && self.try_import(&base.join("::"), module).is_some()
            {
                return format!("{}::{name}", rest.join("::"));
            }
        }
        self.root(&format!("{}::{name}", path.join("::")))
    }

    /// Imports a name if it is free; how it is to be written.
    pub(crate) fn import(&mut self, from: &str, name: &str) -> String {
        match self.try_import(from, name) {
            Some(name) => name,
            None => self.root(&format!("{from}::{name}")),
        }
    }

    /// An item of another crate's module, which this file calls `alias`.
    pub(crate) fn of_alias(
        &mut self,
        home: &str,
        module: &[String],
        alias: &str,
        name: &str,
    ) -> String {
        let mut path: Vec<_> = home.split("::").map(str::to_owned).collect();
        path.extend_from_slice(module);
        let (Some(last), false) = (path.pop(), self.taken.contains(alias)) else {
            return self.root(&format!("{home}::{}::{name}", module.join("::")));
        };
        self.taken.reserve(alias);
        self.imports
            .entry(path.join("::"))
            .or_default()
            .insert(format!("{last} as {alias}"));
        format!("{alias}::{name}")
    }

    fn try_import(&mut self, from: &str, name: &str) -> Option<String> {
        let imported = self
            .imports
            .get(from)
            .is_some_and(|names| names.contains(name));
        if !imported {
            // The runtime's own modules are everywhere, and keep their names for themselves.
            let reserved = matches!(name, "schema" | "check") && !from.starts_with(&self.runtime);
            if reserved || self.taken.contains(name) {
                return None;
            }
            self.taken.reserve(name);
            self.imports
                .entry(from.to_owned())
                .or_default()
                .insert(name.to_owned());
        }
        Some(name.to_owned())
    }

    /// Adds items, laid out.
    ///
    /// # Panics
    /// If the tokens are no items, which is an error of the generator.
    pub(crate) fn push(&mut self, items: TokenStream) {
        let file: syn::File = syn::parse2(items).expect("the generator writes items");
        for item in file.items {
            let file = syn::File {
                shebang: None,
                attrs: Vec::new(),
                items: vec![item],
            };
            self.items
                .push(spaced(prettyplease::unparse(&file).trim_end()));
        }
    }

    /// Adds an item that is laid out already.
    pub(crate) fn push_text(&mut self, item: String) {
        self.items.push(item);
    }

    /// Adds an invocation of one of the runtime's macros, which has a layout of its own:
    /// `head {`, a line each, `} tail`.
    pub(crate) fn push_macro(&mut self, name: &str, head: &str, lines: &[String], tail: &str) {
        let runtime = self.runtime();
        let mut text = format!("{runtime}::{name}!({head} {{");
        for line in lines {
            text.push_str("\n    ");
            text.push_str(line);
            text.push(',');
        }
        text.push_str(if lines.is_empty() { "}" } else { "\n}" });
        text.push_str(tail);
        text.push_str(");");
        self.items.push(text);
    }

    /// The whole text: `header` comes first, `docs` describe the module.
    pub(crate) fn finish(
        self,
        header: &str,
        docs: &str,
        attributes: &str,
        modules: &Modules<'_>,
    ) -> String {
        let docs = docs
            .lines()
            .map(|line| format!("//! {line}").trim_end().to_owned());
        let skip = if modules.unformatted {
            "#[rustfmt::skip]\n"
        } else {
            ""
        };
        let mut names = modules.names.clone();
        names.sort_by_key(|name| plain(name));
        let names: Vec<_> = names
            .iter()
            .map(|name| format!("{skip}pub mod {name};"))
            .collect();
        let mut parts = vec![
            header.to_owned(),
            docs.collect::<Vec<_>>().join("\n"),
            attributes.to_owned(),
            names.join("\n"),
            self.uses(),
        ];
        parts.extend(self.items);
        parts.retain(|part| !part.is_empty());
        let parts: Vec<_> = parts.iter().map(|part| part.trim_end()).collect();
        parts.join("\n\n") + "\n"
    }

    fn uses(&self) -> String {
        let schema = format!("{}::schema", self.runtime);
        let mut imports = self.imports.clone();
        // `schema` itself goes with what comes from it.
        if imports.contains_key(&schema)
            && let Some(names) = imports.get_mut(&self.runtime)
            && names.remove("schema")
        {
            imports.entry(schema).or_default().insert("self".to_owned());
        }
        let (others, parents): (Vec<_>, Vec<_>) = imports
            .into_iter()
            .partition(|(from, _)| !from.starts_with("super"));
        let lines = others
            .into_iter()
            .chain(parents)
            .filter(|(_, names)| !names.is_empty());
        let lines = lines.map(|(from, names)| {
            // A name of the file's own does not count in an import, but a module's does.
            let from = self.root(&from);
            let mut names: Vec<_> = names.into_iter().collect();
            names.sort_by_key(|name| {
                (
                    name != "self",
                    name.starts_with(lowercase),
                    plain(name).to_owned(),
                )
            });
            import(&from, &names)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// A `use` of one name or several, in lines of the usual width.
fn import(from: &str, names: &[String]) -> String {
    if let [name] = names
        && name != "self"
    {
        return format!("use {from}::{name};");
    }
    let line = format!("use {from}::{{{}}};", names.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    let mut lines = vec![format!("use {from}::{{")];
    let mut line = String::new();
    for name in names {
        if !line.is_empty() && INDENT.len() + line.len() + 2 + name.len() > WIDTH {
            lines.push(format!("{INDENT}{}", line.trim_end()));
            line.clear();
        }
        line.push_str(name);
        line.push_str(", ");
    }
    lines.push(format!("{INDENT}{}", line.trim_end()));
    lines.push("};".to_owned());
    lines.join("\n")
}

fn lowercase(c: char) -> bool {
    c.is_lowercase()
}

/// A path from one module to another in the same tree.
fn relative(from: &[String], to: &[String]) -> Vec<String> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("super".to_owned(), from.len() - common);
    up.chain(to[common..].iter().cloned()).collect()
}

/// Sets the members of an `impl` or a `trait` apart by blank lines.
fn spaced(item: &str) -> String {
    let block = item
        .lines()
        .find(|line| !line.starts_with(['#', '/']))
        .unwrap_or_default();
    if !["impl", "pub trait"]
        .iter()
        .any(|start| block.starts_with(start))
    {
        return item.to_owned();
    }
    let mut spaced = String::with_capacity(item.len() + 64);
    let mut last = "";
    for line in item.lines() {
        let member_ended = last == "    }"
            || (last.starts_with("    ") && last.ends_with(';') && !last.starts_with("     "));
        let starts = [
            "    fn ",
            "    pub fn ",
            "    async fn ",
            "    ///",
            "    #[",
        ];
        let member_starts = starts.iter().any(|start| line.starts_with(start));
        if member_ended && (member_starts || (last == "    }" && line.starts_with("    "))) {
            spaced.push('\n');
        }
        spaced.push_str(line);
        spaced.push('\n');
        last = line;
    }
    spaced.truncate(spaced.trim_end().len());
    spaced
}

/// Where the file of a module lies.
pub(crate) fn file_path(module: &[String]) -> PathBuf {
    let names = module.iter().map(|name| plain(name));
    let mut path: PathBuf = names.collect();
    path.set_extension("rs");
    path
}
