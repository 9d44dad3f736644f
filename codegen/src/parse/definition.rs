//! Named definitions: records, methods, permission sets, tokens, and types to refer to.

use super::mime;
use super::reader::{Fields, Node, Reader, quote};
use super::schema;
use crate::diagnostic::{Rule, a};
use crate::model::{
    Body, DeclaredError, DefKind, Docs, KeyKind, Message, Params, Permission, PermissionSet,
    Procedure, Query, Record, Resource, Schema, SchemaKind, Subscription,
};
use huddle_syntax::Language;

/// Reads what a definition defines.
pub(super) fn read(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<DefKind> {
    let name = fields.require(reader, "type", Reader::text)?;
    Some(match name.as_str() {
        "record" => DefKind::Record(record(reader, fields)?),
        "query" => DefKind::Query(query(reader, fields)),
        "procedure" => DefKind::Procedure(procedure(reader, fields)),
        "subscription" => DefKind::Subscription(subscription(reader, fields)?),
        "permission-set" => DefKind::PermissionSet(permission_set(reader, fields)?),
        "token" => DefKind::Token,
        "ref" | "union" | "unknown" | "params" | "permission" => {
            let message = format!("{} cannot be a definition, only part of one", a(&name));
            reader.fail(fields.path(), Rule::LexiconSchema, message);
            return None;
        }
        _ => DefKind::Type(Schema {
            path: fields.path().to_owned(),
            docs: Docs::default(),
            kind: schema::read_kind(reader, fields, &name)?,
        }),
    })
}

fn record(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Record> {
    let key = fields.require(reader, "key", key);
    let object = fields.require(reader, "record", schema::read);
    let Schema { path, docs, kind } = object?;
    let SchemaKind::Object(object) = kind else {
        reader.fail(
            &path,
            Rule::LexiconSchema,
            format!("a record is an object, not {}", a(kind.name())),
        );
        return None;
    };
    Some(Record {
        key: key?,
        docs,
        object,
    })
}

fn key(reader: &mut Reader, node: &Node<'_>) -> Option<KeyKind> {
    let text = reader.text(node)?;
    let key = match text.as_str() {
        "tid" => KeyKind::Tid,
        "nsid" => KeyKind::Nsid,
        "any" => KeyKind::Any,
        other => match other.strip_prefix("literal:") {
            Some(literal) if literal.parse::<huddle_syntax::RecordKey>().is_ok() => {
                KeyKind::Literal(literal.to_owned())
            }
            _ => {
                let message = format!(
                    "{} is no kind of key: tid, nsid, any, literal:<key>",
                    quote(other)
                );
                reader.fail(&node.path, Rule::LexiconSchema, message);
                return None;
            }
        },
    };
    Some(key)
}

fn query(reader: &mut Reader, fields: &mut Fields<'_>) -> Query {
    Query {
        parameters: fields.read(reader, "parameters", params),
        output: fields.read(reader, "output", body),
        errors: errors(reader, fields),
    }
}

fn procedure(reader: &mut Reader, fields: &mut Fields<'_>) -> Procedure {
    Procedure {
        parameters: fields.read(reader, "parameters", params),
        input: fields.read(reader, "input", body),
        output: fields.read(reader, "output", body),
        errors: errors(reader, fields),
    }
}

fn subscription(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Subscription> {
    let parameters = fields.read(reader, "parameters", params);
    let message = fields.require(reader, "message", message);
    let errors = errors(reader, fields);
    Some(Subscription {
        parameters,
        message: message?,
        errors,
    })
}

fn message(reader: &mut Reader, node: &Node<'_>) -> Option<Message> {
    let mut fields = reader.fields(node)?;
    let docs = fields.docs(reader);
    let schema = fields.require(reader, "schema", schema::read);
    fields.finish(reader);
    let Schema { path, kind, .. } = schema?;
    let SchemaKind::Union(union) = kind else {
        reader.fail(
            &path,
            Rule::LexiconSchema,
            format!("messages are a union, not {}", a(kind.name())),
        );
        return None;
    };
    Some(Message { docs, union })
}

fn params(reader: &mut Reader, node: &Node<'_>) -> Option<Params> {
    let mut fields = reader.fields(node)?;
    let name = fields.require(reader, "type", Reader::text);
    if let Some(name) = name.filter(|name| name != "params") {
        let message = format!("parameters are of type params, not {}", quote(&name));
        reader.fail(fields.path(), Rule::LexiconSchema, message);
    }
    let docs = fields.docs(reader);
    let properties = schema::properties(reader, &mut fields, parameter);
    fields.finish(reader);
    Some(Params {
        docs,
        properties: properties?,
    })
}

fn parameter(reader: &mut Reader, node: &Node<'_>) -> Option<Schema> {
    let schema = schema::read(reader, node)?;
    let item = match &schema.kind {
        SchemaKind::Array(array) => &array.items,
        _ => &schema,
    };
    if let SchemaKind::Boolean(_) | SchemaKind::Integer(_) | SchemaKind::String(_) = item.kind {
        return Some(schema);
    }
    let message = format!(
        "a parameter is a boolean, an integer, a string, or an array of these, not {}",
        a(item.kind.name())
    );
    reader.fail(&item.path, Rule::LexiconSchema, message);
    None
}

fn body(reader: &mut Reader, node: &Node<'_>) -> Option<Body> {
    let mut fields = reader.fields(node)?;
    let docs = fields.docs(reader);
    // Required by the specification, and only advised by goat (`unspecified-encoding`).
    let encoding = fields
        .read(reader, "encoding", mime::encoding)
        .unwrap_or_default();
    let schema = fields.read(reader, "schema", schema::read);
    let path = fields.path().to_owned();
    fields.finish(reader);
    if let Some(schema) = &schema
        && !matches!(
            schema.kind,
            SchemaKind::Object(_) | SchemaKind::Ref(_) | SchemaKind::Union(_)
        )
    {
        let message = format!(
            "a body is an object, a ref or a union, not {}",
            a(schema.kind.name())
        );
        reader.fail(&schema.path, Rule::LexiconSchema, message);
    }
    if schema.is_some() && !encoding.is_empty() && !mime::is_type(&encoding) {
        let message = format!(
            "a body with a schema is of one type, not {}",
            quote(&encoding)
        );
        let path = format!("{path}.encoding");
        reader.fail(&path, Rule::LexiconSchema, message);
    }
    Some(Body {
        path,
        docs,
        encoding,
        schema,
    })
}

fn errors(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<DeclaredError> {
    fields
        .read(reader, "errors", |r, node| r.list(node, error))
        .unwrap_or_default()
}

fn error(reader: &mut Reader, node: &Node<'_>) -> Option<DeclaredError> {
    let mut fields = reader.fields(node)?;
    let name = fields.require(reader, "name", |reader, node| {
        let name = reader.text(node)?;
        if name.is_empty() || name.contains(char::is_whitespace) {
            let message = "the name of an error is not empty and has no whitespace";
            reader.fail(&node.path, Rule::LexiconSchema, message);
        }
        Some(name)
    });
    let docs = fields.docs(reader);
    fields.finish(reader);
    Some(DeclaredError { name: name?, docs })
}

fn permission_set(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<PermissionSet> {
    Some(PermissionSet {
        title: fields.read(reader, "title", Reader::text),
        title_lang: fields
            .read(reader, "title:lang", by_language)
            .unwrap_or_default(),
        detail: fields.read(reader, "detail", Reader::text),
        detail_lang: fields
            .read(reader, "detail:lang", by_language)
            .unwrap_or_default(),
        permissions: fields.require(reader, "permissions", |r, node| r.list(node, permission))?,
    })
}

fn by_language(reader: &mut Reader, node: &Node<'_>) -> Option<Vec<(String, String)>> {
    let entries = reader.entries(node)?;
    let texts: Vec<_> = entries
        .into_iter()
        .map(|(tag, node)| {
            if let Err(error) = tag.parse::<Language>() {
                reader.fail(&node.path, Rule::LexiconSchema, error.to_string());
            }
            Some((tag.to_owned(), reader.text(&node)?))
        })
        .collect();
    texts.into_iter().collect()
}

fn permission(reader: &mut Reader, node: &Node<'_>) -> Option<Permission> {
    let mut fields = reader.fields(node)?;
    let name = fields.require(reader, "type", Reader::text);
    if let Some(name) = name.filter(|name| name != "permission") {
        let message = format!("a permission is of type permission, not {}", quote(&name));
        reader.fail(fields.path(), Rule::LexiconSchema, message);
    }
    fields.docs(reader);
    let resource = fields.require(reader, "resource", Reader::text);
    let path = fields.path().to_owned();
    let known = resource.and_then(|name| resource_of(reader, &mut fields, name));
    fields.finish(reader);
    Some(Permission {
        path,
        resource: known?,
    })
}

fn resource_of(reader: &mut Reader, fields: &mut Fields<'_>, name: String) -> Option<Resource> {
    let resource = match name.as_str() {
        "repo" => Resource::Repo {
            collections: fields.require(reader, "collection", Reader::texts)?,
            actions: fields
                .read(reader, "action", Reader::texts)
                .unwrap_or_default(),
        },
        "rpc" => Resource::Rpc {
            methods: fields.require(reader, "lxm", Reader::texts)?,
            audience: fields.read(reader, "aud", Reader::text),
            inherit_audience: fields
                .read(reader, "inheritAud", Reader::boolean)
                .unwrap_or(false),
        },
        _ => return Some(Resource::Unsupported { resource: name }),
    };
    let understood = fields.unasked().all(|key| key == "deprecated");
    Some(if understood {
        resource
    } else {
        Resource::Unsupported { resource: name }
    })
}
