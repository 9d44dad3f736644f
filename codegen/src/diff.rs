//! What a new version of a lexicon breaks for those who know the old one.
//!
//! Lexicons evolve under one law: what the old one allowed stays allowed, and what the new one allows
//! was allowed before (<https://atproto.com/specs/lexicon#lexicon-evolution>). So every constraint is
//! compared in both directions. Unknown fields, unknown members of open unions and unknown errors are
//! nothing new to a reader, so that adding those breaks nobody.

mod definition;
mod effect;
mod same;
mod schema;

pub use self::effect::{Direction, Effect, Side};

use crate::diagnostic::{as_text, named, on_one_line};
use crate::model::{Catalog, Document};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// A difference that somebody may break on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The new file; the old one, where it is gone.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The JSON path of what changed, e.g. `defs.main.output.schema.properties.note`.
    pub path: String,
    /// The rule that it breaks.
    pub rule: Change,
    /// Which law it breaks.
    pub direction: Direction,
    /// Whose data it is.
    pub side: Side,
    /// Whether somebody breaks, or may only wish to know.
    pub impact: Impact,
    /// What it was.
    pub old: String,
    /// What it is.
    pub new: String,
}

/// How bad a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Nobody breaks who updates in the usual order, servers before clients.
    Notice,
    /// Somebody breaks.
    Breaking,
}

named! {
    /// The kinds of differences. Those that goat's `lex breaking` knows have its names.
    pub enum Change {
        /// A definition or field is of another type.
        TypeChange = "type-change",
        /// A record's keys are of another kind.
        RecordKeyType = "record-key-type",
        /// A body has another encoding.
        BodyEncoding = "body-encoding",
        /// A `const` is another.
        ConstValue = "const-value",
        /// An `enum` has other values.
        EnumValues = "enum-values",
        /// An integer's bounds moved.
        IntegerRange = "integer-range",
        /// A string's bounds moved.
        StringLength = "string-length",
        /// A string has another format.
        StringFormat = "string-format",
        /// A byte string's bounds moved.
        BytesLength = "bytes-length",
        /// An array's bounds moved.
        ArrayLength = "array-length",
        /// Other fields are required.
        ObjectRequired = "object-required",
        /// Other fields may be null.
        ObjectNullable = "object-nullable",
        /// A blob may be of other types.
        BlobAccept = "blob-accept",
        /// A blob's bound moved.
        BlobSize = "blob-size",
        /// Other parameters are required.
        ParamsRequired = "params-required",
        /// A reference leads elsewhere.
        RefChange = "ref-change",
        /// A union was closed or opened.
        UnionOpenClosed = "union-open-closed",
        /// A closed union has other variants.
        UnionClosedRefs = "union-closed-refs",
        /// An open union lost variants.
        UnionOpenRefs = "union-open-refs",
        /// A subscription lost message types.
        MessageRefs = "message-refs",
        /// A parameter is gone: who sends it is no longer heard.
        ParamsRemoved = "params-removed",
        /// A body is there that was not, or the other way round.
        BodyPresence = "body-presence",
        /// A body has a schema that had none, or the other way round.
        BodySchema = "body-schema",
        /// A method declares other errors.
        ErrorNames = "error-names",
        /// A permission set allows something else.
        Permissions = "permissions",
        /// A definition is gone.
        DefinitionRemoved = "definition-removed",
        /// A lexicon is gone.
        LexiconRemoved = "lexicon-removed",
    }
}

/// `file: path: [rule] who: old → new`, on one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", on_one_line(&self.file.to_string_lossy()))?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        let verb = match self.impact {
            Impact::Breaking => "breaks",
            Impact::Notice => "note for",
        };
        let who = self.side.whom(self.direction);
        write!(
            f,
            "[{}] {verb} {who}: {} → {}",
            self.rule,
            on_one_line(&self.old),
            on_one_line(&self.new)
        )
    }
}

/// Compares two sets of lexicons, in the order of names and of the old files; lexicons and definitions
/// that are only in the new one break nobody.
pub fn diff(old: &Catalog, new: &Catalog) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in old.documents() {
        if let Some(successor) = new.get(&document.id) {
            documents(old, new, document, successor, &mut findings);
        } else {
            let main = document.definition("main");
            let side = main.map_or(Side::Shared, |main| Side::of(&main.kind));
            let rule = Change::LexiconRemoved;
            findings.push(removed(rule, &document.file, "", side, &document.id));
        }
    }
    findings
}

fn documents(
    old_catalog: &Catalog,
    new_catalog: &Catalog,
    old: &Document,
    new: &Document,
    findings: &mut Vec<Finding>,
) {
    for definition in &old.defs {
        let id = old.def_id(definition);
        if let Some(successor) = new_catalog.definition(&id) {
            let mut comparison = Comparison {
                old: old_catalog,
                new: new_catalog,
                side: Side::Shared,
                file: &new.file,
                findings,
            };
            comparison.definition(definition, successor);
        } else {
            let (path, side) = (&definition.path, Side::of(&definition.kind));
            findings.push(removed(
                Change::DefinitionRemoved,
                &new.file,
                path,
                side,
                &id,
            ));
        }
    }
}

fn removed(rule: Change, file: &Path, path: &str, side: Side, name: &impl fmt::Display) -> Finding {
    Finding {
        file: file.to_owned(),
        path: path.to_owned(),
        rule,
        direction: Direction::Backward,
        side,
        impact: Impact::Breaking,
        old: name.to_string(),
        new: "nothing".to_owned(),
    }
}

/// Two versions side by side, at some place in them.
struct Comparison<'a> {
    old: &'a Catalog,
    new: &'a Catalog,
    /// Whose data is being compared.
    side: Side,
    file: &'a Path,
    findings: &'a mut Vec<Finding>,
}

impl Comparison<'_> {
    /// Reports a difference, once for each direction in which it has an effect.
    fn report(
        &mut self,
        rule: Change,
        path: &str,
        effect: Effect,
        old: impl fmt::Display,
        new: impl fmt::Display,
    ) {
        for direction in effect.directions() {
            self.push(
                rule,
                path,
                direction,
                self.side.impact(direction),
                &old,
                &new,
            );
        }
    }

    /// Reports a difference that is worth knowing, whosever data it is.
    fn note(
        &mut self,
        rule: Change,
        path: &str,
        effect: Effect,
        old: impl fmt::Display,
        new: impl fmt::Display,
    ) {
        for direction in effect.directions() {
            self.push(rule, path, direction, Impact::Notice, &old, &new);
        }
    }

    fn push(
        &mut self,
        rule: Change,
        path: &str,
        direction: Direction,
        impact: Impact,
        old: &impl fmt::Display,
        new: &impl fmt::Display,
    ) {
        self.findings.push(Finding {
            file: self.file.to_owned(),
            path: path.to_owned(),
            rule,
            direction,
            side: self.side,
            impact,
            old: old.to_string(),
            new: new.to_string(),
        });
    }
}

#[cfg(test)]
mod tests;
