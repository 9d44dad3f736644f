//! What is said where an offer is not written for somebody.

use huddle_core::offer_records::WriteRefused;
use huddle_lexicon::com::huddle::{create_offer, delete_offer};
use huddle_xrpc::server::Failure;

use super::Huddle;
use super::idempotency::Keyed;

/// The errors of methods that write offers.
pub(super) trait OfOffers: Keyed {
    const NO_ACCESS: Self;
    const UNAVAILABLE: Self;
    /// There is no such record: of a new one, the host of the repository says nonsense.
    const NOT_FOUND: Self;
}

impl OfOffers for create_offer::Error {
    const NO_ACCESS: Self = Self::NoRepoAccess;
    const UNAVAILABLE: Self = Self::RepoUnavailable;
    const NOT_FOUND: Self = Self::RepoUnavailable;
}

impl OfOffers for delete_offer::Error {
    const NO_ACCESS: Self = Self::NoRepoAccess;
    const UNAVAILABLE: Self = Self::RepoUnavailable;
    const NOT_FOUND: Self = Self::OfferNotFound;
}

impl Huddle {
    pub(super) fn not_written<E: OfOffers>(&self, refused: WriteRefused) -> Failure<E> {
        match refused {
            WriteRefused::NoAccess => Failure::refused(
                E::NO_ACCESS,
                "there is no session here that may write to your repo: write or delete the record yourself, with \
                 com.atproto.repo.createRecord or com.atproto.repo.deleteRecord at your PDS",
            ),
            WriteRefused::Unavailable => E::UNAVAILABLE.into(),
            WriteRefused::NotFound => E::NOT_FOUND.into(),
            WriteRefused::Mismatch => Self::mismatch(),
            WriteRefused::InFlight { retry_at } => self.in_flight(retry_at),
        }
    }
}
