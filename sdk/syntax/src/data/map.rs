//! The map of the data model, in the order that DAG-CBOR writes it.

use super::{DataProblem, Value};
use std::cmp::Ordering;
use std::fmt;
use std::ops::Index;
use std::{iter, slice, vec};

/// Compares map keys as DAG-CBOR orders them: shorter first, then byte by byte.
pub fn canonical_cmp(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Whether every key comes after the one in front of it.
fn is_canonical(entries: &[(String, Value)]) -> bool {
    entries.is_sorted_by(|(a, _), (b, _)| canonical_cmp(a, b).is_lt())
}

/// String keys and their values, in canonical order whatever the order of insertion.
///
/// A sorted vector: what comes in canonical order, as all DAG-CBOR does, is merely appended. Use
/// [`Extend`] or [`FromIterator`] for many entries in another order.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Map(Vec<(String, Value)>);

impl Map {
    /// An empty map.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes entries in any order, but no key twice.
    pub(crate) fn from_entries(mut entries: Vec<(String, Value)>) -> Result<Self, DataProblem> {
        if !is_canonical(&entries) {
            entries.sort_unstable_by(|(a, _), (b, _)| canonical_cmp(a, b));
            if !is_canonical(&entries) {
                return Err(DataProblem::DuplicateKey);
            }
        }
        Ok(Self(entries))
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        // Decoding and most building append.
        match self.0.last() {
            Some((last, _)) if canonical_cmp(last, key).is_lt() => Err(self.0.len()),
            _ => self
                .0
                .binary_search_by(|(other, _)| canonical_cmp(other, key)),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).ok().map(|index| &self.0[index].1)
    }

    /// The value of a key, to be changed in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.find(key).ok().map(|index| &mut self.0[index].1)
    }

    /// Whether the key is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// Puts a value under a key, and returns the one that was there.
    pub fn insert(&mut self, key: impl Into<String>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.find(&key) {
            Ok(index) => Some(std::mem::replace(&mut self.0[index].1, value)),
            Err(index) => {
                self.0.insert(index, (key, value));
                None
            }
        }
    }

    /// Takes a key and its value out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find(key).ok().map(|index| self.0.remove(index).1)
    }

    /// The number of entries.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no entries.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries in canonical order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&String, &Value)> + ExactSizeIterator {
        self.into_iter()
    }

    /// The keys in canonical order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The values in the canonical order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Into<String>> Extend<(K, Value)> for Map {
    /// The last of several values of a key wins.
    fn extend<I: IntoIterator<Item = (K, Value)>>(&mut self, entries: I) {
        self.0
            .extend(entries.into_iter().map(|(key, value)| (key.into(), value)));
        if !is_canonical(&self.0) {
            // The sort is stable, so that a later entry stands behind an earlier one of its key.
            self.0.sort_by(|(a, _), (b, _)| canonical_cmp(a, b));
            self.0.dedup_by(|later, kept| {
                let twice = later.0 == kept.0;
                if twice {
                    std::mem::swap(&mut later.1, &mut kept.1);
                }
                twice
            });
        }
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Into<String>, const N: usize> From<[(K, Value); N]> for Map {
    fn from(entries: [(K, Value); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl Index<&str> for Map {
    type Output = Value;

    /// # Panics
    /// If the key is not there, as for any map.
    fn index(&self, key: &str) -> &Value {
        self.get(key).expect("the key must be in the map")
    }
}

/// The entries of a [`Map`] in canonical order.
pub(super) type Iter<'a> =
    iter::Map<slice::Iter<'a, (String, Value)>, fn(&'a (String, Value)) -> (&'a String, &'a Value)>;

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a String, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl IntoIterator for Map {
    type Item = (String, Value);
    type IntoIter = vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
