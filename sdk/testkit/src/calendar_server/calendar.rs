//! A calendar: its events, and which of them has changed since when.

use std::collections::BTreeMap;

use huddle_ports::{Bytes, HeaderMap, HeaderValue, StatusCode, header};
use huddle_schedule::icalendar::{Agenda, Component, Limits, decode, parse};
use huddle_schedule::{Interval, Zone};

use super::Answer;

#[derive(Default)]
pub(super) struct Calendar {
    /// How often it was changed.
    version: u64,
    events: BTreeMap<String, Event>,
    /// The names of events that are there no more, and since which version.
    removed: BTreeMap<String, u64>,
}

pub(super) struct Event {
    pub(super) text: String,
    /// That of the calendar when it was written.
    version: u64,
}

impl Event {
    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }

    /// Whether it may happen in a window. What cannot be read may happen at any time.
    pub(super) fn may_be_in(&self, window: Interval) -> bool {
        let Ok(components) = parse(&self.text, &Limits::default()) else {
            return true;
        };
        let agenda = Agenda::of(&components, Limits::default());
        let found = agenda.expand(window, Zone::UTC);
        !found.occurrences.is_empty() || !found.problems.is_empty()
    }
}

impl Calendar {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (&str, &Event)> {
        self.events.iter().map(|(name, event)| (&**name, event))
    }

    pub(super) fn event(&self, name: &str) -> Option<&Event> {
        self.events.get(name)
    }

    pub(super) fn changed_since(&self, version: u64) -> impl Iterator<Item = (&str, &Event)> {
        self.events()
            .filter(move |(_, event)| event.version > version)
    }

    pub(super) fn removed_since(&self, version: u64) -> impl Iterator<Item = &str> {
        let removed = self.removed.iter();
        let since = removed.filter(move |(_, removed_at)| **removed_at > version);
        since.map(|(name, _)| &**name)
    }

    pub(super) fn write(&mut self, name: &str, text: String) {
        self.version += 1;
        let version = self.version;
        self.removed.remove(name);
        self.events.insert(name.to_owned(), Event { text, version });
    }

    pub(super) fn get(&self, name: &str) -> Answer {
        let Some(event) = self.events.get(name) else {
            return Answer::of(StatusCode::NOT_FOUND);
        };
        let calendar = HeaderValue::from_static("text/calendar; charset=utf-8");
        let answer = self.tagged(StatusCode::OK, name);
        Answer {
            body: event.text.clone(),
            ..answer.with(header::CONTENT_TYPE, calendar)
        }
    }

    /// Writes what somebody has sent, unless something stands against it (RFC 4791 §5.3.2).
    pub(super) fn put(&mut self, name: &str, headers: &HeaderMap, body: &Bytes) -> Answer {
        if !self.is_as_expected(name, headers) {
            return Answer::of(StatusCode::PRECONDITION_FAILED);
        }
        let text = decode(body);
        let Some(new) = uid(&text) else {
            return Answer::refused("<C:valid-calendar-object-resource/>");
        };
        let mut others = self.events.iter().filter(|(other, _)| *other != name);
        if others.any(|(_, event)| uid(&event.text).is_some_and(|uid| uid == new)) {
            return Answer::refused("<C:no-uid-conflict/>");
        }
        let status = if self.events.contains_key(name) {
            StatusCode::NO_CONTENT
        } else {
            StatusCode::CREATED
        };
        self.write(name, text.into_owned());
        self.tagged(status, name)
    }

    pub(super) fn delete(&mut self, name: &str, headers: &HeaderMap) -> Answer {
        if !self.is_as_expected(name, headers) {
            return Answer::of(StatusCode::PRECONDITION_FAILED);
        }
        if self.events.remove(name).is_none() {
            return Answer::of(StatusCode::NOT_FOUND);
        }
        self.version += 1;
        self.removed.insert(name.to_owned(), self.version);
        Answer::of(StatusCode::NO_CONTENT)
    }

    /// Whether an event is in the version that a request is made for (RFC 9110 §13.1).
    fn is_as_expected(&self, name: &str, headers: &HeaderMap) -> bool {
        let present = self.events.get(name).map(Event::etag);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let is_present = |wanted: &str| match &present {
            Some(etag) => wanted == "*" || wanted == etag,
            None => false,
        };
        text(header::IF_MATCH).is_none_or(is_present)
            && !text(header::IF_NONE_MATCH).is_some_and(is_present)
    }

    fn tagged(&self, status: StatusCode, name: &str) -> Answer {
        let answer = Answer::of(status);
        let etag = self.events.get(name).map(Event::etag);
        match etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
            Some(etag) => answer.with(header::ETAG, etag),
            None => answer,
        }
    }
}

/// The UID that all events of a resource have (RFC 4791 §4.1); `None` of what is no such resource.
pub(super) fn uid(text: &str) -> Option<String> {
    let components = parse(text, &Limits::default()).ok()?;
    let [calendar] = &components[..] else {
        return None;
    };
    let is_stored = calendar.is("VCALENDAR") && calendar.property("METHOD").is_none();
    let events = calendar.components.iter().filter(|it| it.is("VEVENT"));
    let mut uids = events.map(uid_of);
    let first = uids.next().filter(|_| is_stored)??;
    uids.all(|uid| uid.as_ref() == Some(&first))
        .then_some(first)
}

fn uid_of(event: &Component<'_>) -> Option<String> {
    let uid = event.property("UID")?.text();
    (!uid.trim().is_empty()).then(|| uid.trim().to_owned())
}
