//! What a permission set cannot ask for, <https://atproto.com/specs/permission#permission-sets>.

use crate::diagnostic::Rule;
use crate::model::{Permission, Resource};
use huddle_syntax::Nsid;

/// Why authorisation servers ignore a permission of the set called `set`; they heed it if there is
/// nothing.
pub(crate) fn problems(set: &Nsid, permission: &Permission) -> Vec<(Rule, String)> {
    let mut problems = Vec::new();
    let mut wrong = |message: String| problems.push((Rule::LexiconSchema, message));
    match &permission.resource {
        Resource::Repo {
            collections,
            actions,
        } => {
            for action in actions {
                if !matches!(action.as_str(), "create" | "update" | "delete") {
                    wrong(format!("{action:?} is none of create, update, delete"));
                }
            }
            names(set, "collection", collections, &mut problems);
        }
        Resource::Rpc {
            methods,
            audience,
            inherit_audience,
        } => {
            match (audience.as_deref(), inherit_audience) {
                (None, true) | (Some("*"), false) => {}
                (Some("*") | None, _) => {
                    wrong("either `aud` is `*`, or `inheritAud` is true".to_owned());
                }
                (Some(service), _) => wrong(format!(
                    "a set is for no service in particular, but `aud` is {service:?}"
                )),
            }
            names(set, "lxm", methods, &mut problems);
        }
        Resource::Unsupported { resource } => problems.push(unsupported(resource)),
    }
    problems
}

/// A list of NSIDs that is not empty, all of them of the set's own group or below it.
fn names(set: &Nsid, key: &str, names: &[String], problems: &mut Vec<(Rule, String)>) {
    if names.is_empty() {
        problems.push((Rule::LexiconSchema, format!("`{key}` names nothing")));
    }
    let group = set.as_str().trim_end_matches(set.name());
    for name in names {
        problems.extend(match name.parse::<Nsid>() {
            Ok(_) if name.starts_with(group) => None,
            Ok(_) => Some((
                Rule::PermissionsetNamespace,
                format!("`{key}` has {name}, but a set can only give what is below {group}*"),
            )),
            Err(_) if name == "*" => Some((
                Rule::LexiconSchema,
                format!("a set says each `{key}` by name, and cannot have them all"),
            )),
            Err(error) => Some((
                Rule::LexiconSchema,
                format!("`{key}` has {name:?}: {error}"),
            )),
        });
    }
}

fn unsupported(resource: &str) -> (Rule, String) {
    match resource {
        "account" | "blob" | "identity" | "include" => (
            Rule::LexiconSchema,
            format!("no set can hold {resource:?}; apps ask for it by a scope of its own"),
        ),
        _ => (
            Rule::PermissionsetUnknownPermission,
            format!(
                "a permission for {resource:?} with these keys is ignored; sets know `repo` and `rpc`"
            ),
        ),
    }
}
