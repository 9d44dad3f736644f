//! Which events there are: in a window (RFC 4791 §7.8), or changed since a token was given (RFC 6578 §3).

use huddle_ports::StatusCode;
use quick_xml::escape::escape;

use super::calendar::{Calendar, Event};
use super::properties::{TOKEN, response, token, value};
use super::question::{CALDAV, DAV, Name, Question};
use super::{Answer, Paths, Resource};

/// Answers a REPORT on a calendar.
pub(super) fn answer(paths: Paths, calendar: &Calendar, question: &Question) -> Answer {
    if question.root.is(CALDAV, "calendar-query") {
        query(paths, calendar, question)
    } else if question.root.is(DAV, "sync-collection") {
        changes(paths, calendar, question)
    } else {
        Answer::refused("<D:supported-report/>")
    }
}

fn query(paths: Paths, calendar: &Calendar, question: &Question) -> Answer {
    if question.has_other_filter {
        return Answer::refused("<C:supported-filter/>");
    }
    let window = question.window;
    let in_window =
        |(_, event): &(&str, &Event)| window.is_none_or(|window| event.may_be_in(window));
    let events = calendar.events().filter(in_window);
    let said = events.map(|(name, event)| shown(paths, calendar, name, event, question));
    Answer::multistatus(&said.collect::<String>())
}

fn changes(paths: Paths, calendar: &Calendar, question: &Question) -> Answer {
    // Without a token all that there is, and nothing of what was (RFC 6578 §3.4).
    let is_first = question.token.is_empty();
    let since = match question.token.strip_prefix(TOKEN) {
        None if is_first => Some(0),
        number => number.and_then(|number| number.parse().ok()),
    };
    let Some(since) = since.filter(|since| *since <= calendar.version()) else {
        return Answer::refused("<D:valid-sync-token/>");
    };
    let changed = calendar.changed_since(since);
    let changed = changed.map(|(name, event)| shown(paths, calendar, name, event, question));
    let removed = calendar.removed_since(since).filter(|_| !is_first);
    let removed = removed.map(|name| gone(&paths.event(name)));
    let token = format!("<D:sync-token>{}</D:sync-token>", token(calendar));
    let said = changed.chain(removed).chain([token]);
    Answer::multistatus(&said.collect::<String>())
}

/// What is said of an event, which may be shown itself.
fn shown(
    paths: Paths,
    calendar: &Calendar,
    name: &str,
    event: &Event,
    question: &Question,
) -> String {
    let value = |property: &Name| {
        if property.is(CALDAV, "calendar-data") {
            return Some(escape(&*event.text).into_owned());
        }
        value(paths, calendar, Resource::Event(name), property)
    };
    response(&paths.event(name), &question.properties, value)
}

fn gone(href: &str) -> String {
    let status = StatusCode::NOT_FOUND;
    let href = escape(href);
    format!(
        "<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 {status}</D:status></D:response>"
    )
}
