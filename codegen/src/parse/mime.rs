//! MIME types, and the patterns of them that bodies and blobs take.

use super::reader::{Node, Reader, quote};
use crate::diagnostic::Rule;

/// What a blob takes: a MIME type, `type/*` or `*/*`.
pub(super) fn pattern(reader: &mut Reader, node: &Node<'_>) -> Option<String> {
    let text = reader.text(node)?;
    if !is_pattern(&text) {
        let message = format!("{} is no MIME type, `type/*` or `*/*`", quote(&text));
        reader.fail(&node.path, Rule::LexiconSchema, message);
    }
    Some(text)
}

/// What a body is: one such pattern, or several with commas between, which other implementations
/// take as well. Empty is what says nothing, which the linter tells.
pub(super) fn encoding(reader: &mut Reader, node: &Node<'_>) -> Option<String> {
    let text = reader.text(node)?;
    let wrong = text
        .split(',')
        .map(|part| part.trim_matches(' '))
        .find(|part| !is_pattern(part));
    let Some(wrong) = wrong.filter(|_| !text.is_empty()) else {
        return Some(text);
    };
    let message = match wrong.split_once(';') {
        // They are up to whoever sends a body, and do not matter to whoever reads it.
        Some((bare, _)) if is_pattern(bare.trim_end()) => format!(
            "{} has parameters, which a lexicon leaves open; write {}",
            quote(wrong),
            quote(bare.trim_end())
        ),
        _ => format!("{} is no MIME type, `type/*` or `*/*`", quote(wrong)),
    };
    reader.fail(&node.path, Rule::LexiconSchema, message);
    None
}

/// Whether this is `type/subtype`: what can be sent.
pub(super) fn is_type(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Whether this is a MIME type, `type/*` or `*/*`: other wildcards are not part of the language.
fn is_pattern(text: &str) -> bool {
    let family = text.strip_suffix("/*");
    text == "*/*" || is_type(text) || family.is_some_and(is_token)
}

/// RFC 9110 §5.6.2, which is narrower than RFC 2045 §5.1, without the star: it stands for a wildcard.
fn is_token(text: &str) -> bool {
    let special = b"!#$%&'+-.^_`|~";
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || special.contains(&b))
}
