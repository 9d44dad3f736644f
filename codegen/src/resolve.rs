//! Where references lead, and what that means: which are wrong, which lead to other crates, and
//! which make a type contain itself, or nest too deep.

mod cycles;
mod inhabited;
mod nesting;

use crate::diagnostic::{Diagnostic, Diagnostics, Rule, a};
use crate::model::{
    Catalog, DefId, DefKind, Definition, Document, NsidPattern, Reference, Schema, SchemaKind,
    visit,
};
use huddle_syntax::Nsid;
use huddle_syntax::data::MAX_DEPTH;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How many definitions are listed where the one that was meant is not among them.
const MAX_LISTED: usize = 20;

/// Lexicons whose types another crate has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Externals(Vec<External>);

/// One mapping of lexicons to another crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Which lexicons.
    pub lexicons: NsidPattern,
    /// The Rust path under which their modules lie, e.g. `huddle_lexicon`.
    pub rust_path: String,
}

impl Externals {
    /// The mappings; of several that match a lexicon the narrowest counts, of equal ones the first.
    pub fn new(mappings: impl IntoIterator<Item = External>) -> Self {
        let mut mappings: Vec<_> = mappings.into_iter().collect();
        mappings.sort_by_key(|mapping| std::cmp::Reverse(mapping.lexicons.specificity()));
        Self(mappings)
    }

    /// All Rust paths under which lexicons may lie.
    pub fn rust_paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|mapping| mapping.rust_path.as_str())
    }

    /// The Rust path that has a lexicon's types, if another crate does.
    pub fn rust_path(&self, nsid: &Nsid) -> Option<&str> {
        self.0
            .iter()
            .find(|mapping| mapping.lexicons.matches(nsid))
            .map(|found| &*found.rust_path)
    }
}

/// What a reference leads to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The lexicon that has the definition.
    pub document: &'a Document,
    /// The definition.
    pub definition: &'a Definition,
    /// The Rust path under which the modules of another crate lie, if that has its type.
    pub home: Option<&'a str>,
}

/// A catalog in which every reference of the selected lexicons leads somewhere it may.
#[derive(Clone, Debug)]
pub struct Resolution<'a> {
    catalog: &'a Catalog,
    externals: &'a Externals,
    selected: BTreeSet<Nsid>,
    boxed: HashSet<(Nsid, String)>,
}

/// Resolves the references of the lexicons that a pattern selects (all, if there is none) and of
/// those that they refer to, directly or not, except for what `externals` has elsewhere.
///
/// What is elsewhere has to be at hand too: where it is no object, its constraints are enforced
/// wherever it is used. The errors are those of the selected lexicons only.
pub fn resolve<'a>(
    catalog: &'a Catalog,
    selection: &[NsidPattern],
    externals: &'a Externals,
) -> Result<Resolution<'a>, Diagnostics> {
    let mut resolution = Resolution::unchecked(catalog, selection, externals);
    let problems = resolution.problems(AtHand::Required);
    if !problems.is_empty() {
        return Err(Diagnostics(problems));
    }
    resolution.boxed = cycles::boxed(&resolution);
    Ok(resolution)
}

/// What is wrong with the references of a catalog. What `externals` has elsewhere is taken on trust
/// where it is not at hand.
pub(crate) fn problems(catalog: &Catalog, externals: &Externals) -> Vec<Diagnostic> {
    Resolution::unchecked(catalog, &[], externals).problems(AtHand::Optional)
}

/// Whether what other crates have must be at hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtHand {
    Required,
    Optional,
}

impl<'a> Resolution<'a> {
    fn unchecked(
        catalog: &'a Catalog,
        selection: &[NsidPattern],
        externals: &'a Externals,
    ) -> Self {
        Self {
            catalog,
            externals,
            selected: closure(catalog, selection, externals),
            boxed: HashSet::new(),
        }
    }

