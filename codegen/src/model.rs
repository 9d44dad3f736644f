//! Lexicon documents as types: one Rust type a construct of <https://atproto.com/specs/lexicon>.
//!
//! Everything keeps the order of its source file, and every schema knows its place in it, so that
//! messages can name it and generated code reads like the lexicon.

mod catalog;
mod name;
pub(crate) mod visit;

pub use self::catalog::Catalog;
pub use self::name::{DefId, NsidPattern, PatternError};

use huddle_syntax::Nsid;
use std::path::PathBuf;

/// One lexicon file.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file, as it was opened; messages name it.
    pub file: PathBuf,
    /// The file from the lexicon folder's own name on, with `/`, e.g. `lexicons/com/example/defs.json`:
    /// the same on every machine, so that generated files can say what they come from.
    pub source: String,
    /// The name of the lexicon.
    pub id: Nsid,
    /// What the lexicon as a whole is for; definitions have descriptions of their own.
    pub description: Option<String>,
    /// Definitions in source order; at least one, with distinct names.
    pub defs: Vec<Definition>,
    /// JSON paths of keys that the specification does not name.
    pub unexpected: Vec<String>,
}

/// A named definition: an entry of `defs`.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its key: `main`, or what comes after the `#` of references.
    pub name: String,
    /// Its JSON path in the file, e.g. `defs.main`.
    pub path: String,
    /// What it says of itself.
    pub docs: Docs,
    /// What it defines.
    pub kind: DefKind,
}

/// What a definition defines.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are some hundreds at most, and most of the large ones are methods"
)]
pub enum DefKind {
    /// An object that can be stored in a repository.
    Record(Record),
    /// An XRPC method called with GET.
    Query(Query),
    /// An XRPC method called with POST.
    Procedure(Procedure),
    /// An event stream over a WebSocket.
    Subscription(Subscription),
    /// A bundle of permissions that OAuth can ask for by one name.
    PermissionSet(PermissionSet),
    /// A name with a meaning and no data.
    Token,
    /// A type to refer to. Its kind is never `Ref`, `Union` or `Unknown`: the specification does not
    /// let these be named. Its `docs` are empty: they are those of the definition.
    Type(Schema),
}

/// What a definition, a field, an error … says of itself to a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docs {
    /// The `description`, if it is there and not empty.
    pub description: Option<String>,
    /// The note of a `deprecated` key, which is no part of the specification: a text, or `true`
    /// (then empty).
    pub deprecated: Option<String>,
}

/// A type of data, at one place of a lexicon.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Its JSON path in the file, e.g. `defs.main.record.properties.note`.
    pub path: String,
    /// What it says of itself.
    pub docs: Docs,
    /// Which type it is.
    pub kind: SchemaKind,
}

/// The types of data.
#[derive(Clone, Debug)]
pub enum SchemaKind {
    /// `boolean`
    Boolean(BooleanSchema),
    /// `integer`: signed, 64 bits.
    Integer(IntegerSchema),
    /// `string`
    String(StringSchema),
    /// `bytes`
    Bytes(BytesSchema),
    /// `cid-link`
    CidLink,
    /// `blob`
    Blob(BlobSchema),
    /// `array`
    Array(ArraySchema),
    /// `object`
    Object(ObjectSchema),
    /// `ref`: the type of the definition that it names.
    Ref(Reference),
    /// `union`: one of several objects, told apart by `$type`.
    Union(UnionSchema),
    /// `unknown`: any object.
    Unknown,
}

/// A boolean; `default` and `const` exclude each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BooleanSchema {
    /// What absence means.
    pub default: Option<bool>,
    /// The only allowed value (`const`).
    pub constant: Option<bool>,
}

