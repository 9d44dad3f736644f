//! One function a constraint; generated code calls them with the numbers of the lexicon.

use super::{Invalid, Problem, Unit};
use crate::data::{Blob, Bytes};
use std::fmt::Display;
use unicode_segmentation::UnicodeSegmentation;

/// `minLength` of a string, in bytes of UTF-8.
pub fn min_bytes(text: &(impl AsRef<str> + ?Sized), minimum: usize) -> Result<(), Invalid> {
    at_least(text.as_ref().len(), minimum, Unit::Bytes)
}

/// `maxLength` of a string, in bytes of UTF-8.
pub fn max_bytes(text: &(impl AsRef<str> + ?Sized), maximum: usize) -> Result<(), Invalid> {
    at_most(text.as_ref().len(), maximum, Unit::Bytes)
}

/// `minGraphemes` of a string.
pub fn min_graphemes(text: &(impl AsRef<str> + ?Sized), minimum: usize) -> Result<(), Invalid> {
    let text = text.as_ref();
    // Counting stops at the bound.
    at_least(
        text.graphemes(true).take(minimum).count(),
        minimum,
        Unit::Graphemes,
    )
}

/// `maxGraphemes` of a string.
pub fn max_graphemes(text: &(impl AsRef<str> + ?Sized), maximum: usize) -> Result<(), Invalid> {
    let text = text.as_ref();
    // A grapheme has at least one byte, so that most texts need no counting.
    if text.len() <= maximum {
        return Ok(());
    }
    at_most(text.graphemes(true).count(), maximum, Unit::Graphemes)
}

/// `minimum` of an integer.
pub const fn minimum(actual: i64, minimum: i64) -> Result<(), Invalid> {
    if actual < minimum {
        return Err(Invalid::new(Problem::TooSmall { minimum, actual }));
    }
    Ok(())
}

/// `maximum` of an integer.
pub const fn maximum(actual: i64, maximum: i64) -> Result<(), Invalid> {
    if actual > maximum {
        return Err(Invalid::new(Problem::TooLarge { maximum, actual }));
    }
    Ok(())
}

/// `minLength` of an array.
pub fn min_items<T>(items: &[T], minimum: usize) -> Result<(), Invalid> {
    at_least(items.len(), minimum, Unit::Items)
}

/// `maxLength` of an array.
pub fn max_items<T>(items: &[T], maximum: usize) -> Result<(), Invalid> {
    at_most(items.len(), maximum, Unit::Items)
}

/// `minLength` of a byte string.
pub fn min_size(bytes: &Bytes, minimum: usize) -> Result<(), Invalid> {
    at_least(bytes.len(), minimum, Unit::Bytes)
}

/// `maxLength` of a byte string.
pub fn max_size(bytes: &Bytes, maximum: usize) -> Result<(), Invalid> {
    at_most(bytes.len(), maximum, Unit::Bytes)
}

/// `enum` and `const` of integers, `const` of a boolean: the value is one of `allowed`.
pub fn one_of<T: PartialEq + Display>(actual: &T, allowed: &[T]) -> Result<(), Invalid> {
    among(allowed.contains(actual), allowed)
}

/// `const` of a string: the text is one of `allowed`.
pub fn one_text_of(actual: &(impl AsRef<str> + ?Sized), allowed: &[&str]) -> Result<(), Invalid> {
    among(allowed.contains(&actual.as_ref()), allowed)
}

fn among(holds: bool, allowed: &[impl Display]) -> Result<(), Invalid> {
    if holds {
        return Ok(());
    }
    let allowed = allowed
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    Err(Invalid::new(Problem::NotAllowed { allowed }))
}

/// `accept` of a blob: MIME types, `type/*` or `*/*`.
pub fn accept(blob: &Blob, patterns: &[&str]) -> Result<(), Invalid> {
    let accepts = |pattern: &&str| match pattern.strip_suffix("/*") {
        Some("*") => true,
        Some(family) => blob.mime_type.split('/').next() == Some(family),
        None => blob.mime_type == *pattern,
    };
    if patterns.iter().any(accepts) {
        return Ok(());
    }
    Err(Invalid::new(Problem::MimeType {
        accepted: patterns.join(", "),
    }))
}

/// `maxSize` of a blob, in bytes.
pub const fn max_blob(blob: &Blob, maximum: i64) -> Result<(), Invalid> {
    if blob.size > maximum {
        return Err(Invalid::new(Problem::BlobSize {
            maximum,
            actual: blob.size,
        }));
    }
    Ok(())
}

fn at_least(actual: usize, minimum: usize, unit: Unit) -> Result<(), Invalid> {
    if actual < minimum {
        return Err(Invalid::new(Problem::TooShort {
            unit,
            minimum,
            actual,
        }));
    }
    Ok(())
}

fn at_most(actual: usize, maximum: usize, unit: Unit) -> Result<(), Invalid> {
    if actual > maximum {
        return Err(Invalid::new(Problem::TooLong {
            unit,
            maximum,
            actual,
        }));
    }
    Ok(())
}
