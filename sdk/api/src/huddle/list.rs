//! Lists that are answered page by page.

use huddle_core::index::{ListError, Page, Paging};
use huddle_xrpc::server::{Failure, OrFault as _};

/// Which page is asked for, of at most `limit` rows.
pub(super) fn paging(cursor: Option<&String>, limit: i64) -> Paging<'_> {
    Paging {
        cursor: cursor.map(String::as_str),
        // The lexicons' bounds are well within a u32.
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    }
}

/// The page, or that its cursor is `invalid`.
pub(super) fn page<T, E>(
    page: Result<Page<T>, ListError>,
    invalid: E,
) -> Result<Page<T>, Failure<E>>
where
    Failure<E>: From<E>,
{
    match page {
        Ok(page) => Ok(page),
        Err(ListError::Cursor(_)) => Err(invalid.into()),
        Err(ListError::Index(error)) => Err(error).or_fault(),
    }
}
