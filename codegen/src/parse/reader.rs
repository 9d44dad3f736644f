//! Takes JSON apart key by key, and remembers what was wrong and what nobody asked for.

use crate::diagnostic::{Diagnostic, Diagnostics, Rule, is_invisible};
use crate::json::{Json, join};
use crate::model::{DefId, Docs, Document, Reference};
use huddle_syntax::Nsid;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The most bytes of a path to something in a file, leaving aside how names are quoted in it: every
/// part of a lexicon knows its path, and together these should not be much larger than the file.
const LONGEST_PATH: usize = 1024;

/// What reading one file has found so far.
///
/// Readers of values answer `None` after they have reported why; nothing is reported twice.
pub(super) struct Reader {
    file: PathBuf,
    lexicon: Option<Nsid>,
    problems: Vec<Diagnostic>,
    unexpected: Vec<String>,
}

/// A JSON value and the path to it.
pub(super) struct Node<'a> {
    pub(super) json: &'a Json,
    pub(super) path: String,
}

/// An object of which some keys have been asked for.
pub(super) struct Fields<'a> {
    path: String,
    entries: &'a [(String, Json)],
    asked: Vec<&'static str>,
}

impl Reader {
    pub(super) fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            lexicon: None,
            problems: Vec::new(),
            unexpected: Vec::new(),
        }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// From now on, `#name` is a definition of this lexicon.
    pub(super) fn set_lexicon(&mut self, nsid: Nsid) {
        self.lexicon = Some(nsid);
    }

    pub(super) fn take_unexpected(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unexpected)
    }

    pub(super) fn fail(&mut self, path: &str, rule: Rule, message: impl Into<String>) {
        self.problems.push(Diagnostic {
            file: self.file.clone(),
            path: path.to_owned(),
            rule,
            message: message.into(),
        });
    }

    /// The document, unless something was wrong with it.
    pub(super) fn finish(self, document: Option<Document>) -> Result<Document, Diagnostics> {
        match document {
            Some(document) if self.problems.is_empty() => Ok(document),
            _ => Err(Diagnostics(self.problems)),
        }
    }

    /// Whether every part of the file can be read and named. Refuses names of which other readers would
    /// silently take the first or the last, and those that are too long.
    pub(super) fn check_names(&mut self, json: &Json) -> bool {
        self.check_names_in(json, "")
    }

    fn check_names_in(&mut self, json: &Json, path: &str) -> bool {
        let mut readable = true;
        match json {
            Json::Object(entries) => {
                let mut seen = HashSet::new();
                for (key, value) in entries {
                    if path.len() + key.len() > LONGEST_PATH {
                        let message = format!(
                            "with {} the path has more than {LONGEST_PATH} bytes; names must be shorter",
                            quote(key)
                        );
                        self.fail(path, Rule::LexiconSchema, message);
                        return false;
                    }
                    let path = join(path, key);
                    if !seen.insert(key) {
                        self.fail(&path, Rule::SchemaJsonParse, "the key is there twice");
                    }
                    readable &= self.check_names_in(value, &path);
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    readable &= self.check_names_in(item, &format!("{path}[{index}]"));
                }
            }
            _ => {}
        }
        readable
    }

    fn expected(&mut self, what: &str, node: &Node<'_>) {
        let found = node.json.kind();
        self.fail(
            &node.path,
            Rule::SchemaJsonParse,
            format!("expected {what}, found {found}"),
        );
    }

    pub(super) fn fields<'a>(&mut self, node: &Node<'a>) -> Option<Fields<'a>> {
        let Json::Object(entries) = node.json else {
            self.expected("an object", node);
            return None;
        };
        Some(Fields {
            path: node.path.clone(),
            entries,
            asked: Vec::new(),
        })
    }

    /// An object whose keys are names that the lexicon chooses.
    pub(super) fn entries<'a>(&mut self, node: &Node<'a>) -> Option<Vec<(&'a str, Node<'a>)>> {
        let fields = self.fields(node)?;
        let entry = |(key, json): &'a (String, Json)| {
            (
                key.as_str(),
                Node {
                    json,
                    path: join(&fields.path, key),
                },
            )
        };
        Some(fields.entries.iter().map(entry).collect())
    }

    pub(super) fn text(&mut self, node: &Node<'_>) -> Option<String> {
        let Json::String(text) = node.json else {
            self.expected("a string", node);
            return None;
        };
        Some(text.clone())
    }

    pub(super) fn boolean(&mut self, node: &Node<'_>) -> Option<bool> {
        let Json::Bool(value) = *node.json else {
            self.expected("a boolean", node);
            return None;
        };
        Some(value)
    }

    pub(super) fn integer(&mut self, node: &Node<'_>) -> Option<i64> {
        let Json::Integer(value) = *node.json else {
            self.expected("a 64-bit integer", node);
            return None;
        };
        Some(value)
    }

    /// A number of things: an integer that is not negative.
    pub(super) fn count(&mut self, node: &Node<'_>) -> Option<usize> {
        let value = self.integer(node)?;
        let count = usize::try_from(value).ok();
        if count.is_none() {
            self.fail(
                &node.path,
                Rule::LexiconSchema,
                format!("{value} is no length"),
            );
        }
        count
    }

    /// An array, read item by item.
    pub(super) fn list<T>(
        &mut self,
        node: &Node<'_>,
        mut read: impl FnMut(&mut Self, &Node<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Json::Array(items) = node.json else {
            self.expected("an array", node);
            return None;
        };
        let items: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, json)| {
                let path = format!("{}[{index}]", node.path);
                read(self, &Node { json, path })
            })
            .collect();
        items.into_iter().collect()
    }

    pub(super) fn texts(&mut self, node: &Node<'_>) -> Option<Vec<String>> {
        self.list(node, Self::text)
    }

    /// The mention of a definition: `nsid`, `nsid#name` or `#name`.
    pub(super) fn reference(&mut self, node: &Node<'_>) -> Option<Reference> {
        let text = self.text(node)?;
        let target = match text.strip_prefix('#') {
            // Without a valid id of its own the document is refused already.
            Some(name) => DefId::new(self.lexicon.clone()?, name),
            None => match text.parse::<DefId>() {
                Ok(target) => target,
                Err(error) => {
                    let message = format!("{}: {error}", quote(&text));
                    self.fail(&node.path, Rule::LexiconSchema, message);
                    return None;
                }
            },
        };
        if !is_definition_name(target.name()) {
            let message = format!("{} names no definition", quote(&text));
            self.fail(&node.path, Rule::LexiconSchema, message);
            return None;
        }
        let path = node.path.clone();
        Some(Reference { path, target })
    }
}

