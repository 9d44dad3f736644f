//! What a permission set cannot ask for, <https://atproto.com/specs/permission>.

use crate::model::{Permission, Resource};
use huddle_syntax::Nsid;

/// Why authorisation servers will ignore a permission.
pub(super) fn problems(permission: &Permission) -> Vec<String> {
    let mut problems = Vec::new();
    match &permission.resource {
        Resource::Repo {
            collections,
            actions,
        } => {
            names("collection", collections, &mut problems);
            if collections.iter().any(|name| name == "*") {
                problems.push("a set names its collections, and cannot have them all".to_owned());
            }
            for action in actions {
                if !matches!(action.as_str(), "create" | "update" | "delete") {
                    problems.push(format!("{action:?} is none of create, update, delete"));
                }
            }
        }
        Resource::Rpc {
            methods,
            audience,
            inherit_audience,
        } => {
            names("lxm", methods, &mut problems);
            match (audience.as_deref(), inherit_audience) {
                (None, true) => {}
                (Some("*"), false) => {
                    if methods.iter().any(|name| name == "*") {
                        problems.push("`lxm` and `aud` cannot both be `*`".to_owned());
                    }
                }
                (Some("*") | None, _) => {
                    problems.push("either `aud` is `*`, or `inheritAud` is true".to_owned());
                }
                (Some(service), _) => {
                    problems.push(format!(
                        "a set is for no service in particular, but `aud` is {service:?}"
                    ));
                }
            }
        }
        Resource::Unsupported { resource } => {
            problems.push(format!(
                "a permission for {resource:?} with these keys is ignored; sets know `repo` and `rpc`"
            ));
        }
    }
    problems
}

/// A list of NSIDs, or `*`, that is not empty.
fn names(key: &str, names: &[String], problems: &mut Vec<String>) {
    if names.is_empty() {
        problems.push(format!("`{key}` names nothing"));
    }
    for name in names.iter().filter(|name| *name != "*") {
        if let Err(error) = name.parse::<Nsid>() {
            problems.push(format!("`{key}` has {name:?}: {error}"));
        }
    }
}
