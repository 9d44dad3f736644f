//! Permission sets: what an app asks of a person's account, and the OAuth scopes that ask for it,
//! <https://atproto.com/specs/permission>.

use crate::Did;
use std::fmt::{self, Display, Write as _};

/// A lexicon `permission-set`, asked for by one readable scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermissionSet {
    /// The name that `include:` scopes refer to.
    pub nsid: &'static str,
    /// What a consent page calls it.
    pub title: &'static str,
    /// The title by language tag, in other languages.
    pub title_lang: &'static [(&'static str, &'static str)],
    /// What a consent page says of it.
    pub detail: &'static str,
    /// The detail by language tag, in other languages.
    pub detail_lang: &'static [(&'static str, &'static str)],
    /// What it allows.
    pub permissions: &'static [Permission],
}

/// One permission of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Writing records of the person's repository.
    Repo {
        /// Names of collections.
        collections: &'static [&'static str],
        /// `create`, `update`, `delete`; empty means all of them.
        actions: &'static [&'static str],
    },
    /// Calling methods of a service in the person's name.
    Rpc {
        /// Names of methods.
        methods: &'static [&'static str],
        /// Which service.
        audience: Audience,
    },
    /// Something that the lexicon lists and that authorisation servers ignore: a resource that no set can
    /// hold (`blob`, `account`, `identity`), one that is not known, or one with keys that are not. An app
    /// that needs it asks for it by a scope of its own.
    Ignored {
        /// The name of the resource.
        resource: &'static str,
    },
}

/// The service that an `rpc` permission is for: servers ignore a permission of a set that names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The one that the `include:` scope names.
    Inherited,
    /// Any service.
    Any,
}

/// The scope that every authorisation request of the AT Protocol has.
const ATPROTO: &str = "atproto";

impl PermissionSet {
    /// The scope that asks for the whole set; `service` is the DID and service id that inherited
    /// audiences stand for, e.g. `did:web:huddle.example` and `huddle_appview`. Without it, a set that
    /// [inherits its audience](Self::inherits_audience) does not let an app call anything.
    pub fn scope(&self, service: Option<(&Did, &str)>) -> String {
        let mut scope = format!("include:{}", self.nsid);
        if let Some((did, id)) = service {
            let _ = write!(scope, "?aud={}", Encoded(&format!("{did}#{id}")));
        }
        scope
    }

    /// The `scope` of an app's OAuth client metadata, and of its authorisation requests: what every app
    /// asks for, this set, and `more`: scopes of other sets, and of what no set can hold, e.g.
    /// `blob:image/*`. Each is there once.
    pub fn client_scope(&self, service: Option<(&Did, &str)>, more: &[&str]) -> String {
        let set = self.scope(service);
        let mut scopes = vec![ATPROTO];
        for scope in [&*set].into_iter().chain(more.iter().copied()) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes.join(" ")
    }

    /// The scopes that ask for each permission by itself, for servers that do not know permission sets:
    /// none for those that servers ignore, and without a `service` none for those that inherit it.
    pub fn scopes(&self, service: Option<(&Did, &str)>) -> Vec<String> {
        let inherited = service.map(|(did, id)| format!("{did}#{id}"));
        self.permissions
            .iter()
            .filter_map(|p| p.scope(inherited.as_deref()))
            .collect()
    }

    /// Whether some of it is for the service that the scope names.
    pub fn inherits_audience(&self) -> bool {
        self.permissions.iter().any(|permission| {
            matches!(
                permission,
                Permission::Rpc {
                    audience: Audience::Inherited,
                    ..
                }
            )
        })
    }
}

impl Permission {
    /// The scope of this permission; `None` where it is ignored, or inherits an audience and there is
    /// none.
    fn scope(&self, inherited: Option<&str>) -> Option<String> {
        let (resource, key, names, more) = match self {
            Self::Repo {
                collections,
                actions,
            } => {
                let actions: Vec<_> = actions.iter().map(|a| ("action", *a)).collect();
                ("repo", "collection", collections, actions)
            }
            Self::Rpc { methods, audience } => {
                let audience = match audience {
                    Audience::Inherited => inherited?,
                    Audience::Any => "*",
                };
                ("rpc", "lxm", methods, vec![("aud", audience)])
            }
            Self::Ignored { .. } => return None,
        };
        // A single name stands after the colon, several are parameters.
        let (mut scope, names) = match names {
            [name] => (format!("{resource}:{}", Encoded(name)), &[][..]),
            names => (resource.to_owned(), *names),
        };
        let pairs = names.iter().map(|name| (key, *name)).chain(more);
        for (index, (key, value)) in pairs.enumerate() {
            let _ = write!(
                scope,
                "{}{key}={}",
                if index == 0 { '?' } else { '&' },
                Encoded(value)
            );
        }
        Some(scope)
    }
}

/// A value of a scope's parameter: percent-encoded except for what the scope syntax leaves as it is.
struct Encoded<'a>(&'a str);

impl Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b':'
            | b'/'
            | b'*'
            | b'@'
            | b'+'
            | b',' => f.write_char(char::from(byte)),
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn set(permissions: &'static [Permission]) -> PermissionSet {
        PermissionSet {
            nsid: "com.example.authFull",
            title: "",
            title_lang: &[],
            detail: "",
            detail_lang: &[],
            permissions,
        }
    }

    const INHERITS: Permission = Permission::Rpc {
        methods: &["com.example.find"],
        audience: Audience::Inherited,
    };
    const IGNORED: Permission = Permission::Ignored { resource: "blob" };

    #[test]
    fn client_metadata_asks_for_the_set_and_for_more_each_once() {
        let did: Did = "did:web:a.example".parse().expect("a DID");
        let set = set(&[INHERITS]);
        let asked = "atproto include:com.example.authFull?aud=did:web:a.example%23b";
        assert_eq!(set.client_scope(Some((&did, "b")), &[]), asked);
        assert_eq!(
            set.client_scope(
                Some((&did, "b")),
                &["blob:image/*", "atproto", "blob:image/*"]
            ),
            format!("{asked} blob:image/*")
        );
        assert_eq!(
            set.client_scope(None, &[]),
            "atproto include:com.example.authFull"
        );
    }

    #[test]
    fn what_servers_ignore_is_listed_and_not_asked_for() {
        let set = set(&[IGNORED]);
        assert_eq!(set.permissions, [IGNORED]);
        assert_eq!(set.scopes(None), [""; 0]);
    }

    #[test]
    fn a_set_says_whether_its_scope_needs_a_service() {
        assert!(set(&[IGNORED, INHERITS]).inherits_audience());
        assert!(!set(&[IGNORED]).inherits_audience());
    }
}
