//! The AppView's own pages, to which people are sent.

use std::fmt;
use std::sync::Arc;

use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::webhooks::Webhooks;
use huddle_ports::{FetchPolicy, Random, Url};
use huddle_syntax::{SyntaxError, Uri};

/// Where the pages are, and what tickets for them are made with.
#[derive(Clone)]
pub struct Pages {
    /// The address of the page on which a calendar is connected.
    pub connect: Url,
    /// The address of the page on which settings are made.
    pub settings: Url,
    /// What seals tickets.
    pub keys: KeyRing,
    /// What makes each of them another.
    pub random: Arc<dyn Random>,
}

impl Pages {
    /// Where people have their news posted, sealed as their calendars are: to hosts on the public Internet, and to this
    /// machine only where the pages themselves are on it. That is what is taken; what is posted, the network looks at
    /// again.
    pub fn webhooks(&self) -> Webhooks {
        let host = self.settings.host_str();
        let policy = if matches!(host, Some("localhost" | "127.0.0.1" | "[::1]")) {
            FetchPolicy::development()
        } else {
            FetchPolicy::public()
        };
        Webhooks::new(self.keys.clone(), Arc::clone(&self.random), policy)
    }
}

/// The address of a page as a ticket opens it.
pub(super) fn opened_by(page: &Url, ticket: &str) -> Result<Uri, SyntaxError> {
    let mut url = page.clone();
    url.query_pairs_mut().append_pair("ticket", ticket);
    url.as_str().parse()
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("connect", &self.connect.as_str())
            .field("settings", &self.settings.as_str())
            .finish_non_exhaustive()
    }
}
