//! Types that contain themselves.
//!
//! Through a list or a union that is fine: Rust keeps both on the heap. Through fields alone a type
//! would have no size, and needs a `Box` somewhere on the way round. And a list that is a list of
//! itself is no type at all.

use super::{Resolution, Target, problem};
use crate::diagnostic::{Diagnostic, Rule};
use crate::model::{DefId, DefKind, Definition, Document, ObjectSchema, Schema, SchemaKind};
use huddle_syntax::Nsid;
use std::collections::{BTreeMap, HashSet};

/// The definitions and the refs that lead from one to another, along with the paths of the refs.
struct Graph<'a> {
    nodes: Vec<(&'a Document, &'a Definition)>,
    edges: Vec<Vec<(usize, &'a str)>>,
}

/// The refs through which a type contains itself: lexicon and JSON path.
pub(super) fn boxed(resolution: &Resolution<'_>) -> HashSet<(Nsid, String)> {
    let graph = Graph::new(resolution, fields_of);
    graph.on_cycles().map(|(document, path)| (document.id.clone(), path.to_owned())).collect()
}

/// Lists that hold nothing but themselves.
pub(super) fn endless(resolution: &Resolution<'_>) -> Vec<Diagnostic> {
    let graph = Graph::new(resolution, items_of);
    let message = "this list holds nothing but itself; an object in between would make it a type";
    graph
        .on_cycles()
        .map(|(document, path)| problem(document, path, Rule::EndlessType, message.to_owned()))
        .collect()
}

/// The refs that are laid out in the definition itself: fields, and fields of objects in it.
fn fields_of<'a>(definition: &'a Definition, refs: &mut Vec<&'a Schema>) {
    fn walk<'a>(object: &'a ObjectSchema, refs: &mut Vec<&'a Schema>) {
        for property in &object.properties {
            match &property.schema.kind {
                SchemaKind::Ref(_) => refs.push(&property.schema),
                SchemaKind::Object(object) => walk(object, refs),
                _ => {}
            }
        }
    }
    if let Some(object) = definition.kind.object() {
        walk(object, refs);
    }
}

/// The ref that a list's items come down to.
fn items_of<'a>(definition: &'a Definition, refs: &mut Vec<&'a Schema>) {
    let DefKind::Type(mut_schema) = &definition.kind else { return };
    let mut schema = mut_schema;
    while let SchemaKind::Array(array) = &schema.kind {
        schema = &array.items;
    }
    if let SchemaKind::Ref(_) = schema.kind {
        refs.push(schema);
    }
}

impl<'a> Graph<'a> {
    fn new(
        resolution: &Resolution<'a>,
        refs_of: impl Fn(&'a Definition, &mut Vec<&'a Schema>),
    ) -> Self {
        let nodes: Vec<_> = resolution
            .documents()
            .flat_map(|document| document.defs.iter().map(move |definition| (document, definition)))
            .collect();
        let index: BTreeMap<DefId, usize> =
            nodes.iter().enumerate().map(|(i, (doc, def))| (doc.def_id(def), i)).collect();
        let edges = nodes
            .iter()
            .map(|(_, definition)| {
                let mut refs = Vec::new();
                refs_of(definition, &mut refs);
                let edge = |schema: &'a Schema| {
                    let SchemaKind::Ref(reference) = &schema.kind else { return None };
                    // What another crate has cannot refer back to what is generated here.
                    let Some(Target::Local(..)) = resolution.target(&reference.target) else {
                        return None;
                    };
                    Some((*index.get(&reference.target)?, schema.path.as_str()))
                };
                refs.into_iter().filter_map(edge).collect()
            })
            .collect();
        Self { nodes, edges }
    }

    /// The edges that lie on a cycle: both ends are in one strongly connected component.
    fn on_cycles(&self) -> impl Iterator<Item = (&'a Document, &'a str)> {
        let component = self.components();
        self.edges.iter().enumerate().flat_map(move |(from, edges)| {
            let component = component.clone();
            let document = self.nodes[from].0;
            edges
                .iter()
                .filter(move |(to, _)| component[from] == component[*to])
                .map(move |(_, path)| (document, *path))
        })
    }

    /// The strongly connected component of each node (Tarjan), without recursion: a chain of refs
    /// may be as long as the input likes.
    fn components(&self) -> Vec<usize> {
        const UNSEEN: usize = usize::MAX;
        let count = self.nodes.len();
        let mut order = vec![UNSEEN; count];
        let mut lowest = vec![UNSEEN; count];
        let mut component = vec![UNSEEN; count];
        let mut open = Vec::new();
        let mut next = 0;
        for root in 0..count {
            if order[root] != UNSEEN {
                continue;
            }
            let mut path = vec![(root, 0)];
            while let Some((node, edge)) = path.pop() {
                if edge == 0 {
                    order[node] = next;
                    lowest[node] = next;
                    next += 1;
                    open.push(node);
                }
                if let Some(&(to, _)) = self.edges[node].get(edge) {
                    path.push((node, edge + 1));
                    if order[to] == UNSEEN {
                        path.push((to, 0));
                    } else if component[to] == UNSEEN {
                        lowest[node] = lowest[node].min(order[to]);
                    }
                    continue;
                }
                if lowest[node] == order[node] {
                    while let Some(member) = open.pop() {
                        component[member] = node;
                        if member == node {
                            break;
                        }
                    }
                }
                if let Some(&(parent, _)) = path.last() {
                    lowest[parent] = lowest[parent].min(lowest[node]);
                }
            }
        }
        component
    }
}
