//! Rules of the protocol, broken one at a time.

use huddle_core::booking::Booking;
use serde_json::Value;

use crate::sql::Rewrite;

/// One rule, broken.
pub(crate) struct Mutation {
    pub(crate) name: &'static str,
    /// Statements of the actors, changed.
    pub(crate) statements: &'static [Rewrite],
    /// Changes a command on its way to an actor, which may be this booking.
    pub(crate) command: Option<fn(&mut Value, Option<&Booking>)>,
    /// Changes a reply on its way to a driver.
    pub(crate) reply: Option<fn(&mut Value)>,
    /// Drivers release what is prepared before they tell the booking that it must be given up.
    pub(crate) releases_early: bool,
}

/// Nothing is broken.
pub(crate) const NONE: Mutation = Mutation {
    name: "nothing",
    statements: &[],
    command: None,
    reply: None,
    releases_early: false,
};
