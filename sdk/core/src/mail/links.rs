//! Links in letters that do one thing, for whoever has the letter, and for a while.
//!
//! Programs that look through mail open every link in it. So a link leads to a page that asks, and only the answer does
//! what the link is for.

use std::fmt;
use std::sync::Arc;

use huddle_ports::{Random, Timestamp, Url};
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::booking::BookingId;
use crate::host_match::Role;
use crate::user_connector::sealing::{KeyRing, Sealed};

const CANCEL: &str = "link that cancels a booking";

/// Where the page is that takes the token of an address, as `?person=…&token=…`.
pub const CONFIRM_PAGE: &str = "confirm-email";
/// Where the page is that calls a booking off, as `?token=…`.
pub const CANCEL_PAGE: &str = "cancel-booking";

/// Makes links into the pages of an installation.
#[derive(Clone)]
pub struct Links {
    /// Where its pages are.
    base: Url,
    keys: KeyRing,
    random: Arc<dyn Random>,
}

/// What a link to cancel is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelLink {
    /// The booking.
    pub booking: BookingId,
    /// On whose behalf.
    pub party: Role,
    /// Until when.
    pub expires: Timestamp,
}

impl Links {
    /// Links into the pages at `base`, with tokens that are sealed with these keys.
    pub fn new(base: Url, keys: KeyRing, random: Arc<dyn Random>) -> Self {
        Self { base, keys, random }
    }

    /// The page that takes the token of an address.
    pub(crate) fn confirm(&self, person: &Did, token: &str) -> String {
        self.page(
            CONFIRM_PAGE,
            &[("person", person.as_str()), ("token", token)],
        )
    }

    /// The page on which a party calls a booking off.
    pub(crate) fn cancel(&self, link: &CancelLink) -> String {
        let plain = serde_json::to_vec(link).expect("an id, a word and a number are JSON");
        let token = self.keys.seal(&*self.random, CANCEL, &plain);
        self.page(CANCEL_PAGE, &[("token", token.as_str())])
    }

    /// What the token of a link to cancel is good for, if it was made here and is not over at `now`.
    pub fn read_cancel(&self, token: &str, now: Timestamp) -> Option<CancelLink> {
        let plain = self.keys.open(CANCEL, &Sealed::from(token.to_owned()));
        let link: CancelLink = serde_json::from_slice(&plain.ok()?).ok()?;
        (now < link.expires).then_some(link)
    }

    fn page(&self, page: &str, query: &[(&str, &str)]) -> String {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(page);
        }
        url.query_pairs_mut().clear().extend_pairs(query);
        url.into()
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}
