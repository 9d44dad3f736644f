//! Lists that are read page by page: the next one begins after the last row of the one before, wherever that is by
//! then.

use std::iter;

use huddle_syntax::SyntaxError;

use super::IndexError;
use crate::sql::SqlError;

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging<'a> {
    /// Where to go on: what [`Page::cursor`] said.
    pub cursor: Option<&'a str>,
    /// At most so many.
    pub limit: u32,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Where to go on, unless this is the end.
    pub cursor: Option<String>,
}

/// A cursor that no list has given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this list has given out")]
pub struct InvalidCursor;

/// Why there is no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The cursor is wrong.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl From<SqlError> for ListError {
    fn from(error: SqlError) -> Self {
        Self::Index(error.into())
    }
}

impl From<serde_json::Error> for ListError {
    fn from(error: serde_json::Error) -> Self {
        Self::Index(error.into())
    }
}

impl From<SyntaxError> for ListError {
    fn from(error: SyntaxError) -> Self {
        Self::Index(error.into())
    }
}

/// The largest number that every runtime can tell: JavaScript keeps no larger ones exactly.
pub(super) const LARGEST: i64 = (1 << 53) - 1;

/// What tells the cursors of one list from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Bookings,
    Hosts,
    Offers,
}

impl List {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Bookings => "b",
            Self::Hosts => "h",
            Self::Offers => "o",
        }
    }
}

/// The place of a row, in a list that is ordered by whole numbers and then by the row's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place<const N: usize> {
    pub(super) numbers: [i64; N],
    pub(super) name: String,
}

impl Paging<'_> {
    /// The place after which the page begins; without a cursor it is before everything in a list that goes down.
    pub(super) fn after<const N: usize>(&self, list: List) -> Result<Place<N>, InvalidCursor> {
        let Some(cursor) = self.cursor else {
            return Ok(Place {
                numbers: [LARGEST; N],
                name: String::new(),
            });
        };
        let mut parts = cursor.splitn(N + 2, '.');
        if parts.next() != Some(list.as_str()) {
            return Err(InvalidCursor);
        }
        let mut numbers = [0; N];
        for number in &mut numbers {
            let part = parts.next().ok_or(InvalidCursor)?;
            *number = part.parse().map_err(|_| InvalidCursor)?;
            if !(-LARGEST..=LARGEST).contains(number) {
                return Err(InvalidCursor);
            }
        }
        let name = parts.next().ok_or(InvalidCursor)?.to_owned();
        Ok(Place { numbers, name })
    }

    /// One more than asked for, which tells whether there is more.
    pub(super) fn fetched(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The page that the rows make, of which there may be one more than asked for.
    pub(super) fn page<T, const N: usize>(
        &self,
        list: List,
        mut rows: Vec<(T, Place<N>)>,
    ) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_more = rows.len() > limit;
        rows.truncate(limit);
        let cursor = rows.last().filter(|_| is_more).map(|(_, place)| {
            let numbers = place.numbers.iter().map(i64::to_string);
            let parts: Vec<String> = iter::once(list.as_str().to_owned())
                .chain(numbers)
                .chain([place.name.clone()])
                .collect();
            parts.join(".")
        });
        let items = rows.into_iter().map(|(item, _)| item).collect();
        Page { items, cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cursor: &str, expect: Option<([i64; 2], &str)>) {
        let paging = Paging {
            cursor: Some(cursor),
            limit: 1,
        };
        let expect = expect.map(|(numbers, name)| Place {
            numbers,
            name: name.to_owned(),
        });
        assert_eq!(paging.after::<2>(List::Hosts).ok(), expect);
    }

    #[test]
    fn a_cursor_has_all_its_numbers_and_a_name_that_may_have_dots() {
        check("h.1.-2.a", Some(([1, -2], "a")));
        check("h.1.2.a.b.c", Some(([1, 2], "a.b.c")));
        check("h.1.2.", Some(([1, 2], "")));
        for wrong in [
            "",
            "h",
            "h.1",
            "h.1.2",
            "h.1.x.a",
            "h.a",
            "h.1..a",
            "h.9007199254740992.1.a",
            "h.99999999999999999999.1.a",
            "1.2.a",
            "o.1.2.a",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_page_goes_on_after_its_last_row_and_the_last_page_nowhere() {
        let rows = || {
            [3, 2, 1].map(|number| {
                let place = Place {
                    numbers: [number],
                    name: "a".to_owned(),
                };
                (number, place)
            })
        };
        let page = |limit| {
            Paging {
                cursor: None,
                limit,
            }
            .page(List::Bookings, rows().to_vec())
        };
        assert_eq!(page(2).items, [3, 2]);
        assert_eq!(page(2).cursor.as_deref(), Some("b.2.a"));
        assert_eq!(page(3).cursor, None);
    }
}
