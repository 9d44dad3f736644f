//! What is wrong with a lexicon: the file, the place in it, the rule and the reason.

use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// One finding about a lexicon file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The file, as it was opened.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The JSON path in the file, e.g. `defs.main.output`, or line and column where it is not JSON;
    /// empty for the file as a whole.
    pub path: String,
    /// The rule that it breaks.
    pub rule: Rule,
    /// What breaks it, and where not obvious what to do.
    pub message: String,
}

/// The name of a type with its article, e.g. `an object`.
pub(crate) fn a(name: &str) -> String {
    // Of the names that begin with a u, one is spoken with a vowel.
    let vowel = name.starts_with(['a', 'i', 'o']) || name == "unknown";
    format!("{} {name}", if vowel { "an" } else { "a" })
}

/// Writes a path as it is shown, which never fails, as a path in JSON otherwise may.
pub(crate) fn as_text<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&path.display())
}

/// A text on one line, whatever it is made of: what cannot be seen is escaped.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars().map(escaped).collect()
}

fn escaped(c: char) -> String {
    if c.is_control() || is_invisible(c) {
        c.escape_default().to_string()
    } else {
        c.to_string()
    }
}

/// Whether a character shows nothing of itself, and can make what is around it read other than it is:
/// the marks that turn the direction of text, and the byte order mark.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// An enum whose variants have short names, by which people and programs know them.
macro_rules! named {
    (
        $(#[$about:meta])*
        pub enum $type:ident {
            $($(#[$doc:meta])* $variant:ident = $name:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$doc])* $variant,)+
        }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its short name, in lower case with hyphens.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

pub(crate) use named;

named! {
    /// The rules for lexicon files. Those that goat's `lex lint` knows have its names and severities.
    pub enum Rule {
        /// The file is JSON, and every key has the type of the lexicon language.
        SchemaJsonParse = "schema-json-parse",
        /// `id` is an NSID.
        InvalidNsid = "invalid-nsid",
        /// `lexicon` is 1.
        LexiconVersion = "lexicon-version",
        /// The schema follows the rules of the lexicon language.
        LexiconSchema = "lexicon-schema",
        /// Records, methods and permission sets are `main`.
        NonMainPrimary = "non-main-primary",
        /// Two files do not define the same lexicon.
        DuplicateNsid = "duplicate-nsid",
        /// A reference leads to a definition.
        UnresolvedRef = "unresolved-ref",
        /// A `ref` leads to a type of data.
        RefTarget = "ref-target",
        /// A union's variants are distinct objects or records.
        UnionMember = "union-member",
        /// A type does not consist of itself.
        EndlessType = "endless-type",
        /// Records and methods have a description.
        MissingPrimaryDescription = "missing-primary-description",
        /// Definition names are letters and digits.
        DefNameSyntax = "def-name-syntax",
        /// `*.defs` lexicons have no `main`.
        DefsMainDefinition = "defs-main-definition",
        /// Queries and procedures define an output.
        EndpointOutputUndefined = "endpoint-output-undefined",
        /// Subscriptions define messages.
        SubscriptionNoMessages = "subscription-no-messages",
        /// Permission sets have a title.
        PermissionsetNoTitle = "permissionset-no-title",
        /// Permission sets allow something.
        PermissionsetNoPermissions = "permissionset-no-permissions",
        /// Permission sets name what is of their own group of NSIDs, or below it.
        PermissionsetNamespace = "permissionset-namespace",
        /// Permission sets hold permissions of known resources, with known keys.
        PermissionsetUnknownPermission = "permissionset-unknown-permission",
        /// What may be longer than 20 KiB is a blob, not a string.
        LargeString = "large-string",
        /// Strings have a format or a greatest length.
        UnlimitedString = "unlimited-string",
        /// `knownValues` name tokens in full.
        KnownStringLocalRef = "known-string-local-ref",
        /// Byte strings have a greatest length.
        UnlimitedBytes = "unlimited-bytes",
        /// What may be longer than 20 KiB is a blob, not bytes.
        LargeBytes = "large-bytes",
        /// Field names are letters and digits.
        FieldNameSyntax = "field-name-syntax",
        /// A field is not both nullable and optional.
        NullableAndOptional = "nullable-and-optional",
        /// Tokens have a description.
        UndescribedToken = "undescribed-token",
        /// Bodies say what their encoding is.
        UnspecifiedEncoding = "unspecified-encoding",
        /// There are no keys but those of the lexicon language.
        UnexpectedField = "unexpected-field",
        /// The file lies where its NSID says, e.g. `com/example/thing.json`.
        FilePath = "file-path",
    }
}

/// How bad it is to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Allowed, and likely to be regretted.
    Warn,
    /// Not a lexicon, or not one that others can read.
    Error,
}

impl Rule {
    /// The rule of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }

    /// How bad it is to break it.
    pub const fn severity(self) -> Severity {
        match self {
            Self::SchemaJsonParse
            | Self::InvalidNsid
            | Self::LexiconVersion
            | Self::LexiconSchema
            | Self::NonMainPrimary
            | Self::DuplicateNsid
            | Self::UnresolvedRef
            | Self::RefTarget
            | Self::UnionMember
            | Self::EndlessType => Severity::Error,
            _ => Severity::Warn,
        }
    }
}

/// `file: path: [rule] message`, on one line.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", on_one_line(&self.file.to_string_lossy()))?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "[{}] {}", self.rule, on_one_line(&self.message))
    }
}

/// Everything that is wrong with one or several lexicons; not empty where it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

/// One finding a line.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
