//! How a server wants to be told who asks (RFC 9110 §11.6.1).

use huddle_ports::{HeaderMap, header};

/// How much of the names of schemes is kept, in bytes.
const MAX_NAMES_BYTES: usize = 100;

/// The schemes that a server offers, parted by commas, if it offers some and `Basic`, the one that is spoken here, is
/// not among them.
pub(crate) fn unknown_schemes(headers: &HeaderMap) -> Option<String> {
    let mut names = String::new();
    for value in headers.get_all(header::WWW_AUTHENTICATE) {
        // Realms may have characters beyond ASCII.
        let value = String::from_utf8_lossy(value.as_bytes());
        for name in elements(&value).filter_map(scheme) {
            if name.eq_ignore_ascii_case("basic") {
                return None;
            }
            let is_new = names.split(", ").all(|other| other != name);
            if is_new && names.len() + name.len() < MAX_NAMES_BYTES {
                if !names.is_empty() {
                    names.push_str(", ");
                }
                names.push_str(name);
            }
        }
    }
    (!names.is_empty()).then_some(names)
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
    let element = element.trim();
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = element.find(|c| !is_in_token(c)).unwrap_or(element.len());
    let (name, rest) = element.split_at(end);
    let is_scheme = !name.is_empty() && (rest.is_empty() || rest.starts_with(' '));
    (is_scheme && !rest.trim_start().starts_with('=')).then_some(name)
}

#[cfg(test)]
mod tests {
    use huddle_ports::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(values: &[&str], expect: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        assert_eq!(unknown_schemes(&headers).as_deref(), expect, "{values:?}");
    }

    #[test]
    fn schemes_are_named_where_basic_is_not_among_them() {
        check(&[], None);
        check(&[""], None);
        check(&["Basic realm=\"Calendars\""], None);
        check(&["basic"], None);
        check(&["Digest realm=\"a\", nonce=\"b\""], Some("Digest"));
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
            &["Digest realm=\"Börse, Basic \\\", Basic x\""],
            Some("Digest"),
        );
        check(&["Digest realm=\"a\\\\\", Basic realm=\"b\""], None);
    }

    #[test]
    fn only_so_much_is_kept_of_names() {
        let long = "x".repeat(1000);
        check(&[&format!("{long}, Digest")], Some("Digest"));
        check(&[&long], None);
    }
}