    /// What is wrong with the selected lexicons: with single references, or else with all together.
    fn problems(&self, externals: AtHand) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for document in self.documents() {
            check_document(self, document, externals, &mut problems);
        }
        if problems.is_empty() {
            problems = cycles::endless(self);
        }
        if problems.is_empty() {
            problems = nesting::too_deep(self);
        }
        problems
    }

    /// All lexicons at hand, selected or not.
    pub const fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// Which lexicons other crates have.
    pub const fn externals(&self) -> &'a Externals {
        self.externals
    }

    /// The lexicons to generate, in the order of their names.
    pub fn documents(&self) -> impl Iterator<Item = &'a Document> + use<'a, '_> {
        self.selected
            .iter()
            .filter_map(|nsid| self.catalog.get(nsid))
    }

    /// Where a reference of a selected lexicon leads; `None` only for names that are in none of them.
    pub fn target(&self, id: &DefId) -> Option<Target<'a>> {
        Some(Target {
            document: self.catalog.get(id.nsid())?,
            definition: self.catalog.definition(id)?,
            home: self.externals.rust_path(id.nsid()),
        })
    }

    /// Whether the type that a `ref` stands for contains itself through this `ref`, with no list and
    /// no union in between: written as a field it needs a `Box`.
    ///
    /// The schema is one of `document`'s, of kind `ref`.
    pub fn needs_box(&self, document: &Document, schema: &Schema) -> bool {
        // A look-up by owned key, because the two parts are borrowed from different places.
        self.boxed
            .contains(&(document.id.clone(), schema.path.clone()))
    }
}

/// The definitions of a catalog that have a value, each with a rank that is higher than those of
/// what it requires.
pub(crate) fn ranks(catalog: &Catalog) -> BTreeMap<DefId, usize> {
    inhabited::ranks(catalog, false)
}

/// The selected lexicons and those that they refer to.
fn closure(catalog: &Catalog, selection: &[NsidPattern], externals: &Externals) -> BTreeSet<Nsid> {
    let wanted =
        |nsid: &Nsid| selection.is_empty() || selection.iter().any(|pattern| pattern.matches(nsid));
    let ours = |nsid: &Nsid| externals.rust_path(nsid).is_none();
    let mut open: Vec<&Document> = catalog
        .documents()
        .filter(|d| wanted(&d.id) && ours(&d.id))
        .collect();
    let mut selected: BTreeSet<Nsid> = open.iter().map(|d| d.id.clone()).collect();
    while let Some(document) = open.pop() {
        visit_references(document, &mut |mention| {
            let nsid = mention.reference().target.nsid();
            if let Some(next) = catalog.get(nsid).filter(|_| ours(nsid))
                && selected.insert(nsid.clone())
            {
                open.push(next);
            }
        });
    }
    selected
}

fn check_document(
    resolution: &Resolution<'_>,
    document: &Document,
    externals: AtHand,
    problems: &mut Vec<Diagnostic>,
) {
    visit_references(document, &mut |mention| {
        if let Some((rule, message)) = refusal(resolution, &mention, externals) {
            let path = &mention.reference().path;
            problems.push(problem(document, path, rule, message));
        }
    });
    visit::unions(document, &mut |union| {
        let mut seen = HashSet::new();
        for reference in union.refs.iter().filter(|r| !seen.insert(&r.target)) {
            let message = format!("{} is a variant of this union twice", reference.target);
            problems.push(problem(
                document,
                &reference.path,
                Rule::UnionMember,
                message,
            ));
        }
    });
}

/// Why a reference may not lead where it does.
fn refusal(
    resolution: &Resolution<'_>,
    mention: &Mention<'_>,
    externals: AtHand,
) -> Option<(Rule, String)> {
    let id = &mention.reference().target;
    let missing = |id| Some((Rule::UnresolvedRef, missing(resolution, id)));
    let is_external = resolution.externals.rust_path(id.nsid()).is_some();
    if is_external
        && externals == AtHand::Required
        && let Some(id) = first_missing(resolution.catalog, id)
    {
        return missing(id);
    }
    match resolution.target(id) {
        Some(target) => mention.refusal(target.definition),
        None if is_external => None,
        None => missing(id),
    }
}