/// An integer and its bounds, all inclusive, which hold for every value that is listed here;
/// `default` and `const` exclude each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegerSchema {
    /// The least allowed value.
    pub minimum: Option<i64>,
    /// The greatest allowed value.
    pub maximum: Option<i64>,
    /// The only allowed values (`enum`); not empty if present.
    pub values: Option<Vec<i64>>,
    /// What absence means.
    pub default: Option<i64>,
    /// The only allowed value (`const`).
    pub constant: Option<i64>,
}

/// A string and its bounds, all inclusive, which hold for every value that is listed here, except for
/// `known_values`; `default` and `const` exclude each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringSchema {
    /// The syntax it must have.
    pub format: Option<Format>,
    /// The least length, in bytes of UTF-8.
    pub min_length: Option<usize>,
    /// The greatest length, in bytes of UTF-8.
    pub max_length: Option<usize>,
    /// The least length, in grapheme clusters.
    pub min_graphemes: Option<usize>,
    /// The greatest length, in grapheme clusters.
    pub max_graphemes: Option<usize>,
    /// Values with a known meaning, among others that have none yet (`knownValues`); may be empty.
    pub known_values: Vec<String>,
    /// The only allowed values (`enum`); not empty if present.
    pub values: Option<Vec<String>>,
    /// What absence means.
    pub default: Option<String>,
    /// The only allowed value (`const`).
    pub constant: Option<String>,
}

/// The syntaxes that a string can be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `at-identifier`: a handle or a DID.
    AtIdentifier,
    /// `at-uri`
    AtUri,
    /// `cid`
    Cid,
    /// `datetime`
    Datetime,
    /// `did`
    Did,
    /// `handle`
    Handle,
    /// `language`
    Language,
    /// `nsid`
    Nsid,
    /// `record-key`
    RecordKey,
    /// `tid`
    Tid,
    /// `uri`
    Uri,
}

/// A byte string and its bounds, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BytesSchema {
    /// The least length.
    pub min_length: Option<usize>,
    /// The greatest length.
    pub max_length: Option<usize>,
}

/// A file that is stored beside the records, referred to by its CID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobSchema {
    /// MIME types, `type/*` or `*/*`; empty means any.
    pub accept: Vec<String>,
    /// The greatest size, in bytes; positive.
    pub max_size: Option<i64>,
}

/// A list and its bounds, in items.
#[derive(Clone, Debug)]
pub struct ArraySchema {
    /// The type of every item.
    pub items: Box<Schema>,
    /// The least number of items.
    pub min_length: Option<usize>,
    /// The greatest number of items.
    pub max_length: Option<usize>,
}

/// An object with named fields.
#[derive(Clone, Debug, Default)]
pub struct ObjectSchema {
    /// The fields in source order, with distinct names that are not empty and do not start with `$`.
    pub properties: Vec<Property>,
}

/// A field of an object, or a parameter of a method.
#[derive(Clone, Debug)]
pub struct Property {
    /// Its key in the data.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it may be `null`; never so for a parameter.
    pub nullable: bool,
    /// What its values are.
    pub schema: Schema,
}

/// The mention of a definition, here or in another lexicon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The JSON path of the mention itself, e.g. `defs.main.message.schema.refs[0]`.
    pub path: String,
    /// What is mentioned, with local names made absolute.
    pub target: DefId,
}

/// One of several objects, told apart by their `$type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnionSchema {
    /// The variants in source order; may be empty if the union is open.
    pub refs: Vec<Reference>,
    /// Whether there can be no others, not even later.
    pub closed: bool,
}

/// A record type: what a repository holds under keys of one collection.
#[derive(Clone, Debug)]
pub struct Record {
    /// What its record keys look like.
    pub key: KeyKind,
    /// What the object says of itself, apart from what the definition says.
    pub docs: Docs,
    /// Its fields; their paths start with `defs.main.record.properties.`.
    pub object: ObjectSchema,
}

/// The kinds of record keys, <https://atproto.com/specs/record-key>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `tid`: a timestamp identifier each.
    Tid,
    /// `nsid`: the name of a lexicon each.
    Nsid,
    /// `any`
    Any,
    /// `literal:…`: this one key.
    Literal(String),
}

