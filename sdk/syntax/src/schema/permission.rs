//! Permission sets: what an app asks of a person's account, and the OAuth scopes that ask for it.

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
}

/// The service that an `rpc` permission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The one that the `include:` scope names.
    Inherited,
    /// Any service.
    Any,
    /// A service's DID with a fragment, e.g. `did:web:api.example.com#svc`.
    Service(&'static str),
}

impl PermissionSet {
    /// The scope that asks for the whole set; `service` is the DID and service id that inherited
    /// audiences stand for, e.g. `did:web:huddle.example` and `huddle_appview`.
    pub fn scope(&self, service: Option<(&Did, &str)>) -> String {
        let mut scope = format!("include:{}", self.nsid);
        if let Some((did, id)) = service {
            let _ = write!(scope, "?aud={}", Encoded(&format!("{did}#{id}")));
        }
        scope
    }

    /// The scopes that ask for each permission by itself, for servers that do not know permission sets.
    pub fn scopes(&self, service: Option<(&Did, &str)>) -> Vec<String> {
        let inherited = service.map(|(did, id)| format!("{did}#{id}"));
        self.permissions
            .iter()
            .filter_map(|p| p.scope(inherited.as_deref()))
            .collect()
    }
}

impl Permission {
    /// The scope of this permission; `None` where it inherits an audience and there is none.
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
                    Audience::Service(service) => service,
                };
                ("rpc", "lxm", methods, vec![("aud", audience)])
            }
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
