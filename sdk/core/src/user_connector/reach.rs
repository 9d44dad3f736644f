//! By which channels a person is reached.

use serde::{Deserialize, Serialize};

use crate::effects::Channel;
use crate::preferences::Way;
use crate::sql::SqlError;
use crate::turn::Turn;

/// Ask by which channels the person is shown their bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetReach {}

/// The channels that the person has and wants. Nobody has to connect anything to get messages to their account.
pub(super) fn reach(turn: &mut Turn<'_>) -> Result<Vec<Channel>, SqlError> {
    let actor = turn.name().as_str();
    let rows = turn.read(
        "SELECT EXISTS (SELECT 1 FROM connector WHERE actor = ?1), \
         EXISTS (SELECT 1 FROM address WHERE actor = ?1 AND confirmed = 1), \
         EXISTS (SELECT 1 FROM webhook WHERE actor = ?1)",
        &[actor.into()],
    )?;
    let [has_calendar, has_address, has_webhook] = match rows.first() {
        Some(row) => [row.get(0)?, row.get(1)?, row.get(2)?],
        None => [false; 3],
    };
    // What cannot be read is a later version's.
    let preferences = super::preferences(turn)?.read().unwrap_or_default();
    let channels = [
        (Channel::Calendar, has_calendar),
        (
            Channel::Mail,
            has_address && preferences.are_told_by(Way::Email),
        ),
        (
            Channel::Webhook,
            has_webhook && preferences.are_told_by(Way::Webhook),
        ),
        (
            Channel::DirectMessage,
            preferences.are_told_by(Way::DirectMessage),
        ),
    ];
    let reached = channels.into_iter().filter(|(_, is_reached)| *is_reached);
    Ok(reached.map(|(channel, _)| channel).collect())
}
