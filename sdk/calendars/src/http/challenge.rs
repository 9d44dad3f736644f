//! How a server wants to be told who asks (RFC 9110 §11.6.1).

use huddle_ports::{HeaderMap, header};

/// How much of the names of schemes is kept, in bytes.
const MAX_NAMES_BYTES: usize = 100;

/// The most of a nonce and what else goes back to a server as it came, in bytes.
const MAX_VALUE_BYTES: usize = 1024;

/// What a server asks with one scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Challenge {
    scheme: String,
    /// Their names in lower case.
    parameters: Vec<(String, String)>,
}

/// How a server that asks who asks wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// By the password as it is (RFC 7617).
    Basic,
    /// By a digest of it (RFC 7616).
    Digest(DigestChallenge),
}

/// What a server asks by Digest authentication (RFC 7616 §3.3).
///
/// Whether it says that the nonce alone was too old (`stale`) makes no difference here: servers that have forgotten their
/// nonces often do not say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DigestChallenge {
    pub(crate) realm: String,
    pub(crate) nonce: String,
    pub(crate) opaque: Option<String>,
    pub(crate) algorithm: Algorithm,
    /// Whether it wants to be told how often the nonce was used, as every server has since RFC 2617.
    pub(crate) counts: bool,
}

/// What a digest is made with. Servers still have passwords hashed with MD5 only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    /// `MD5`, also where none is named.
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl Algorithm {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }
}

/// The schemes that a server offers, parted by commas, if it offers some and none that is spoken here.
pub(crate) fn unknown_schemes(headers: &HeaderMap) -> Option<String> {
    let challenges = challenges(headers);
    if challenges
        .iter()
        .any(|it| it.is_basic() || it.digest().is_some())
    {
        return None;
    }
    let mut names = String::new();
    for Challenge { scheme, .. } in challenges {
        let is_new = names.split(", ").all(|other| other != scheme);
        if is_new && names.len() + scheme.len() < MAX_NAMES_BYTES {
            if !names.is_empty() {
                names.push_str(", ");
            }
            names.push_str(&scheme);
        }
    }
    (!names.is_empty()).then_some(names)
}

/// How a server wants to be told who asks: by the password where that will do, else by the best digest that is spoken
/// here. `None` where it offers only what is not; one that offers nothing at all means the password, as servers once did.
pub(crate) fn wanted(headers: &HeaderMap) -> Option<Wanted> {
    let challenges = challenges(headers);
    if challenges.is_empty() || challenges.iter().any(Challenge::is_basic) {
        return Some(Wanted::Basic);
    }
    let digests = challenges.iter().filter_map(Challenge::digest);
    digests.max_by_key(|it| it.algorithm).map(Wanted::Digest)
}

impl Challenge {
    fn is_basic(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("basic")
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// This, if it is one for a digest that is spoken here.
    fn digest(&self) -> Option<DigestChallenge> {
        if !self.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let algorithm = match self.parameter("algorithm") {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let counts = match self.parameter("qop") {
            None => false,
            Some(offers)
                if offers
                    .split(',')
                    .any(|it| it.trim().eq_ignore_ascii_case("auth")) =>
            {
                true
            }
            Some(_) => return None,
        };
        let short = |name| {
            self.parameter(name)
                .filter(|it| it.len() <= MAX_VALUE_BYTES)
        };
        let opaque = match self.parameter("opaque") {
            Some(_) => Some(short("opaque")?.to_owned()),
            None => None,
        };
        Some(DigestChallenge {
            realm: short("realm")?.to_owned(),
            nonce: short("nonce")?.to_owned(),
            opaque,
            algorithm,
            counts,
        })
    }
}

fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let mut challenges = Vec::<Challenge>::new();
    for value in headers.get_all(header::WWW_AUTHENTICATE) {
        // Realms may have characters beyond ASCII.
        let value = String::from_utf8_lossy(value.as_bytes());
        for element in elements(&value) {
            let mut rest = element.trim();
            if let Some(name) = scheme(rest) {
                rest = rest[name.len()..].trim();
                challenges.push(Challenge {
                    scheme: name.to_owned(),
                    parameters: Vec::new(),
                });
            }
            if let (Some(parameter), Some(challenge)) = (parameter(rest), challenges.last_mut()) {
                challenge.parameters.push(parameter);
            }
        }
    }
    challenges
}

/// The elements of a list; a comma in a quoted string parts none (RFC 9110 §5.6.1, §5.6.4).
fn elements(list: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    list.split(move |c| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            _ if was_escaped => {}
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        c == ',' && !is_quoted
    })
}

