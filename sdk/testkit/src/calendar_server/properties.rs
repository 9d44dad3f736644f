//! What is said of resources (RFC 4918 §9.1).

use huddle_ports::{HeaderMap, StatusCode};
use quick_xml::escape::escape;

use super::calendar::Calendar;
use super::question::{CALDAV, CALENDAR_SERVER, DAV, Name, Question};
use super::{Answer, Paths, Resource};

/// Answers a PROPFIND.
pub(super) fn answer(
    paths: Paths,
    calendar: &Calendar,
    resource: Resource<'_>,
    question: &Question,
    headers: &HeaderMap,
) -> Answer {
    if !question.root.is(DAV, "propfind") {
        return Answer::of(StatusCode::BAD_REQUEST);
    }
    let is_gone = |name| calendar.event(name).is_none();
    if matches!(resource, Resource::Event(name) if is_gone(name)) {
        return Answer::of(StatusCode::NOT_FOUND);
    }
    let inside = match headers
        .get("depth")
        .map(huddle_ports::HeaderValue::as_bytes)
    {
        Some(b"0") => Vec::new(),
        Some(b"1") => inside(calendar, resource),
        // All that there is (RFC 4918 §9.1).
        _ => return Answer::refused("<D:propfind-finite-depth/>"),
    };
    let said = [resource].into_iter().chain(inside);
    let said = said.map(|resource| {
        let value = |name: &Name| value(paths, calendar, resource, name);
        response(&paths.of(resource), &question.properties, value)
    });
    Answer::multistatus(&said.collect::<String>())
}

/// What is directly in a resource.
fn inside<'a>(calendar: &'a Calendar, resource: Resource<'_>) -> Vec<Resource<'a>> {
    match resource {
        Resource::Home => vec![Resource::Calendar],
        Resource::Calendar => {
            let events = calendar.events();
            events.map(|(name, _)| Resource::Event(name)).collect()
        }
        Resource::Root | Resource::Principal | Resource::Event(_) => Vec::new(),
    }
}

/// What is said of one resource: the properties that it has, and those that it has not.
pub(super) fn response(
    href: &str,
    names: &[Name],
    value: impl Fn(&Name) -> Option<String>,
) -> String {
    let (mut found, mut missing) = (String::new(), String::new());
    for name in names {
        match value(name) {
            Some(value) => found.push_str(&name.around(&value)),
            None => missing.push_str(&name.around("")),
        }
    }
    let part = |names: &str, status: &str| {
        if names.is_empty() {
            return String::new();
        }
        format!(
            "<D:propstat><D:prop>{names}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"
        )
    };
    let mut parts = part(&found, "200 OK") + &part(&missing, "404 Not Found");
    if parts.is_empty() {
        // Who asks for nothing hears that it is there.
        parts.push_str("<D:status>HTTP/1.1 200 OK</D:status>");
    }
    let href = escape(href);
    format!("<D:response><D:href>{href}</D:href>{parts}</D:response>")
}

/// A property of a resource, as XML; `None` if it has none of that name.
pub(super) fn value(
    paths: Paths,
    calendar: &Calendar,
    resource: Resource<'_>,
    name: &Name,
) -> Option<String> {
    let link = |path: String| format!("<D:href>{path}</D:href>");
    let of_dav = |local: &str| name.is(DAV, local);
    if of_dav("current-user-principal") {
        return Some(link(paths.principal()));
    }
    if of_dav("resourcetype") {
        let kind = match resource {
            Resource::Principal => "<D:collection/><D:principal/>",
            Resource::Calendar => "<D:collection/><C:calendar/>",
            Resource::Root | Resource::Home => "<D:collection/>",
            Resource::Event(_) => "",
        };
        return Some(kind.to_owned());
    }
    match resource {
        Resource::Principal if name.is(CALDAV, "calendar-home-set") => Some(link(paths.home())),
        Resource::Calendar => of_calendar(calendar, name),
        Resource::Event(event) if of_dav("getetag") => {
            let etag = calendar.event(event)?.etag();
            Some(escape(etag).into_owned())
        }
        Resource::Event(_) if of_dav("getcontenttype") => {
            Some("text/calendar; charset=utf-8; component=VEVENT".to_owned())
        }
        Resource::Root | Resource::Principal | Resource::Home | Resource::Event(_) => None,
    }
}

fn of_calendar(calendar: &Calendar, name: &Name) -> Option<String> {
    let known = [
        (DAV, "displayname", "Calendar"),
        (
            DAV,
            "current-user-privilege-set",
            "<D:privilege><D:all/></D:privilege>",
        ),
        (
            DAV,
            "supported-report-set",
            "<D:supported-report><D:report><C:calendar-query/></D:report></D:supported-report>\
             <D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report>",
        ),
        (
            CALDAV,
            "supported-calendar-component-set",
            "<C:comp name=\"VEVENT\"/>",
        ),
    ];
    if name.is(DAV, "sync-token") || name.is(CALENDAR_SERVER, "getctag") {
        return Some(token(calendar));
    }
    let mut known = known.into_iter();
    let (_, _, value) = known.find(|(namespace, local, _)| name.is(namespace, local))?;
    Some(value.to_owned())
}

/// What stands for the calendar as it is: a URI, as tokens have to be (RFC 6578 §3.2).
pub(super) fn token(calendar: &Calendar) -> String {
    format!("{TOKEN}{}", calendar.version())
}

/// How tokens begin.
pub(super) const TOKEN: &str = "data:,";