/// What is not at hand of a definition and of the items that it comes down to, if it is a list: their
/// constraints are enforced along with its own.
fn first_missing<'a>(catalog: &'a Catalog, mut id: &'a DefId) -> Option<&'a DefId> {
    // Lists that nest deeper are refused.
    for _ in 0..=MAX_DEPTH {
        let Some(definition) = catalog.definition(id) else {
            return Some(id);
        };
        (id, _) = items_of(definition)?;
    }
    None
}

/// A reference: what it leads to, and the JSON path that stands for it.
type Edge<'a> = (&'a DefId, &'a str);

/// The `ref` that the items of a list come down to, if it is one.
fn items_of(definition: &Definition) -> Option<Edge<'_>> {
    let DefKind::Type(schema) = &definition.kind else {
        return None;
    };
    let mut schema = schema;
    while let SchemaKind::Array(array) = &schema.kind {
        schema = &array.items;
    }
    match &schema.kind {
        SchemaKind::Ref(reference) => Some((&reference.target, &schema.path)),
        _ => None,
    }
}

fn missing(resolution: &Resolution<'_>, id: &DefId) -> String {
    let nsid = id.nsid();
    if let Some(document) = resolution.catalog.get(nsid) {
        let names = document
            .defs
            .iter()
            .map(|definition| definition.name.as_str());
        let mut names: Vec<_> = names.take(MAX_LISTED + 1).collect();
        if names.len() > MAX_LISTED {
            names[MAX_LISTED] = "…";
        }
        return format!(
            "{} has no definition `{}`, only {}",
            document.file.display(),
            id.name(),
            names.join(", ")
        );
    }
    match resolution.externals.rust_path(nsid) {
        Some(home) => format!(
            "{id} is in no lexicon here; {home} has its type, but its constraints are in its file: \
             add that to the lexicons (--lexicons) too"
        ),
        None => format!(
            "{id} is in no lexicon here; add its file, and if another crate has its type, \
             say which (--external '{nsid}=that_crate')"
        ),
    }
}

fn problem(document: &Document, path: &str, rule: Rule, message: String) -> Diagnostic {
    Diagnostic {
        file: document.file.clone(),
        path: path.to_owned(),
        rule,
        message,
    }
}

/// A reference, and what it stands for.
enum Mention<'a> {
    Ref(&'a Reference),
    Variant(&'a Reference),
}

impl<'a> Mention<'a> {
    const fn reference(&self) -> &'a Reference {
        match self {
            Self::Ref(reference) | Self::Variant(reference) => reference,
        }
    }

    /// Why it may not lead to this definition.
    fn refusal(&self, definition: &Definition) -> Option<(Rule, String)> {
        let name = definition.kind.name();
        match (self, &definition.kind) {
            (Self::Ref(_), DefKind::Type(_) | DefKind::Record(_)) => None,
            (Self::Variant(_), kind) if kind.object().is_some() => None,
            (Self::Ref(reference), _) => Some((
                Rule::RefTarget,
                format!(
                    "{} is {}, which is no type of data",
                    reference.target,
                    a(name)
                ),
            )),
            (Self::Variant(reference), _) => Some((
                Rule::UnionMember,
                format!(
                    "{} is {}; a union is of objects and records",
                    reference.target,
                    a(name)
                ),
            )),
        }
    }
}

/// Calls back with every reference of a document.
fn visit_references<'a>(document: &'a Document, found: &mut impl FnMut(Mention<'a>)) {
    visit::schemas(document, &mut |schema| {
        if let SchemaKind::Ref(reference) = &schema.kind {
            found(Mention::Ref(reference));
        }
    });
    visit::unions(document, &mut |union| {
        union
            .refs
            .iter()
            .map(Mention::Variant)
            .for_each(&mut *found);
    });
}

#[cfg(test)]
mod tests;