/// The scheme with which an element begins a challenge; `None` if it is one more parameter of the last.
fn scheme(element: &str) -> Option<&str> {
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = element.find(|c| !is_in_token(c)).unwrap_or(element.len());
    let (name, rest) = element.split_at(end);
    let is_scheme = !name.is_empty() && (rest.is_empty() || rest.starts_with(' '));
    (is_scheme && !rest.trim_start().starts_with('=')).then_some(name)
}

/// A name in lower case, and its value without quotes.
fn parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let Some(quoted) = quoted else {
        return Some((name, value.to_owned()));
    };
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        plain.push(match c {
            '\\' => characters.next()?,
            c => c,
        });
    }
    Some((name, plain))
}

#[cfg(test)]
mod tests {
    use huddle_ports::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        headers
    }

    #[track_caller]
    fn check(values: &[&str], expect: Option<&str>) {
        let unknown = unknown_schemes(&headers(values));
        assert_eq!(unknown.as_deref(), expect, "{values:?}");
    }

    #[test]
    fn schemes_are_named_where_none_is_spoken_here() {
        check(&[], None);
        check(&[""], None);
        check(&["Basic realm=\"Calendars\""], None);
        check(&["basic"], None);
        check(&["Digest realm=\"a\", nonce=\"b\""], None);
        check(&["Digest realm=\"a\""], Some("Digest"));
        check(&["Digest realm=\"a\"", "Basic realm=\"a\""], None);
        check(&["Digest realm=\"a\", qop=auth, Basic realm=\"a\""], None);
        check(
            &["Negotiate", "Negotiate a==", "Bearer"],
            Some("Negotiate, Bearer"),
        );
        check(&["realm = \"a\""], None);
    }

    #[test]
    fn what_is_quoted_names_no_scheme() {
        check(
            &["Bearer realm=\"Börse, Basic \\\", Basic x\""],
            Some("Bearer"),
        );
        check(&["Bearer realm=\"a\\\\\", Basic realm=\"b\""], None);
    }

    #[test]
    fn only_so_much_is_kept_of_names() {
        let long = "x".repeat(1000);
        check(&[&format!("{long}, Bearer")], Some("Bearer"));
        check(&[&long], None);
    }

    /// `Basic`, or algorithm, realm, nonce, and what is optional, in one text.
    fn told(values: &[&str]) -> Option<String> {
        let DigestChallenge {
            realm,
            nonce,
            opaque,
            algorithm,
            counts,
        } = match wanted(&headers(values))? {
            Wanted::Basic => return Some("Basic".to_owned()),
            Wanted::Digest(challenge) => challenge,
        };
        let (opaque, counts) = (opaque.unwrap_or_default(), u8::from(counts));
        Some(format!(
            "{} {realm} {nonce} {opaque} {counts}",
            algorithm.as_str()
        ))
    }

    #[test]
    fn what_is_wanted_is_read_as_it_was_written_and_the_best_of_several_is_taken() {
        for (values, expect) in [
            (&["Basic realm=\"a\""][..], Some("Basic")),
            (&[], Some("Basic")),
            (&["Digest realm=\"a\", nonce=\"b\""], Some("MD5 a b  0")),
            (
                &["digest Realm=a,NONCE=b , stale=TRUE,opaque=\"c,d\",qop=\"auth-int, auth\""],
                Some("MD5 a b c,d 1"),
            ),
            (
                &["Digest realm=\"a \\\"b\\\\\", nonce=\"b\", algorithm=\"SHA-256\""],
                Some("SHA-256 a \"b\\ b  0"),
            ),
            (
                &[
                    "Digest realm=a, nonce=1, algorithm=MD5, Digest realm=a, nonce=2, algorithm=SHA-256",
                    "Digest realm=a, nonce=3",
                ],
                Some("SHA-256 a 2  0"),
            ),
            // The password itself will do.
            (&["Digest realm=a, nonce=b", "Basic realm=a"], Some("Basic")),
            // What is not spoken here.
            (&["Negotiate"], None),
            (&["Digest realm=a, nonce=b, algorithm=MD5-sess"], None),
            (&["Digest realm=a, nonce=b, algorithm=SHA-512-256"], None),
            (&["Digest realm=a, nonce=b, qop=auth-int"], None),
            (&["Digest realm=a"], None),
            (&["Digest nonce=b"], None),
        ] {
            assert_eq!(told(values).as_deref(), expect, "{values:?}");
        }
        let long = format!("Digest realm=a, nonce=\"{}\"", "b".repeat(1025));
        assert_eq!(told(&[&long]), None);
    }
}
