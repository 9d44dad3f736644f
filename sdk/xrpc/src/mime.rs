//! Whether a `Content-Type` is one that a lexicon's `encoding` allows.

use http::HeaderValue;
use huddle_syntax::schema::{Invalid, Problem};

/// Whether `content_type` is of the type that `encoding` names: `application/json`, `image/*`, `*/*`, or several of
/// them with commas between. Parameters such as `charset` do not matter, on either side.
pub(crate) fn matches(encoding: &str, content_type: &str) -> bool {
    let Some((kind, subtype)) = essence(content_type).split_once('/') else {
        return false;
    };
    if !is_token(kind) || !is_token(subtype) {
        return false;
    }
    encoding.split(',').map(essence).any(|pattern| {
        let (wanted_kind, wanted_subtype) = pattern.split_once('/').unwrap_or((pattern, ""));
        (wanted_kind == "*" || wanted_kind.eq_ignore_ascii_case(kind))
            && (wanted_subtype == "*" || wanted_subtype.eq_ignore_ascii_case(subtype))
    })
}

/// Whether the type is JSON, so that an empty body cannot be one.
#[cfg(feature = "server")]
pub(crate) fn is_json(encoding: &str) -> bool {
    essence(encoding).eq_ignore_ascii_case("application/json")
}

/// The `Content-Type` of a body that is about to be sent, if `encoding` allows it.
pub(crate) fn content_type(encoding: &str, content_type: &str) -> Result<HeaderValue, Invalid> {
    HeaderValue::from_str(content_type)
        .ok()
        .filter(|_| matches(encoding, content_type))
        .ok_or_else(|| {
            let problem = format!("the body must be of type {encoding}");
            Invalid::new(Problem::Malformed(problem))
        })
}

/// The type without its parameters.
fn essence(media_type: &str) -> &str {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim()
}

// RFC 9110 §5.6.2, without the star: a type that is sent is no pattern.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn content_types_match_their_patterns() {
        #[track_caller]
        fn check(encoding: &str, content_type: &str, expect: bool) {
            assert_eq!(
                matches(encoding, content_type),
                expect,
                "{encoding} {content_type}"
            );
        }
        check("application/json", "application/json", true);
        check("application/json", "application/json; charset=utf-8", true);
        check("application/json", "Application/JSON ;charset=utf-8", true);
        check("application/json; charset=utf-8", "application/json", true);
        check(
            "application/json;charset=utf-8",
            "application/json ; q=1",
            true,
        );
        check("text/vcard; version=4.0, image/*;q=1", "image/png", true);
        check("application/json", "application/jsonp", false);
        check("application/json", "text/json", false);
        check("application/json", "", false);
        check("application/json", "json", false);
        check("image/*", "image/png", true);
        check("image/*", "video/png", false);
        check("image/*", "image/", false);
        check("*/*", "application/octet-stream", true);
        check("*/*", "", false);
        check("*/*", "*/*", false);
        check("*/*", "a b/c", false);
        check("image/*", "image/*", false);
        check(
            "text/vcard, text/calendar",
            "text/calendar; component=VEVENT",
            true,
        );
        check("text/vcard, text/calendar", "text/plain", false);
        check("", "text/plain", false);
    }

    #[cfg(feature = "server")]
    #[test]
    fn json_is_json_whatever_its_parameters() {
        for (encoding, expect) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON", true),
            ("application/jsonl", false),
            ("*/*", false),
        ] {
            assert_eq!(super::is_json(encoding), expect, "{encoding}");
        }
    }
}
