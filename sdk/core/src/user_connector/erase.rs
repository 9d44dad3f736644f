//! Forget a person whose account is deleted.

use serde::{Deserialize, Serialize};

use crate::sql::SqlError;
use crate::turn::Turn;

/// Forget how the person wants to be booked, their calendars with all that was read of them, and where their news goes.
/// It may come twice. What is in their calendars stays there: it is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erase {}

pub(super) fn erase(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    let actor = turn.name().as_str();
    for sql in [
        "DELETE FROM preferences WHERE actor = ?1",
        "DELETE FROM connector WHERE actor = ?1",
        "DELETE FROM reading WHERE actor = ?1",
        "DELETE FROM calendar_event WHERE actor = ?1",
        "DELETE FROM address WHERE actor = ?1",
        "DELETE FROM webhook WHERE actor = ?1",
    ] {
        turn.write(sql, &[actor.into()])?;
    }
    Ok(())
}
