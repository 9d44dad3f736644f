//! What every lexicon and definition is called in Rust, decided before anything is written.

mod constrained;

use self::constrained::Constrained;
use super::ident::{Scope, pascal, screaming, snake, started};
use crate::model::{
    Body, DefId, DefKind, Definition, Document, ObjectSchema, Params, Schema, SchemaKind,
    StringSchema,
};
use crate::resolve::Resolution;
use huddle_syntax::Nsid;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Names at the root of generated code that are not for modules of lexicons.
const ROOT_NAMES: [&str; 4] = ["handlers", "lib", "main", "registry"];

/// The names of all lexicons at hand, those of other crates included, and which types have constraints.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) resolution: &'a Resolution<'a>,
    modules: BTreeMap<&'a Nsid, Module<'a>>,
    constrained: Constrained,
}

/// A lexicon as a module.
#[derive(Debug)]
pub(crate) struct Module<'a> {
    pub(crate) document: &'a Document,
    /// The Rust path of the crate that has it, if it is another one.
    pub(crate) home: Option<String>,
    /// Its path from the root of generated code, escaped.
    pub(crate) path: Vec<String>,
    /// The names of everything in it, types and constants alike.
    pub(crate) names: Scope,
    /// The names by JSON path: of a definition, a body, a place where a type stands.
    by_path: BTreeMap<String, String>,
}

/// A module of generated code: the lexicon that it is, if any, and the modules below it.
#[derive(Debug)]
pub(crate) struct Node<'m, 'a> {
    pub(crate) module: Option<&'m Module<'a>>,
    /// By escaped name.
    pub(crate) children: BTreeMap<&'m str, Self>,
}

impl<'m, 'a> Node<'m, 'a> {
    /// The tree of some modules; this is its root.
    pub(crate) fn tree(modules: impl Iterator<Item = &'m Module<'a>>) -> Self {
        let mut root = Node {
            module: None,
            children: BTreeMap::new(),
        };
        for module in modules {
            let mut node = &mut root;
            for name in &module.path {
                let empty = || Node {
                    module: None,
                    children: BTreeMap::new(),
                };
                node = node.children.entry(name).or_insert_with(empty);
            }
            node.module = Some(module);
        }
        root
    }
}

impl<'a> Plan<'a> {
    pub(crate) fn new(resolution: &'a Resolution<'a>) -> Self {
        let mut by_home: BTreeMap<Option<&str>, Vec<&'a Document>> = BTreeMap::new();
        let externals = resolution.externals();
        for document in resolution.catalog().documents() {
            if let Some(home) = externals.rust_path(&document.id) {
                by_home.entry(Some(home)).or_default().push(document);
            }
        }
        by_home.insert(None, resolution.documents().collect());
        let mut modules = BTreeMap::new();
        for (home, documents) in by_home {
            let paths = module_paths(documents.iter().map(|document| &document.id));
            let children = children(paths.values());
            for document in documents {
                let path = &paths[&document.id];
                let children = children.get(path.as_slice()).into_iter().flatten();
                let module = Module::new(document, home, path.clone(), children.copied());
                modules.insert(&document.id, module);
            }
        }
        Self {
            resolution,
            modules,
            constrained: Constrained::new(resolution.catalog()),
        }
    }

    /// The modules of all lexicons at hand, in the order of their NSIDs.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module<'a>> {
        self.modules.values()
    }

    /// The module that has a definition's type, and the name of the type there.
    pub(crate) fn type_name(&self, id: &DefId) -> Option<(&Module<'a>, &str)> {
        let (document, definition) = self.target(id)?;
        let module = self.modules.get(&document.id)?;
        Some((module, module.name(&definition.path)))
    }

    /// The lexicon and the definition that a reference leads to, where they are at hand.
    pub(crate) fn target(&self, id: &DefId) -> Option<(&'a Document, &'a Definition)> {
        let target = self.resolution.target(id)?;
        Some((target.document, target.definition))
    }

    /// Whether a value of this type can break a constraint that its Rust type does not enforce.
    pub(crate) fn has_constraints(&self, schema: &Schema) -> bool {
        self.constrained.includes(schema)
    }

    /// What a type comes down to where references lead to what is no object.
    pub(crate) fn resolved<'s>(
        &self,
        document: &'s Document,
        schema: &'s Schema,
    ) -> (&'s Document, &'s Schema)
    where
        'a: 's,
    {
        let mut place = (document, schema);
        // `resolve` refuses references that lead nowhere but to each other.
        while let SchemaKind::Ref(reference) = &place.1.kind {
            match self.target(&reference.target) {
                Some((
                    document,
                    Definition {
                        kind: DefKind::Type(schema),
                        ..
                    },
                )) => {
                    place = (document, schema);
                }
                _ => break,
            }
        }
        place
    }
}

