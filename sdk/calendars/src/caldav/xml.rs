//! XML as WebDAV answers with it: a small tree of what has a known namespace, of bounded depth and size.
//!
//! A document type declaration, and so every entity beyond the five of XML itself, is refused (RFC 4918 §20.6).

use std::borrow::Cow;

use huddle_ports::Bytes;
use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace as Uri, ResolveResult};

use crate::error::CalendarError;

/// How deep elements may be nested. Real answers have eight levels or so.
const MAX_DEPTH: usize = 32;

/// How many elements are read. An answer with 20,000 events, which is as many as a calendar may have, has some
/// 140,000.
const MAX_ELEMENTS: usize = 200_000;

/// The namespaces that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// `DAV:`, of RFC 4918.
    Dav,
    /// `urn:ietf:params:xml:ns:caldav`, of RFC 4791.
    CalDav,
    /// `http://calendarserver.org/ns/`, of the extension `getctag`.
    CalendarServer,
    /// Any other, or none.
    Other,
}

impl Namespace {
    fn of(resolved: &ResolveResult<'_>) -> Result<Self, CalendarError> {
        match resolved {
            ResolveResult::Bound(Uri("DAV:")) => Ok(Self::Dav),
            ResolveResult::Bound(Uri("urn:ietf:params:xml:ns:caldav")) => Ok(Self::CalDav),
            ResolveResult::Bound(Uri("http://calendarserver.org/ns/")) => Ok(Self::CalendarServer),
            ResolveResult::Bound(_) | ResolveResult::Unbound => Ok(Self::Other),
            ResolveResult::Unknown(_) => Err(malformed()),
        }
    }
}

/// An element. Of its attributes only one means something in what is read here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    namespace: Namespace,
    name: Box<str>,
    /// The attribute `name`, of `comp` (RFC 4791 §9.6.1).
    component: Option<Box<str>>,
    /// The text directly in it.
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Whether this is its name.
    pub(super) fn is(&self, namespace: Namespace, name: &str) -> bool {
        self.namespace == namespace && &*self.name == name
    }

    /// The elements directly in it that have this name.
    pub(super) fn children<'a>(
        &'a self,
        namespace: Namespace,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Element> {
        let named = move |child: &&Element| child.is(namespace, name);
        self.children.iter().filter(named)
    }

    /// The first element directly in it that has this name.
    pub(super) fn child(&self, namespace: Namespace, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    /// The component that it names, of a `comp`.
    pub(super) fn component(&self) -> Option<&str> {
        self.component.as_deref()
    }

    /// Keeps the elements directly in it that have this name, and nothing else.
    pub(super) fn into_children(
        self,
        namespace: Namespace,
        name: &str,
    ) -> impl Iterator<Item = Element> {
        let named = move |child: &Element| child.is(namespace, name);
        self.children.into_iter().filter(named)
    }

    /// Whether an element directly in it has this name, and not in this namespace.
    pub(super) fn has_mistaken(&self, namespace: Namespace, name: &str) -> bool {
        self.children
            .iter()
            .any(|child| &*child.name == name && child.namespace != namespace)
    }

    /// The text directly in it.
    pub(super) fn raw_text(&self) -> &str {
        &self.text
    }

    /// The text directly in it, without white space around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }
}

/// The root of a document.
pub(super) fn parse(body: &Bytes) -> Result<Element, CalendarError> {
    let text = str::from_utf8(body).map_err(|_| malformed())?;
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    let mut tree = Tree::default();
    loop {
        let (resolved, event) = reader.read_resolved_event().map_err(|_| malformed())?;
        match event {
            Event::Start(start) => tree.open(Namespace::of(&resolved)?, &start)?,
            Event::Empty(start) => {
                tree.open(Namespace::of(&resolved)?, &start)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(data) => tree.text(&data.xml10_content())?,
            Event::GeneralRef(reference) => tree.character(&reference)?,
            Event::Decl(declaration) => {
                let encoding = declaration
                    .encoding()
                    .transpose()
                    .map_err(|_| malformed())?;
                let readable = |name: Cow<'_, str>| {
                    name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii")
                };
                if !encoding.is_none_or(readable) {
                    return Err(malformed());
                }
            }
            Event::DocType(_) => return Err(malformed()),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

/// Text as XML writes it between tags.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

fn malformed() -> CalendarError {
    CalendarError::Broken(Cow::Borrowed("its XML cannot be read"))
}

/// A document as far as it is read.
#[derive(Default)]
struct Tree {
    /// The elements that are open, the outermost first.
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, namespace: Namespace, start: &BytesStart<'_>) -> Result<(), CalendarError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(CalendarError::TooLarge);
        }
        if self.root.is_some() || self.open.len() == MAX_DEPTH {
            return Err(malformed());
        }
        let component = match start.local_name().as_ref() {
            "comp" => start.try_get_attribute("name").map_err(|_| malformed())?,
            _ => None,
        };
        self.open.push(Element {
            namespace,
            name: start.local_name().as_ref().into(),
            component: component.map(|attribute| attribute.value.as_ref().into()),
            text: String::new(),
            children: Vec::new(),
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), CalendarError> {
        let element = self.open.pop().ok_or_else(malformed)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    /// Outside of the root there is nothing but white space.
    fn text(&mut self, text: &str) -> Result<(), CalendarError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(malformed()),
        }
        Ok(())
    }

    /// A character by its number, or one of the five that XML names itself.
    fn character(&mut self, reference: &BytesRef<'_>) -> Result<(), CalendarError> {
        let number = reference.resolve_char_ref().map_err(|_| malformed())?;
        let character = match (number, &**reference) {
            (Some(character), _) => character,
            (None, "lt") => '<',
            (None, "gt") => '>',
            (None, "amp") => '&',
            (None, "apos") => '\'',
            (None, "quot") => '"',
            (None, _) => return Err(malformed()),
        };
        self.text(character.encode_utf8(&mut [0; 4]))
    }

    fn finish(self) -> Result<Element, CalendarError> {
        match (self.root, self.open.is_empty()) {
            (Some(root), true) => Ok(root),
            _ => Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests;
