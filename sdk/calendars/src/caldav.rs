//! Calendars on a CalDAV server (RFC 4791): what they say, and what is written to them.

mod discovery;
mod multistatus;
mod own;
mod query;
mod sync;
mod xml;

use std::fmt;

use huddle_ports::{Fetch, HeaderName, HeaderValue, Method, Request, Timestamp, Url};
use serde::{Deserialize, Serialize};

use crate::credentials::Credentials;
use crate::error::CalendarError;
use crate::http::{Client, with_body};
use multistatus::Multistatus;

pub use discovery::{FoundCalendar, MAX_CALENDARS, ServiceDns, discover, locate};
pub use sync::Changes;

/// One calendar of an account on a CalDAV server.
#[derive(Clone, PartialEq, Eq)]
pub struct CalDav {
    collection: Url,
    credentials: Credentials,
    access: Access,
}

/// What an account may do with a calendar (RFC 3744 §3, RFC 4791 §6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Read it and write to it.
    Write,
    /// Read it.
    Read,
    /// Learn when its owner is busy, and nothing more. What is busy there is for the server to say: no event can be
    /// left out, and of the person's rules only that about tentative events applies.
    FreeBusy,
}

impl CalDav {
    /// The calendar at an address that [`discover`] gave, with the credentials and the access that it gave.
    pub fn new(mut collection: Url, credentials: Credentials, access: Access) -> Self {
        // What is in a collection is found relative to its address.
        if !collection.path().ends_with('/') {
            collection.set_path(&format!("{}/", collection.path()));
        }
        Self {
            collection,
            credentials,
            access,
        }
    }

    /// What the account may do with it.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Whether an address is that of the calendar itself.
    fn is_self(&self, url: &Url) -> bool {
        url.path().trim_end_matches('/') == self.collection.path().trim_end_matches('/')
    }

    fn client<'a>(&'a self, fetch: &'a dyn Fetch, now: Timestamp) -> Client<'a> {
        Client::new(fetch, Some(&self.credentials), now)
    }
}

impl fmt::Debug for CalDav {
    /// Leaves out the path, which often names the person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CalDav")
            .field("origin", &self.collection.origin().ascii_serialization())
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// How much of what is below a resource is asked about (RFC 4918 §10.2).
#[derive(Clone, Copy)]
enum Depth {
    /// Only itself.
    Zero,
    /// It and what is directly in it.
    One,
}

const XML: &str = "application/xml; charset=utf-8";

/// A question in XML.
fn question(method: &'static [u8], url: Url, depth: Depth, body: String) -> Request {
    let method = Method::from_bytes(method).expect("it is a name");
    let depth = match depth {
        Depth::Zero => "0",
        Depth::One => "1",
    };
    with_body(method, url, XML, body).header(
        HeaderName::from_static("depth"),
        HeaderValue::from_static(depth),
    )
}

/// Asks for properties: the names of elements, with the prefixes `D`, `C` and `S`.
async fn properties(
    client: &Client<'_>,
    url: Url,
    depth: Depth,
    names: &str,
) -> Result<Multistatus, CalendarError> {
    let body = format!(
        r#"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"><D:prop>{names}</D:prop></D:propfind>"#
    );
    let response = client.ask(question(b"PROPFIND", url, depth, body)).await?;
    match response.status.as_u16() {
        207 => Multistatus::parse(&response.body, &response.final_url),
        // It answers, and does not know what WebDAV is.
        200..300 => Err(CalendarError::NotACalendar),
        _ => Err(client.refusal(&response)),
    }
}