/// A method that only asks.
#[derive(Clone, Debug)]
pub struct Query {
    /// What goes into the query string.
    pub parameters: Option<Params>,
    /// The body of the answer.
    pub output: Option<Body>,
    /// The errors that the method declares.
    pub errors: Vec<DeclaredError>,
}

/// A method that does something.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// What goes into the query string.
    pub parameters: Option<Params>,
    /// The body of the request.
    pub input: Option<Body>,
    /// The body of the answer.
    pub output: Option<Body>,
    /// The errors that the method declares.
    pub errors: Vec<DeclaredError>,
}

/// A stream of messages.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// What goes into the query string.
    pub parameters: Option<Params>,
    /// What the messages are.
    pub message: Message,
    /// The errors that the method declares.
    pub errors: Vec<DeclaredError>,
}

/// The parameters of a method: booleans, integers, strings, and arrays of these.
#[derive(Clone, Debug)]
pub struct Params {
    /// What they say of themselves.
    pub docs: Docs,
    /// In source order, with distinct names that are not empty.
    pub properties: Vec<Property>,
}

/// The body of a request or an answer.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its JSON path in the file, e.g. `defs.main.output`.
    pub path: String,
    /// What it says of itself.
    pub docs: Docs,
    /// Its MIME type, e.g. `application/json`; without a schema also `type/*`, `*/*`, or several with
    /// commas between. Empty if the lexicon does not say.
    pub encoding: String,
    /// What its JSON is: an object, a ref or a union.
    pub schema: Option<Schema>,
}

/// The messages of a subscription.
#[derive(Clone, Debug)]
pub struct Message {
    /// What they say of themselves.
    pub docs: Docs,
    /// The message types.
    pub union: UnionSchema,
}

/// An error name that a method may answer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredError {
    /// The name on the wire; not empty, no whitespace.
    pub name: String,
    /// When it happens.
    pub docs: Docs,
}

/// A bundle of permissions, <https://atproto.com/specs/permission>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSet {
    /// What a consent page calls it.
    pub title: Option<String>,
    /// The title by language tag, in source order (`title:lang`).
    pub title_lang: Vec<(String, String)>,
    /// What a consent page says of it.
    pub detail: Option<String>,
    /// The detail by language tag, in source order (`detail:lang`).
    pub detail_lang: Vec<(String, String)>,
    /// What it allows.
    pub permissions: Vec<Permission>,
}

/// One permission of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its JSON path in the file, e.g. `defs.main.permissions[0]`.
    pub path: String,
    /// What it gives access to.
    pub resource: Resource,
}

/// What a permission gives access to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Writing records.
    Repo {
        /// NSIDs of record types.
        collections: Vec<String>,
        /// `create`, `update`, `delete`; empty means all of them.
        actions: Vec<String>,
    },
    /// Calling methods in the person's name.
    Rpc {
        /// NSIDs of methods, or `*`.
        methods: Vec<String>,
        /// The service (`aud`), e.g. `*`.
        audience: Option<String>,
        /// Whether the service is the one that the scope names (`inheritAud`).
        inherit_audience: bool,
    },
    /// A resource, or a key of one, that permission sets have no meaning for yet. The specification
    /// wants it ignored as a whole: what is not understood might narrow the permission.
    Unsupported {
        /// The name of the resource.
        resource: String,
    },
}

impl Document {
    /// The definition of this name. A [`Catalog`] finds it faster where there are many.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.defs.iter().find(|definition| definition.name == name)
    }

    /// How references from anywhere name a definition of this document.
    pub fn def_id(&self, definition: &Definition) -> DefId {
        DefId::new(self.id.clone(), &definition.name)
    }
}

impl Definition {
    /// Whether this is one of the types that only `main` can be: a record, a method, a permission set.
    pub fn is_primary(&self) -> bool {
        self.kind.is_primary()
    }
}

