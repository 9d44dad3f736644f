//! What a server says of several resources at once (RFC 4918 §13, RFC 6578 §6.4).

use std::borrow::Cow;

use huddle_ports::{Bytes, Url};

use super::xml::{self, Element, Namespace};
use crate::error::CalendarError;

/// The answer to a PROPFIND or REPORT.
#[derive(Debug)]
pub(super) struct Multistatus {
    /// What it says of each resource.
    pub(super) resources: Vec<Resource>,
    /// What to ask with next time, of a sync-collection REPORT.
    pub(super) sync_token: Option<String>,
}

/// What a server says of one resource.
#[derive(Debug)]
pub(super) struct Resource {
    /// Where it is.
    pub(super) url: Url,
    /// The status of the whole; without one each property has its own.
    pub(super) status: Option<u16>,
    /// What has the properties that the server gave, with status 200.
    found: Vec<Element>,
}

impl Resource {
    /// A property that the server gave.
    pub(super) fn property(&self, namespace: Namespace, name: &str) -> Option<&Element> {
        self.found
            .iter()
            .find_map(|properties| properties.child(namespace, name))
    }

    /// The text of a property that the server gave and that is not empty.
    pub(super) fn text(&self, namespace: Namespace, name: &str) -> Option<&str> {
        let text = self.property(namespace, name)?.text();
        (!text.is_empty()).then_some(text)
    }

    /// The last part of its path, which names it within its collection.
    pub(super) fn name(&self) -> Option<&str> {
        self.url
            .path_segments()?
            .next_back()
            .filter(|name| !name.is_empty())
    }
}

impl Multistatus {
    /// Reads an answer from `base`.
    pub(super) fn parse(body: &Bytes, base: &Url) -> Result<Self, CalendarError> {
        let root = xml::parse(body)?;
        // What is unknown is passed over (RFC 4918 §17), but nothing that may have been meant as an event.
        if !root.is(Namespace::Dav, "multistatus") || root.has_mistaken(Namespace::Dav, "response")
        {
            return Err(incomplete());
        }
        let sync_token = root
            .child(Namespace::Dav, "sync-token")
            .map(|token| token.text().to_owned());
        let mut resources = Vec::new();
        for response in root.into_children(Namespace::Dav, "response") {
            read_response(response, base, &mut resources)?;
        }
        Ok(Self {
            resources,
            sync_token,
        })
    }
}

/// Reads one `response`: of one resource with its properties, or of several with one status.
fn read_response(
    response: Element,
    base: &Url,
    resources: &mut Vec<Resource>,
) -> Result<(), CalendarError> {
    let whole = status(&response)?;
    let urls = response
        .children(Namespace::Dav, "href")
        .map(|href| base.join(href.text()).map_err(|_| incomplete()))
        .collect::<Result<Vec<Url>, _>>()?;
    let mut found = Vec::new();
    let mut answered = whole.is_some();
    for propstat in response.into_children(Namespace::Dav, "propstat") {
        answered = true;
        if status(&propstat)?.ok_or_else(incomplete)? == 200 {
            found.extend(propstat.into_children(Namespace::Dav, "prop"));
        }
    }
    // Several resources have one status between them, and no properties.
    if urls.is_empty() || !answered || (urls.len() > 1 && !found.is_empty()) {
        return Err(incomplete());
    }
    resources.extend(urls.into_iter().map(|url| Resource {
        url,
        status: whole,
        found: std::mem::take(&mut found),
    }));
    Ok(())
}

/// The code in an HTTP status line (RFC 4918 §14.28), if there is one.
fn status(element: &Element) -> Result<Option<u16>, CalendarError> {
    let Some(line) = element.child(Namespace::Dav, "status") else {
        return Ok(None);
    };
    let code = line.text().split_ascii_whitespace().nth(1);
    let code = code.and_then(|code| code.parse().ok());
    code.map(Some).ok_or_else(incomplete)
}

fn incomplete() -> CalendarError {
    CalendarError::Broken(Cow::Borrowed("its multistatus is incomplete"))
}

#[cfg(test)]
mod tests;
