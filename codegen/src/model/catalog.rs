//! A set of lexicons, looked up by name.

use super::{DefId, Definition, Document};
use huddle_syntax::Nsid;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

/// Lexicons by name, in the order of their names; no name twice.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    documents: BTreeMap<Nsid, Indexed>,
}

/// A document, and where in it each definition is.
#[derive(Clone, Debug)]
struct Indexed {
    document: Document,
    defs: HashMap<String, usize>,
}

impl Catalog {
    /// Adds a document; gives it back if there is one of its name already.
    pub fn insert(&mut self, document: Document) -> Result<(), Box<Document>> {
        match self.documents.entry(document.id.clone()) {
            Entry::Vacant(place) => {
                let names = document
                    .defs
                    .iter()
                    .map(|definition| definition.name.clone());
                let defs = names.zip(0..).collect();
                place.insert(Indexed { document, defs });
                Ok(())
            }
            Entry::Occupied(_) => Err(Box::new(document)),
        }
    }

    /// The document of this name.
    pub fn get(&self, nsid: &Nsid) -> Option<&Document> {
        self.documents.get(nsid).map(|indexed| &indexed.document)
    }

    /// The definition of this name.
    pub fn definition(&self, id: &DefId) -> Option<&Definition> {
        let Indexed { document, defs } = self.documents.get(id.nsid())?;
        document.defs.get(*defs.get(id.name())?)
    }

    /// All documents, in the order of their names.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = &Document> {
        self.documents.values().map(|indexed| &indexed.document)
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}
