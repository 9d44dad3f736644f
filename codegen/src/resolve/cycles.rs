//! Types that contain themselves.
//!
//! Through a list or a union that is fine: Rust keeps both on the heap. Through fields alone a type
//! would have no size, and needs a `Box` somewhere on the way round. And a list that is a list of
//! itself is no type at all.

use super::{Edge, Resolution, inhabited, items_of, problem};
use crate::diagnostic::{Diagnostic, Rule};
use crate::model::{DefId, Definition, Document, ObjectSchema, Property, SchemaKind};
use huddle_syntax::Nsid;
use std::collections::{HashMap, HashSet};

/// The definitions to generate, and the references that lead from one to another.
struct Graph<'a> {
    nodes: Vec<(&'a Document, &'a Definition)>,
    edges: Vec<Vec<(usize, &'a str)>>,
}

/// The refs through which a type contains itself: lexicon and JSON path.
pub(super) fn boxed(resolution: &Resolution<'_>) -> HashSet<(Nsid, String)> {
    let graph = Graph::new(resolution, fields_of);
    graph
        .on_cycles()
        .into_iter()
        .map(|(document, path)| (document.id.clone(), path.to_owned()))
        .collect()
}

/// Types that no program can write down, and types of which there is no value.
pub(super) fn endless(resolution: &Resolution<'_>) -> Vec<Diagnostic> {
    let lists = Graph::new(resolution, |_, definition, found| {
        found.extend(items_of(definition));
    });
    let lists = lists.on_cycles();
    // What has no value and is on no cycle requires something that is.
    let ranks = inhabited::ranks(resolution.catalog, true);
    let hopeless = Graph::new(resolution, |id, definition, found| {
        if !ranks.contains_key(id) {
            let requirements = inhabited::requirements(definition);
            found.extend(requirements.into_iter().flatten().flatten());
        }
    });
    let about = |message: &'static str| {
        move |(document, path): (&Document, &str)| {
            problem(document, path, Rule::EndlessType, message.to_owned())
        }
    };
    let of_lists = lists.into_iter().map(about(
        "this list holds nothing but itself; an object in between would make it a type",
    ));
    let of_hopeless = hopeless.on_cycles().into_iter().map(about(
        "this requires itself, so that no value is ever complete; something has to be optional",
    ));
    of_lists.chain(of_hopeless).collect()
}

/// The refs that are laid out in the definition itself: fields, and fields of objects in it.
fn fields_of<'a>(_: &DefId, definition: &'a Definition, found: &mut Vec<Edge<'a>>) {
    fn walk<'a>(object: &'a ObjectSchema, found: &mut Vec<Edge<'a>>) {
        for Property { schema, .. } in &object.properties {
            match &schema.kind {
                SchemaKind::Ref(reference) => found.push((&reference.target, &schema.path)),
                SchemaKind::Object(object) => walk(object, found),
                _ => {}
            }
        }
    }
    if let Some(object) = definition.kind.object() {
        walk(object, found);
    }
}

impl<'a> Graph<'a> {
    fn new(
        resolution: &Resolution<'a>,
        references: impl Fn(&DefId, &'a Definition, &mut Vec<Edge<'a>>),
    ) -> Self {
        let nodes: Vec<_> = resolution
            .documents()
            .flat_map(|document| {
                document
                    .defs
                    .iter()
                    .map(move |definition| (document, definition))
            })
            .collect();
        let ids: Vec<DefId> = nodes.iter().map(|(doc, def)| doc.def_id(def)).collect();
        // What another crate has is in no selected document: it cannot refer back to one.
        let index: HashMap<&DefId, usize> = ids
            .iter()
            .enumerate()
            .map(|(node, id)| (id, node))
            .collect();
        let edges = nodes
            .iter()
            .zip(&ids)
            .map(|((_, definition), id)| {
                let mut found = Vec::new();
                references(id, definition, &mut found);
                let edge = |(target, path)| Some((*index.get(target)?, path));
                found.into_iter().filter_map(edge).collect()
            })
            .collect();
        Self { nodes, edges }
    }

    /// The edges that lie on a cycle: both ends are in one strongly connected component.
    fn on_cycles(&self) -> Vec<(&'a Document, &'a str)> {
        let component = self.components();
        let mut found = Vec::new();
        for (from, edges) in self.edges.iter().enumerate() {
            let (document, _) = self.nodes[from];
            let inside = edges
                .iter()
                .filter(|(to, _)| component[from] == component[*to]);
            found.extend(inside.map(|(_, path)| (document, *path)));
        }
        found
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