impl<'a> Module<'a> {
    fn new<'c>(
        document: &'a Document,
        home: Option<&str>,
        path: Vec<String>,
        children: impl Iterator<Item = &'c str>,
    ) -> Self {
        let mut module = Self {
            document,
            home: home.map(str::to_owned),
            path,
            names: Scope::default(),
            by_path: BTreeMap::new(),
        };
        children.for_each(|name| module.names.reserve(name));
        let (main, others): (Vec<_>, Vec<_>) = document
            .defs
            .iter()
            .partition(|definition| definition.name == "main");
        for definition in main.into_iter().chain(others) {
            let name = module.definition_name(definition);
            module.by_path.insert(definition.path.clone(), name);
        }
        for definition in &document.defs {
            module.name_parts(definition);
        }
        module
    }

    /// The name of a definition, or of the type at a JSON path of this lexicon.
    ///
    /// # Panics
    /// If nothing of that path has a name.
    pub(crate) fn name(&self, path: &str) -> &str {
        &self.by_path[path]
    }

    fn definition_name(&mut self, definition: &Definition) -> String {
        let name = match definition.name.as_str() {
            "main" => self.document.id.name(),
            name => name,
        };
        match definition.kind {
            DefKind::PermissionSet(_) => self.names.claim(&["PERMISSION_SET".to_owned()]),
            DefKind::Token => self.names.claim(&[started(&screaming(name), "TOKEN_")]),
            _ => self.names.claim(&[started(&pascal(name), "Type")]),
        }
    }

    fn name_parts(&mut self, definition: &Definition) {
        let path = &definition.path;
        let name = self.by_path[path].clone();
        match &definition.kind {
            DefKind::Record(record) => self.name_fields(&record.object, &name),
            DefKind::Type(schema) => match &schema.kind {
                SchemaKind::Object(object) => self.name_fields(object, &name),
                // What the definition itself is already has its name.
                SchemaKind::Array(array) => self.name_inline(&array.items, &format!("{name}Item")),
                _ => {}
            },
            DefKind::Query(query) => {
                self.name_params(path, &name, query.parameters.as_ref());
                self.name_body(&name, "Output", query.output.as_ref());
                self.name_role(path, &name, "Error", query.errors.is_empty());
            }
            DefKind::Procedure(procedure) => {
                self.name_params(path, &name, procedure.parameters.as_ref());
                self.name_body(&name, "Input", procedure.input.as_ref());
                self.name_body(&name, "Output", procedure.output.as_ref());
                self.name_role(path, &name, "Error", procedure.errors.is_empty());
            }
            DefKind::Subscription(subscription) => {
                self.name_params(path, &name, subscription.parameters.as_ref());
                self.name_role(path, &name, "Message", false);
                self.name_role(path, &name, "Error", subscription.errors.is_empty());
            }
            DefKind::PermissionSet(_) | DefKind::Token => {}
        }
    }

    /// Names one of the types that a method has, unless there is none; the method's name comes in
    /// where a definition has the plain one.
    fn name_role(&mut self, path: &str, method: &str, role: &str, absent: bool) -> Option<String> {
        if absent {
            return None;
        }
        let name = self
            .names
            .claim(&[role.to_owned(), format!("{}{role}", plain(method))]);
        self.by_path.insert(role_path(path, role), name.clone());
        Some(name)
    }

    fn name_params(&mut self, path: &str, method: &str, params: Option<&Params>) {
        let properties = params.map_or(&[][..], |params| &params.properties);
        if let Some(name) = self.name_role(path, method, "Params", properties.is_empty()) {
            for property in properties {
                let name = format!("{}{}", plain(&name), pascal(&property.name));
                self.name_inline(&property.schema, &name);
            }
        }
    }

    fn name_body(&mut self, method: &str, role: &str, body: Option<&Body>) {
        let Some((body, schema)) = body.and_then(|body| Some((body, body.schema.as_ref()?))) else {
            return;
        };
        let name = self
            .names
            .claim(&[role.to_owned(), format!("{}{role}", plain(method))]);
        self.by_path.insert(body.path.clone(), name.clone());
        self.by_path.insert(schema.path.clone(), name.clone());
        if let SchemaKind::Object(object) = &schema.kind {
            self.name_fields(object, &name);
        }
    }

    fn name_fields(&mut self, object: &ObjectSchema, parent: &str) {
        for property in &object.properties {
            let name = format!("{}{}", plain(parent), pascal(&property.name));
            self.name_inline(&property.schema, &name);
        }
    }

    /// Names the type that stands at a place where it has no name of its own.
    fn name_inline(&mut self, schema: &Schema, candidate: &str) {
        match &schema.kind {
            SchemaKind::Array(array) => self.name_inline(&array.items, &format!("{candidate}Item")),
            SchemaKind::Object(object) => {
                let name = self.names.claim(&[candidate.to_owned()]);
                self.by_path.insert(schema.path.clone(), name.clone());
                self.name_fields(object, &name);
            }
            kind if is_enum(kind) => {
                let name = self.names.claim(&[candidate.to_owned()]);
                self.by_path.insert(schema.path.clone(), name);
            }
            _ => {}
        }
    }
}

