//! Conditional reads: who still has an answer is told that it has not changed, and not sent it again.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use huddle_syntax::CidLink;

/// An answer as it stands before it becomes axum's.
pub(super) type Answer = Response<Vec<u8>>;

/// The lines of `If-None-Match`: what the caller still has.
pub(super) fn held(headers: &HeaderMap) -> Vec<HeaderValue> {
    let lines = headers.get_all(header::IF_NONE_MATCH);
    lines.iter().cloned().collect()
}

/// Tags an answer by its bytes, unless its handler has tagged it.
pub(super) fn tag(answer: &mut Answer) {
    if answer.headers().contains_key(header::ETAG) {
        return;
    }
    // Weak: a layer around the router may compress the bytes.
    let tag = format!("W/\"{}\"", CidLink::of_raw(answer.body()));
    let tag = HeaderValue::from_str(&tag).expect("letters, digits and quotes");
    answer.headers_mut().insert(header::ETAG, tag);
}

/// Turns an answer that the caller still has into 304. One without a tag stays what it is.
pub(super) fn revalidate(answer: &mut Answer, held: &[HeaderValue]) {
    let Some(tag) = answer.headers().get(header::ETAG) else {
        return;
    };
    if !held
        .iter()
        .any(|line| names(line.as_bytes(), tag.as_bytes()))
    {
        return;
    }
    let length = std::mem::take(answer.body_mut()).len();
    *answer.status_mut() = StatusCode::NOT_MODIFIED;
    let headers = answer.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    // RFC 9110 §8.6: the length that the answer would have; axum would add that of no body.
    headers.insert(header::CONTENT_LENGTH, length.into());
}

/// Whether a line of `If-None-Match` names the tag, by the weak comparison of RFC 9110 §8.8.3.2.
fn names(line: &[u8], tag: &[u8]) -> bool {
    let mut rest = line.trim_ascii();
    if rest == b"*" {
        return true;
    }
    // A tag may hold commas, so that the list cannot be split by them.
    while let Some((opaque, after)) = opaque_tag(rest) {
        if opaque_tag(tag).is_some_and(|(wanted, _)| wanted == opaque) {
            return true;
        }
        rest = after;
        while let [b',' | b' ' | b'\t', after @ ..] = rest {
            rest = after;
        }
    }
    false
}

/// What stands between the quotes of a tag, weak or strong, and what follows it.
fn opaque_tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"W/").unwrap_or(text);
    let quoted = text.strip_prefix(b"\"")?;
    let end = quoted.iter().position(|byte| *byte == b'"')?;
    Some((&quoted[..end], &quoted[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_strong() {
        #[track_caller]
        fn check(line: &str, tag: &str, expect: bool) {
            let found = names(line.as_bytes(), tag.as_bytes());
            assert_eq!(found, expect, "{line} {tag}");
        }
        check(r#""a""#, r#""a""#, true);
        check(r#"W/"a""#, r#""a""#, true);
        check(r#""a""#, r#"W/"a""#, true);
        check(r#" "x" ,	W/"a","y""#, r#"W/"a""#, true);
        check(r#""x,y", "a""#, r#""a""#, true);
        check(r#""x,y""#, r#""y""#, false);
        check("*", r#""a""#, true);
        check(r#""""#, r#""""#, true);
        check(r#""b""#, r#""a""#, false);
        check(r#""A""#, r#""a""#, false);
        check("a", r#""a""#, false);
        check(r#""a"#, r#""a""#, false);
        check(r#"x, "a""#, r#""a""#, false);
        check(r#"w/"a""#, r#""a""#, false);
        check("", r#""a""#, false);
    }
}
