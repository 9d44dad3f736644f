//! Checks a value of the data model against a schema, without any generated code.
//!
//! Unlike generated code, which stops at the first constraint that a value breaks, this finds all of
//! them; both say the same of the same value.

use crate::diagnostic::a;
use crate::model::{
    ArraySchema, BlobSchema, BytesSchema, Catalog, DefId, DefKind, Format, IntegerSchema,
    ObjectSchema, Params, Property, Schema, SchemaKind, StringSchema, UnionSchema,
};
use huddle_syntax::schema::{Invalid, Problem, Unit, check};
use huddle_syntax::{
    AtIdentifier, AtUri, Cid, Datetime, Did, Handle, Language, Nsid, RecordKey, Tid, Uri,
};
use huddle_syntax::{Blob, SyntaxError, Value};
use serde::Deserialize as _;
use std::fmt;

/// A constraint that a value breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The steps from the root to the value, e.g. `constraints/days/0`; empty for the root. What is
    /// missing is named as if it were there.
    pub path: String,
    /// The constraint.
    pub constraint: Constraint,
    /// What is wrong, in words.
    pub message: String,
}

/// The kinds of constraints that a schema puts on a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Constraint {
    /// The `type`; `null` is of none, except for a nullable field.
    Type,
    /// The `$type` of a record, or of a member of a union.
    Tag,
    /// `required`
    Required,
    /// `format`
    Format,
    /// `minLength`: of a string or bytes in bytes, of an array in items.
    MinLength,
    /// `maxLength`: of a string or bytes in bytes, of an array in items.
    MaxLength,
    /// `minGraphemes`
    MinGraphemes,
    /// `maxGraphemes`
    MaxGraphemes,
    /// `minimum`
    Minimum,
    /// `maximum`
    Maximum,
    /// `enum`
    Enum,
    /// `const`
    Const,
    /// `accept`
    Accept,
    /// `maxSize`
    MaxSize,
    /// The schema refers to a definition that the catalog does not have.
    Unresolved,
}