/// The key under which [`Module::name`] has a role of a method other than a body.
pub(crate) fn role_path(method: &str, role: &str) -> String {
    format!("{method} {role}")
}

/// A name to build others from.
fn plain(name: &str) -> &str {
    name.trim_end_matches('_')
}

/// Whether the type becomes an enum: a union with members, or a string with values.
pub(crate) fn is_enum(kind: &SchemaKind) -> bool {
    match kind {
        SchemaKind::Union(union) => !union.refs.is_empty() || union.closed,
        SchemaKind::String(string) => text_values(string).is_some(),
        _ => false,
    }
}

/// The values of a string that becomes an enum, and whether there may be others.
///
/// A format says more than known values do: such a string keeps the format's type.
pub(crate) fn text_values(string: &StringSchema) -> Option<(&[String], bool)> {
    match &string.values {
        Some(values) => Some((values, false)),
        None if string.format.is_none() && !string.known_values.is_empty() => {
            Some((&string.known_values, true))
        }
        None => None,
    }
}

/// Module paths of lexicons that lie in one tree.
fn module_paths<'n>(nsids: impl Iterator<Item = &'n Nsid>) -> BTreeMap<&'n Nsid, Vec<String>> {
    #[derive(Default)]
    struct Segment<'n> {
        name: String,
        taken: Scope,
        below: BTreeMap<&'n str, Self>,
    }

    let mut root = Segment::default();
    let mut paths = BTreeMap::new();
    for nsid in nsids {
        let mut segment = &mut root;
        let mut path = Vec::new();
        for text in nsid.segments() {
            let Segment { taken, below, .. } = segment;
            segment = below.entry(text).or_insert_with(|| {
                let name = taken.claim(&[module_name(text, path.is_empty())]);
                Segment {
                    name,
                    ..Segment::default()
                }
            });
            path.push(segment.name.clone());
        }
        paths.insert(nsid, path);
    }
    paths
}

/// The names right below each module, by its path.
fn children<'p>(
    paths: impl Iterator<Item = &'p Vec<String>>,
) -> HashMap<&'p [String], BTreeSet<&'p str>> {
    let mut children: HashMap<_, BTreeSet<_>> = HashMap::new();
    for path in paths {
        for (depth, name) in path.iter().enumerate() {
            let names = children.entry(&path[..depth]).or_default();
            names.insert(name.as_str());
        }
    }
    children
}

fn module_name(segment: &str, at_root: bool) -> String {
    let name = started(&snake(segment), "_");
    // The file of such a module would be taken for another one's.
    if name == "mod" || (at_root && ROOT_NAMES.contains(&name.as_str())) {
        return format!("{name}_");
    }
    name
}
