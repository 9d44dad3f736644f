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

/// The rules for lexicon files. Those that goat's `lex lint` knows have its names and severities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The file is JSON, and every key has the type of the lexicon language.
    SchemaJsonParse,
    /// `id` is an NSID.
    InvalidNsid,
    /// `lexicon` is 1.
    LexiconVersion,
    /// The schema follows the rules of the lexicon language.
    LexiconSchema,
    /// Records, methods and permission sets are `main`.
    NonMainPrimary,
    /// Two files do not define the same lexicon.
    DuplicateNsid,
    /// A reference leads to a definition.
    UnresolvedRef,
    /// A `ref` leads to a type of data.
    RefTarget,
    /// A union's variants are distinct objects or records.
    UnionMember,
    /// A type does not consist of itself.
    EndlessType,
    /// Records and methods have a description.
    MissingPrimaryDescription,
    /// Definition names are letters and digits.
    DefNameSyntax,
    /// `*.defs` lexicons have no `main`.
    DefsMainDefinition,
    /// Queries and procedures define an output.
    EndpointOutputUndefined,
    /// Subscriptions define messages.
    SubscriptionNoMessages,
    /// Permission sets have a title.
    PermissionsetNoTitle,
    /// Permission sets allow something.
    PermissionsetNoPermissions,
    /// What may be longer than 20 KiB is a blob, not a string.
    LargeString,
    /// Strings have a format or a greatest length.
    UnlimitedString,
    /// `knownValues` name tokens in full.
    KnownStringLocalRef,
    /// Byte strings have a greatest length.
    UnlimitedBytes,
    /// What may be longer than 20 KiB is a blob, not bytes.
    LargeBytes,
    /// Field names are letters and digits.
    FieldNameSyntax,
    /// A field is not both nullable and optional.
    NullableAndOptional,
    /// Tokens have a description.
    UndescribedToken,
    /// Bodies say what their encoding is.
    UnspecifiedEncoding,
    /// There are no keys but those of the lexicon language.
    UnexpectedField,
    /// The file lies where its NSID says, e.g. `com/example/thing.json`.
    FilePath,
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
    /// All of them.
    pub const ALL: [Self; 28] = [
        Self::SchemaJsonParse,
        Self::InvalidNsid,
        Self::LexiconVersion,
        Self::LexiconSchema,
        Self::NonMainPrimary,
        Self::DuplicateNsid,
        Self::UnresolvedRef,
        Self::RefTarget,
        Self::UnionMember,
        Self::EndlessType,
        Self::MissingPrimaryDescription,
        Self::DefNameSyntax,
        Self::DefsMainDefinition,
        Self::EndpointOutputUndefined,
        Self::SubscriptionNoMessages,
        Self::PermissionsetNoTitle,
        Self::PermissionsetNoPermissions,
        Self::LargeString,
        Self::UnlimitedString,
        Self::KnownStringLocalRef,
        Self::UnlimitedBytes,
        Self::LargeBytes,
        Self::FieldNameSyntax,
        Self::NullableAndOptional,
        Self::UndescribedToken,
        Self::UnspecifiedEncoding,
        Self::UnexpectedField,
        Self::FilePath,
    ];

    /// Its short name, e.g. `unlimited-string`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SchemaJsonParse => "schema-json-parse",
            Self::InvalidNsid => "invalid-nsid",
            Self::LexiconVersion => "lexicon-version",
            Self::LexiconSchema => "lexicon-schema",
            Self::NonMainPrimary => "non-main-primary",
            Self::DuplicateNsid => "duplicate-nsid",
            Self::UnresolvedRef => "unresolved-ref",
            Self::RefTarget => "ref-target",
            Self::UnionMember => "union-member",
            Self::EndlessType => "endless-type",
            Self::MissingPrimaryDescription => "missing-primary-description",
            Self::DefNameSyntax => "def-name-syntax",
            Self::DefsMainDefinition => "defs-main-definition",
            Self::EndpointOutputUndefined => "endpoint-output-undefined",
            Self::SubscriptionNoMessages => "subscription-no-messages",
            Self::PermissionsetNoTitle => "permissionset-no-title",
            Self::PermissionsetNoPermissions => "permissionset-no-permissions",
            Self::LargeString => "large-string",
            Self::UnlimitedString => "unlimited-string",
            Self::KnownStringLocalRef => "known-string-local-ref",
            Self::UnlimitedBytes => "unlimited-bytes",
            Self::LargeBytes => "large-bytes",
            Self::FieldNameSyntax => "field-name-syntax",
            Self::NullableAndOptional => "nullable-and-optional",
            Self::UndescribedToken => "undescribed-token",
            Self::UnspecifiedEncoding => "unspecified-encoding",
            Self::UnexpectedField => "unexpected-field",
            Self::FilePath => "file-path",
        }
    }

    /// The rule of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
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
            Self::MissingPrimaryDescription
            | Self::DefNameSyntax
            | Self::DefsMainDefinition
            | Self::EndpointOutputUndefined
            | Self::SubscriptionNoMessages
            | Self::PermissionsetNoTitle
            | Self::PermissionsetNoPermissions
            | Self::LargeString
            | Self::UnlimitedString
            | Self::KnownStringLocalRef
            | Self::UnlimitedBytes
            | Self::LargeBytes
            | Self::FieldNameSyntax
            | Self::NullableAndOptional
            | Self::UndescribedToken
            | Self::UnspecifiedEncoding
            | Self::UnexpectedField
            | Self::FilePath => Severity::Warn,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// `file: path: [rule] message`, on one line.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "[{}] {}", self.rule, self.message)
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