impl DefKind {
    /// The `type` of the lexicon language, e.g. `permission-set`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Record(_) => "record",
            Self::Query(_) => "query",
            Self::Procedure(_) => "procedure",
            Self::Subscription(_) => "subscription",
            Self::PermissionSet(_) => "permission-set",
            Self::Token => "token",
            Self::Type(schema) => schema.kind.name(),
        }
    }

    /// Whether only `main` can be this.
    pub const fn is_primary(&self) -> bool {
        matches!(
            self,
            Self::Record(_)
                | Self::Query(_)
                | Self::Procedure(_)
                | Self::Subscription(_)
                | Self::PermissionSet(_)
        )
    }

    /// The fields, of what is an object: a record, or an `object`.
    pub const fn object(&self) -> Option<&ObjectSchema> {
        match self {
            Self::Record(record) => Some(&record.object),
            Self::Type(Schema {
                kind: SchemaKind::Object(object),
                ..
            }) => Some(object),
            _ => None,
        }
    }

    /// The bodies of a method: of the request, then of the answer.
    pub fn bodies(&self) -> impl Iterator<Item = &Body> {
        let (input, output) = match self {
            Self::Query(query) => (None, query.output.as_ref()),
            Self::Procedure(procedure) => (procedure.input.as_ref(), procedure.output.as_ref()),
            _ => (None, None),
        };
        input.into_iter().chain(output)
    }

    /// The parameters, of what has them: a method.
    pub const fn parameters(&self) -> Option<&Params> {
        match self {
            Self::Query(query) => query.parameters.as_ref(),
            Self::Procedure(procedure) => procedure.parameters.as_ref(),
            Self::Subscription(subscription) => subscription.parameters.as_ref(),
            _ => None,
        }
    }
}

impl SchemaKind {
    /// The `type` of the lexicon language, e.g. `cid-link`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::CidLink => "cid-link",
            Self::Blob(_) => "blob",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Ref(_) => "ref",
            Self::Union(_) => "union",
            Self::Unknown => "unknown",
        }
    }
}

impl ObjectSchema {
    /// The field of this name.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties
            .iter()
            .find(|property| property.name == name)
    }
}

impl Docs {
    /// What to use instead, or why not to use it; empty if it is deprecated without a word, `None` if
    /// it is not deprecated.
    ///
    /// The specification has no key for this: published lexicons start the description with the word.
    pub fn deprecation(&self) -> Option<&str> {
        const WORD: &str = "deprecated";
        if let Some(note) = &self.deprecated {
            return Some(note);
        }
        let description = self.description.as_deref()?;
        let (word, note) = description.split_at_checked(WORD.len())?;
        let ends = !note.starts_with(char::is_alphanumeric);
        (word.eq_ignore_ascii_case(WORD) && ends)
            .then(|| note.trim_start_matches(|c: char| c.is_whitespace() || ".,:;-–—".contains(c)))
    }
}

impl Format {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 11] = [
        Self::AtIdentifier,
        Self::AtUri,
        Self::Cid,
        Self::Datetime,
        Self::Did,
        Self::Handle,
        Self::Language,
        Self::Nsid,
        Self::RecordKey,
        Self::Tid,
        Self::Uri,
    ];

    /// The name in the lexicon language, e.g. `at-uri`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtIdentifier => "at-identifier",
            Self::AtUri => "at-uri",
            Self::Cid => "cid",
            Self::Datetime => "datetime",
            Self::Did => "did",
            Self::Handle => "handle",
            Self::Language => "language",
            Self::Nsid => "nsid",
            Self::RecordKey => "record-key",
            Self::Tid => "tid",
            Self::Uri => "uri",
        }
    }

    /// The format of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tid => f.write_str("tid"),
            Self::Nsid => f.write_str("nsid"),
            Self::Any => f.write_str("any"),
            Self::Literal(key) => write!(f, "literal:{key}"),
        }
    }
}

#[cfg(test)]
mod tests;
