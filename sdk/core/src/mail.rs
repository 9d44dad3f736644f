//! Mail: what is told to whom, and to which address.
//!
//! What a letter looks like and how it travels is for whoever implements [`Mail`]. Mail goes to an address only once its
//! owner has shown that they read it: the one exception is the letter that asks for that.

mod address;
mod addresses;
mod links;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use huddle_ports::Timestamp;
use huddle_schedule::Zone;
use huddle_syntax::Did;

use crate::booking::{Booking, By, EventKind, Expiry, Mode, Phase, Waiting};
use crate::host_match::Role;
use crate::index::people::Names;
use crate::user_connector::connector::{ConnectorId, Provider};

pub use address::{EmailAddress, InvalidEmailAddress};
pub(crate) use addresses::TOKEN_LIFETIME;
pub use addresses::{Addresses, AskRefused, ConfirmRefused};
pub use links::{CANCEL_PAGE, CONFIRM_PAGE, CancelLink, Links};

/// Sends letters.
#[async_trait]
pub trait Mail: Send + Sync {
    /// Writes a letter and sends it. The same letter, sent again, has the same Message-ID.
    async fn send(&self, letter: &Letter) -> Delivery;
}

/// What came of sending something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A mail server has taken it.
    Sent,
    /// It may be taken later.
    TryLater {
        /// How long to wait at least, where that is known.
        after: Option<Duration>,
        /// Why, without any address.
        problem: String,
    },
    /// It will not be taken. Says why, without any address.
    Refused(String),
}

/// Something to be told by mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Letter {
    /// What became of a booking.
    News(Box<News>),
    /// Is this your address?
    ConfirmAddress(ConfirmAddress),
    /// A calendar lets Huddle in no more.
    Disconnected(Disconnected),
}

/// What became of a booking, for one of its parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The booking.
    pub booking: Booking,
    /// What became of it.
    pub notice: Notice,
    /// Who is told.
    pub party: Role,
    /// Since which revision that is so: with the booking and the party it names the letter.
    pub revision: u32,
    /// When it came to that.
    pub at: Timestamp,
    /// What the parties are called, as far as that is known.
    pub names: BTreeMap<Did, Names>,
    /// On whose clock times are told.
    pub zone: Zone,
    /// Where it goes.
    pub to: EmailAddress,
    /// Where the meeting can be called off; `None` where there is no such page.
    pub cancel: Option<String>,
}

impl News {
    /// Who is told, and the other party.
    pub fn sides(&self) -> (&Did, &Did) {
        self.booking.asked.sides(self.party)
    }
}

/// Asks somebody to show that an address is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmAddress {
    /// The handle of whoever has entered it, or their DID.
    pub name: String,
    /// The address.
    pub to: EmailAddress,
    /// Names the letter: fresh for each request.
    pub mark: String,
    /// What shows that it was read.
    pub token: String,
    /// A page that takes the token; `None` where there is none.
    pub page: Option<String>,
    /// When they have entered it.
    pub asked: Timestamp,
    /// Until when the token can be used.
    pub expires: Timestamp,
    /// On whose clock that is told.
    pub zone: Zone,
}

/// Tells somebody that a calendar which they have connected has to be connected anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// What they are called.
    pub name: String,
    /// Their address.
    pub to: EmailAddress,
    /// The account: with `at` it names the letter.
    pub connector: ConnectorId,
    /// Where the calendar is.
    pub provider: Provider,
    /// What they call it.
    pub label: Option<String>,
    /// Since when it lets Huddle in no more.
    pub at: Timestamp,
    /// On whose clock that is told.
    pub zone: Zone,
}

/// What became of a booking, as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub kind: NoticeKind,
    /// SEQUENCE of the invitation that goes with it.
    pub sequence: u32,
}

/// What can become of a booking, as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// It waits for the host's answer.
    Requested,
    /// The meeting stands.
    Confirmed,
    /// It has another time.
    Moved,
    /// It was called off.
    Canceled,
    /// It was called off before it was ever confirmed.
    Withdrawn {
        /// By whom.
        by: Role,
    },
    /// The host has said no.
    Declined,
    /// It came to nothing by itself.
    Expired(Expiry),
}

impl NoticeKind {
    /// Whether a side is told. A request goes to whoever is to answer it, and what becomes of it to whoever has asked. That
    /// it is over goes to the other side of whoever has ended it.
    pub fn is_for(self, party: Role) -> bool {
        match self {
            Self::Requested => party == Role::Host,
            Self::Declined | Self::Expired(_) => party == Role::Guest,
            Self::Withdrawn { by } => party != by,
            Self::Confirmed | Self::Moved | Self::Canceled => true,
        }
    }
}

impl Notice {
    /// What there is to tell a side of a booking as it stands.
    pub(crate) fn to(booking: &Booking, party: Role) -> Option<Self> {
        Self::of(booking).filter(|notice| notice.kind.is_for(party))
    }

    /// What there is to be told of a booking as it stands.
    pub fn of(booking: &Booking) -> Option<Self> {
        let kind = match &booking.phase {
            Phase::Confirmed { .. } if booking.sequence == 0 => NoticeKind::Confirmed,
            Phase::Confirmed { .. } => NoticeKind::Moved,
            Phase::Canceled { place: Some(_) } => NoticeKind::Canceled,
            Phase::Canceled { place: None } => NoticeKind::Withdrawn {
                by: withdrawn_by(booking)?,
            },
            Phase::Pending {
                waiting: Waiting::Approval,
                ..
            } => NoticeKind::Requested,
            Phase::Declined => NoticeKind::Declined,
            Phase::Expired(why) => NoticeKind::Expired(*why),
            Phase::Pending { .. }
            | Phase::Held { .. }
            | Phase::Finalizing { .. }
            | Phase::Unmatched => return None,
        };
        Some(Self {
            kind,
            sequence: booking.sequence,
        })
    }
}

/// Who has called off a booking that was never confirmed; `None` if the other side never heard of it. A guest always has; a
/// host hears of a request only where it waits for their yes.
fn withdrawn_by(booking: &Booking) -> Option<Role> {
    let mut events = booking.history.iter().rev();
    let canceled = events.find(|event| event.kind == EventKind::Canceled)?;
    match canceled.by {
        By::Host => Some(Role::Host),
        By::Guest => {
            let host_was_asked = booking.approved || booking.terms()?.mode == Mode::Approve;
            host_was_asked.then_some(Role::Guest)
        }
        By::Service => None,
    }
}
