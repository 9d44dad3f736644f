//! What has changed in a calendar since it was last asked (RFC 6578).

use std::borrow::Cow;

use huddle_ports::{Fetch, Timestamp};

use super::multistatus::Multistatus;
use super::xml::{self, Namespace};
use super::{CalDav, Depth, properties, question};
use crate::error::CalendarError;
use crate::http::Client;
use crate::snapshot::Version;

/// What has changed in a calendar.
///
/// Servers may name more than has changed; what they give as the [`token`](Self::token) stands for all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// What to ask with next time.
    pub token: String,
    /// Whether the server has more to say, to whoever asks with this token.
    pub is_partial: bool,
    /// The resources that are new or changed, by their names in the calendar.
    pub changed: Vec<String>,
    /// The resources that are there no more.
    pub removed: Vec<String>,
}

impl Changes {
    /// Whether nothing at all has changed.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty() && !self.is_partial
    }
}

impl CalDav {
    /// What has changed since the server gave `token`; everything, without one. `None` if the server does not know
    /// the token any more, or keeps no track: then only reading the calendar tells.
    pub async fn changes(
        &self,
        fetch: &dyn Fetch,
        now: Timestamp,
        token: Option<&str>,
    ) -> Result<Option<Changes>, CalendarError> {
        let client = self.client(fetch, now);
        let token = xml::escape(token.unwrap_or_default());
        let body = format!(
            r#"<?xml version="1.0" encoding="utf-8"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"#
        );
        let request = question(b"REPORT", self.collection.clone(), Depth::Zero, body);
        let response = client.ask(request).await?;
        match response.status.as_u16() {
            207 => {
                let answer = Multistatus::parse(&response.body, &response.final_url)?;
                self.read_changes(answer).map(Some)
            }
            // RFC 6578 §3.2 has 403 and 409 for a token that is not valid; servers also say 400, 410 and 412, and
            // 405, 415 and 501 where they know no such report. Whatever else it may mean comes up again when the
            // calendar is read.
            400 | 403 | 405 | 409 | 410 | 412 | 415 | 501 => Ok(None),
            200..300 => Err(CalendarError::NotACalendar),
            _ => Err(client.refusal(&response)),
        }
    }

    fn read_changes(&self, answer: Multistatus) -> Result<Changes, CalendarError> {
        let token = answer.sync_token.filter(|token| !token.is_empty());
        let mut changes = Changes {
            token: token.ok_or_else(|| broken("it gives no sync token"))?,
            is_partial: false,
            changed: Vec::new(),
            removed: Vec::new(),
        };
        for resource in answer.resources {
            let name = resource.name().filter(|_| !self.is_self(&resource.url));
            match (resource.status, name) {
                // The answer was cut short (RFC 6578 §3.6).
                (Some(507), _) => changes.is_partial = true,
                // The calendar itself, which some servers name among what is in it.
                (_, None) => {}
                (Some(404), Some(name)) => changes.removed.push(name.to_owned()),
                (None | Some(200), Some(name)) => changes.changed.push(name.to_owned()),
                (Some(_), Some(_)) => return Err(broken("it cannot tell what has changed")),
            }
        }
        Ok(changes)
    }
}

/// By what the calendar can be recognised as unchanged.
pub(super) async fn version(
    calendar: &CalDav,
    client: &Client<'_>,
) -> Result<Version, CalendarError> {
    let names = "<D:sync-token/><S:getctag/>";
    let url = calendar.collection.clone();
    let answer = properties(client, url, Depth::Zero, names).await?;
    let text = |namespace, name| {
        answer
            .resources
            .iter()
            .find_map(|resource| resource.text(namespace, name))
            .map(str::to_owned)
    };
    Ok(text(Namespace::Dav, "sync-token")
        .map(Version::SyncToken)
        .or_else(|| text(Namespace::CalendarServer, "getctag").map(Version::CollectionTag))
        .unwrap_or(Version::Unknown))
}

fn broken(what: &'static str) -> CalendarError {
    CalendarError::Broken(Cow::Borrowed(what))
}