impl Constraint {
    /// Whether generated code reports a broken constraint of this kind as `problem`.
    pub const fn is_reported_as(self, problem: &Problem) -> bool {
        match self {
            Self::Type | Self::Format | Self::Unresolved => {
                matches!(problem, Problem::Malformed(_))
            }
            Self::Tag => matches!(
                problem,
                Problem::Malformed(_) | Problem::Missing | Problem::NotAllowed { .. }
            ),
            Self::Required => matches!(problem, Problem::Missing),
            Self::MinLength => {
                matches!(
                    problem,
                    Problem::TooShort {
                        unit: Unit::Bytes | Unit::Items,
                        ..
                    }
                )
            }
            Self::MaxLength => {
                matches!(
                    problem,
                    Problem::TooLong {
                        unit: Unit::Bytes | Unit::Items,
                        ..
                    }
                )
            }
            Self::MinGraphemes => {
                matches!(
                    problem,
                    Problem::TooShort {
                        unit: Unit::Graphemes,
                        ..
                    }
                )
            }
            Self::MaxGraphemes => matches!(
                problem,
                Problem::TooLong {
                    unit: Unit::Graphemes,
                    ..
                }
            ),
            Self::Minimum => matches!(problem, Problem::TooSmall { .. }),
            Self::Maximum => matches!(problem, Problem::TooLarge { .. }),
            Self::Enum | Self::Const => matches!(problem, Problem::NotAllowed { .. }),
            Self::Accept => matches!(problem, Problem::MimeType { .. }),
            Self::MaxSize => matches!(problem, Problem::BlobSize { .. }),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// What a value is checked against.
#[derive(Clone, Copy, Debug)]
pub enum Against<'a> {
    /// A named definition: a record, or a type.
    Definition(&'a DefId),
    /// A schema at any place, e.g. that of a body.
    Schema(&'a Schema),
    /// A union at any place, e.g. that of a subscription's messages.
    Union(&'a UnionSchema),
    /// The parameters of a method, as a map.
    Params(&'a Params),
}

/// Everything that is wrong with a value; empty if nothing is. A value can have the same path in
/// several violations: a string may be both too short and no datetime.
pub fn violations(catalog: &Catalog, against: Against<'_>, value: &Value) -> Vec<Violation> {
    let mut validation = Validation {
        catalog,
        path: Vec::new(),
        violations: Vec::new(),
    };
    match against {
        Against::Definition(id) => validation.definition(id, value),
        Against::Schema(schema) => validation.schema(schema, value),
        Against::Union(union) => validation.union(union, value),
        Against::Params(params) => validation.params(params, value),
    }
    validation.violations
}

/// Whether a text has the syntax of a format.
pub fn format(format: Format, text: &str) -> Result<(), SyntaxError> {
    fn parses<'a, T: TryFrom<&'a str, Error = SyntaxError>>(
        text: &'a str,
    ) -> Result<(), SyntaxError> {
        T::try_from(text).map(drop)
    }
    match format {
        Format::AtIdentifier => parses::<AtIdentifier>(text),
        Format::AtUri => parses::<AtUri>(text),
        Format::Cid => text.parse::<Cid>().map(drop),
        Format::Datetime => parses::<Datetime>(text),
        Format::Did => parses::<Did>(text),
        Format::Handle => parses::<Handle>(text),
        Format::Language => parses::<Language>(text),
        Format::Nsid => parses::<Nsid>(text),
        Format::RecordKey => parses::<RecordKey>(text),
        Format::Tid => parses::<Tid>(text),
        Format::Uri => parses::<Uri>(text),
    }
}

/// The constraints that an integer breaks.
pub(crate) fn integer(schema: &IntegerSchema, value: i64) -> Vec<(Constraint, String)> {
    let mut broken = Broken(integer_range(schema, value));
    broken.check(Constraint::Enum, schema.values.as_deref(), |all| {
        check::one_of(&value, all)
    });
    broken.check(Constraint::Const, schema.constant, |only| {
        check::one_of(&value, &[only])
    });
    broken.0
}

/// The constraints that an integer breaks, leaving aside those that list what is allowed.
pub(crate) fn integer_range(schema: &IntegerSchema, value: i64) -> Vec<(Constraint, String)> {
    let mut broken = Broken::default();
    broken.check(Constraint::Minimum, schema.minimum, |least| {
        check::minimum(value, least)
    });
    broken.check(Constraint::Maximum, schema.maximum, |most| {
        check::maximum(value, most)
    });
    broken.0
}

/// The constraints that a string breaks.
pub(crate) fn string(schema: &StringSchema, text: &str) -> Vec<(Constraint, String)> {
    let mut broken = Broken(string_form(schema, text));
    broken.check(Constraint::Enum, schema.values.as_deref(), |all| {
        one_of(text, all)
    });
    broken.check(Constraint::Const, schema.constant.as_ref(), |only| {
        one_of(text, std::slice::from_ref(only))
    });
    broken.0
}

/// The constraints that a string breaks, leaving aside those that list what is allowed.
pub(crate) fn string_form(schema: &StringSchema, text: &str) -> Vec<(Constraint, String)> {
    let mut broken = Broken::default();
    broken.check(Constraint::MinLength, schema.min_length, |n| {
        check::min_bytes(text, n)
    });
    broken.check(Constraint::MaxLength, schema.max_length, |n| {
        check::max_bytes(text, n)
    });
    broken.check(Constraint::MinGraphemes, schema.min_graphemes, |n| {
        check::min_graphemes(text, n)
    });
    broken.check(Constraint::MaxGraphemes, schema.max_graphemes, |n| {
        check::max_graphemes(text, n)
    });
    if let Some(Err(error)) = schema.format.map(|name| format(name, text)) {
        broken.0.push((Constraint::Format, error.to_string()));
    }
    broken.0
}

fn one_of(text: &str, allowed: &[String]) -> Result<(), Invalid> {
    let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
    check::one_of(&text, &allowed)
}

/// The constraints that a value was found to break.
#[derive(Default)]
struct Broken(Vec<(Constraint, String)>);

impl Broken {
    fn check<T>(
        &mut self,
        constraint: Constraint,
        bound: Option<T>,
        check: impl FnOnce(T) -> Result<(), Invalid>,
    ) {
        if let Some(Err(invalid)) = bound.map(check) {
            self.0.push((constraint, invalid.problem().to_string()));
        }
    }
}

struct Validation<'a> {
    catalog: &'a Catalog,
    path: Vec<String>,
    violations: Vec<Violation>,
}

/// Each step down the schema, except from a `ref` to what it names, is a step down the value: the
/// recursion ends with the value, however the schema turns in circles.
impl Validation<'_> {
    fn refuse(&mut self, constraint: Constraint, message: impl Into<String>) {
        self.violations.push(Violation {
            path: self.path.join("/"),
            constraint,
            message: message.into(),
        });
    }

    fn refuse_type(&mut self, expected: &str) {
        self.refuse(Constraint::Type, format!("expected {expected}"));
    }

    fn refuse_all(&mut self, broken: Vec<(Constraint, String)>) {
        for (constraint, message) in broken {
            self.refuse(constraint, message);
        }
    }

    fn at(&mut self, step: impl Into<String>, check: impl FnOnce(&mut Self)) {
        self.path.push(step.into());
        check(self);
        self.path.pop();
    }

    fn definition(&mut self, id: &DefId, value: &Value) {
        match self
            .catalog
            .definition(id)
            .map(|definition| &definition.kind)
        {
            Some(DefKind::Record(record)) => self.record(id, &record.object, value),
            Some(DefKind::Type(Schema {
                kind: SchemaKind::Object(object),
                ..
            })) => {
                self.named(id, object, value);
            }
            Some(DefKind::Type(schema)) => self.schema(schema, value),
            Some(other) => {
                let message = format!("{id} is {}, which no value is of", a(other.name()));
                self.refuse(Constraint::Unresolved, message);
            }
            None => self.refuse(
                Constraint::Unresolved,
                format!("{id} is not in the catalog"),
            ),
        }
    }

    fn schema(&mut self, schema: &Schema, value: &Value) {
        match &schema.kind {
            SchemaKind::Boolean(boolean) => {
                let Value::Bool(value) = value else {
                    return self.refuse_type("a boolean");
                };
                let constant = boolean.constant.as_slice();
                if let Some(Err(invalid)) = boolean.constant.map(|_| check::one_of(value, constant))
                {
                    self.refuse(Constraint::Const, invalid.problem().to_string());
                }
            }
            SchemaKind::Integer(schema) => {
                let Value::Integer(value) = value else {
                    return self.refuse_type("an integer");
                };
                self.refuse_all(integer(schema, *value));
            }
            SchemaKind::String(schema) => {
                let Value::String(text) = value else {
                    return self.refuse_type("a string");
                };
                self.refuse_all(string(schema, text));
            }
            SchemaKind::Bytes(schema) => self.bytes(schema, value),
            SchemaKind::CidLink => {
                if !matches!(value, Value::Link(_)) {
                    self.refuse_type("a link");
                }
            }
            SchemaKind::Blob(schema) => self.blob(schema, value),
            SchemaKind::Array(schema) => self.array(schema, value),
            SchemaKind::Object(object) => self.object(object, value),
            SchemaKind::Ref(reference) => self.definition(&reference.target, value),
            SchemaKind::Union(union) => self.union(union, value),
            SchemaKind::Unknown => {
                if !matches!(value, Value::Map(_)) || is_blob(value) {
                    self.refuse_type("an object");
                }
            }
        }
    }

    fn bytes(&mut self, schema: &BytesSchema, value: &Value) {
        let Value::Bytes(bytes) = value else {
            return self.refuse_type("bytes");
        };
        let mut broken = Broken::default();
        broken.check(Constraint::MinLength, schema.min_length, |n| {
            check::min_size(bytes, n)
        });
        broken.check(Constraint::MaxLength, schema.max_length, |n| {
            check::max_size(bytes, n)
        });
        self.refuse_all(broken.0);
    }

    fn blob(&mut self, schema: &BlobSchema, value: &Value) {
        let Ok(blob) = Blob::deserialize(value.clone()) else {
            return self.refuse_type("a blob");
        };
        let accept: Vec<&str> = schema.accept.iter().map(String::as_str).collect();
        let mut broken = Broken::default();
        let restricted = (!accept.is_empty()).then_some(&accept);
        broken.check(Constraint::Accept, restricted, |accept| {
            check::accept(&blob, accept)
        });
        broken.check(Constraint::MaxSize, schema.max_size, |n| {
            check::max_blob(&blob, n)
        });
        self.refuse_all(broken.0);
    }

    fn array(&mut self, schema: &ArraySchema, value: &Value) {
        let Value::List(items) = value else {
            return self.refuse_type("an array");
        };
        let mut broken = Broken::default();
        broken.check(Constraint::MinLength, schema.min_length, |n| {
            check::min_items(items, n)
        });
        broken.check(Constraint::MaxLength, schema.max_length, |n| {
            check::max_items(items, n)
        });
        self.refuse_all(broken.0);
        for (index, item) in items.iter().enumerate() {
            self.at(index.to_string(), |validation| {
                validation.schema(&schema.items, item);
            });
        }
    }

    /// The object of a record: its `$type` is the name of its collection, and nothing else.
    fn record(&mut self, id: &DefId, object: &ObjectSchema, value: &Value) {
        if let Value::Map(map) = value
            && !matches!(map.get("$type"), Some(Value::String(tag)) if id.nsid() == tag.as_str())
        {
            self.at("$type", |v| {
                v.refuse(Constraint::Tag, format!("must be {id}"));
            });
        }
        self.object(object, value);
    }

    /// An object whose `$type`, if there is one, must say what it is.
    fn named(&mut self, id: &DefId, object: &ObjectSchema, value: &Value) {
        if let Value::Map(map) = value
            && let Some(tag) = map.get("$type")
            && !names(tag, id)
        {
            self.at("$type", |v| {
                v.refuse(Constraint::Tag, format!("must be {id}"));
            });
        }
        self.object(object, value);
    }

    fn object(&mut self, object: &ObjectSchema, value: &Value) {
        self.properties(&object.properties, value);
    }

    fn params(&mut self, params: &Params, value: &Value) {
        self.properties(&params.properties, value);
    }

    fn properties(&mut self, properties: &[Property], value: &Value) {
        let Value::Map(map) = value else {
            return self.refuse_type("an object");
        };
        for Property {
            name,
            required,
            nullable,
            schema,
        } in properties
        {
            match map.get(name) {
                Some(Value::Null) if *nullable => {}
                Some(value) => self.at(name, |validation| validation.schema(schema, value)),
                None if *required => {
                    self.at(name, |v| {
                        v.refuse(Constraint::Required, "required, but missing");
                    });
                }
                None => {}
            }
        }
    }

    fn union(&mut self, union: &UnionSchema, value: &Value) {
        let Value::Map(map) = value else {
            return self.refuse_type("an object with a $type");
        };
        let Some(tag @ Value::String(_)) = map.get("$type") else {
            return self.at("$type", |v| {
                v.refuse(Constraint::Tag, "required, but missing");
            });
        };
        let variant = union
            .refs
            .iter()
            .find(|variant| names(tag, &variant.target));
        match variant {
            Some(variant) => self.definition(&variant.target, value),
            None if union.closed => {
                let variants: Vec<_> = union.refs.iter().map(|r| r.target.to_string()).collect();
                let message = format!("must be one of {}", variants.join(", "));
                self.at("$type", |v| v.refuse(Constraint::Tag, message));
            }
            // A member that is not named here may be of any schema, or of none that is known.
            None => {}
        }
    }
}

/// Whether a `$type` stands for a definition. A `main` is named by the NSID alone, but readers
/// of non-records have always let `#main` pass.
fn names(tag: &Value, id: &DefId) -> bool {
    let Value::String(tag) = tag else {
        return false;
    };
    let plain = tag.strip_suffix("#main").unwrap_or(tag);
    let (nsid, name) = plain.split_once('#').unwrap_or((plain, "main"));
    id.nsid() == nsid && id.name() == name
}

fn is_blob(value: &Value) -> bool {
    let Value::Map(map) = value else { return false };
    matches!(map.get("$type"), Some(Value::String(tag)) if tag == "blob")
}

#[cfg(test)]
mod tests;
