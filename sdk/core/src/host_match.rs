//! `HostMatch`: a person's time, given away once.
//!
//! Each side of a meeting has one. It knows claims: slots that are *held* for a while, *prepared* for
//! a booking that is being confirmed, or *booked*. No two live claims of different bookings overlap,
//! whatever is asked, how often and in which order. Every claim belongs to an *attempt* of a booking;
//! the highest attempt seen of each booking is a fence that keeps late messages of lower ones out.
//!
//! The time of somebody whom very many ask can be kept by days, each of which has a `HostMatch` too. Then it is the claims
//! of a day that do not overlap, and a slot is claimed on every day that it meets: the person's own `HostMatch`, which has
//! a claim for each slot too, lets those overlap.

mod agenda;
mod cancellation;
mod claim;
mod disclose;
mod fence;
mod finish;
mod hold;
mod lapse;
mod petition;
mod prepare;
mod shard;
mod sweep;

use serde::{Deserialize, Serialize};

use crate::actor::commands;
use crate::sql::SqlError;
use crate::turn::Turn;

pub use agenda::{Agenda, Engagement};
pub use disclose::{Disclose, Disclosure};
pub use finish::{Ending, Finish};
pub use hold::{Allowance, Candidate, Cap, Granted, Hold, HoldRefused, Margins, MayAsk, WouldHold};
pub use petition::{Petition, PetitionRefused};
pub use prepare::{Prepare, PrepareRefused};
pub(crate) use shard::days;
pub use shard::{Shard, ShardRefused};
pub(crate) use sweep::wake;

/// A person's part in a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whose offer it is.
    Host,
    /// Who asked.
    Guest,
}

impl Role {
    /// One word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Guest => "guest",
        }
    }
}

commands! {
    HostMatch {
        /// [`Hold`]
        Hold => Result<Granted, HoldRefused>,
        /// [`MayAsk`]
        MayAsk => Allowance,
        /// [`WouldHold`]
        WouldHold => Result<Granted, HoldRefused>,
        /// [`Petition`]
        Petition => Result<(), PetitionRefused>,
        /// [`Prepare`]
        Prepare => Result<(), PrepareRefused>,
        /// [`Finish`]
        Finish => (),
        /// [`Agenda`]
        Agenda => Vec<Engagement>,
        /// [`Disclose`]
        Disclose => Vec<u32>,
        /// [`Shard`]
        Shard => Result<(), ShardRefused>,
    }
}

pub(crate) fn handle(turn: &mut Turn<'_>, command: Command) -> Result<Reply, SqlError> {
    Ok(match command {
        Command::Hold(command) => Reply::Hold(hold::hold(turn, &command)?),
        Command::MayAsk(command) => Reply::MayAsk(hold::may_ask(turn, &command)?),
        Command::WouldHold(command) => Reply::WouldHold(hold::would_hold(turn, &command)?),
        Command::Petition(command) => Reply::Petition(petition::petition(turn, &command)?),
        Command::Prepare(command) => Reply::Prepare(prepare::prepare(turn, &command)?),
        Command::Finish(command) => Reply::Finish(finish::finish(turn, &command)?),
        Command::Agenda(command) => Reply::Agenda(agenda::agenda(turn, &command)?),
        Command::Disclose(command) => Reply::Disclose(disclose::disclose(turn, &command)?),
        Command::Shard(Shard {}) => Reply::Shard(shard::shard(turn)?),
    })
}