impl<'a> Node<'a> {
    pub(super) const fn root(json: &'a Json) -> Self {
        Self {
            json,
            path: String::new(),
        }
    }
}

impl<'a> Fields<'a> {
    /// The path of the object itself.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn node(&mut self, key: &'static str) -> Option<Node<'a>> {
        self.asked.push(key);
        let (_, json) = self.entries.iter().find(|(name, _)| name == key)?;
        Some(Node {
            json,
            path: join(&self.path, key),
        })
    }

    /// Reads a key that may be absent.
    pub(super) fn read<T>(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        read: impl FnOnce(&mut Reader, &Node<'a>) -> Option<T>,
    ) -> Option<T> {
        let node = self.node(key)?;
        read(reader, &node)
    }

    /// Reads a key that must be there.
    pub(super) fn require<T>(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        read: impl FnOnce(&mut Reader, &Node<'a>) -> Option<T>,
    ) -> Option<T> {
        let Some(node) = self.node(key) else {
            reader.fail(
                &self.path,
                Rule::LexiconSchema,
                format!("the key `{key}` is missing"),
            );
            return None;
        };
        read(reader, &node)
    }

    /// What anything may say of itself.
    pub(super) fn docs(&mut self, reader: &mut Reader) -> Docs {
        let description = self.read(reader, "description", Reader::text);
        // No key of the specification, so that nothing about it is an error.
        let deprecated = self
            .entries
            .iter()
            .find(|(key, _)| key == "deprecated")
            .and_then(|(_, json)| match json {
                Json::Bool(true) => Some(String::new()),
                Json::String(note) => Some(note.clone()),
                _ => None,
            });
        Docs {
            description: description.filter(|text| !text.is_empty()),
            deprecated,
        }
    }

    /// Keys that have not been asked for.
    pub(super) fn unasked(&self) -> impl Iterator<Item = &'a str> {
        self.entries
            .iter()
            .map(|(key, _)| key.as_str())
            .filter(|key| !self.asked.contains(key))
    }

    /// Remembers the keys that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader) {
        reader
            .unexpected
            .extend(self.unasked().map(|key| join(&self.path, key)));
    }
}

/// Whether a definition can have this name. The specification has letters and digits of ASCII alone
/// (<https://atproto.com/specs/nsid#nsid-syntax-variations>), but others read more than that, so that it is
/// for the linter to say; never what would end a name where it stands in a text, or change how that reads.
pub(super) fn is_definition_name(name: &str) -> bool {
    let breaks =
        |c: char| "#.".contains(c) || c.is_whitespace() || c.is_control() || is_invisible(c);
    !name.is_empty() && !name.contains(breaks)
}

/// A text of the file in quotes, cut where it is too long for a message.
pub(super) fn quote(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
