//! What a PROPFIND or REPORT asks for, out of its XML.

use chrono::NaiveDateTime;
use huddle_ports::{Bytes, Timestamp};
use huddle_schedule::Interval;
use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

pub(super) const DAV: &str = "DAV:";
pub(super) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
pub(super) const CALENDAR_SERVER: &str = "http://calendarserver.org/ns/";

/// How deep elements may be nested; those that are answered have five levels.
const MAX_DEPTH: usize = 16;

/// The name of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) local: String,
}

impl Name {
    pub(super) fn is(&self, namespace: &str, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }

    /// An element of this name.
    pub(super) fn around(&self, content: &str) -> String {
        let Self { namespace, local } = self;
        let namespace = quick_xml::escape::escape(namespace.as_str());
        format!(r#"<{local} xmlns="{namespace}">{content}</{local}>"#)
    }
}

/// A question.
#[derive(Debug)]
pub(super) struct Question {
    /// What kind of question it is.
    pub(super) root: Name,
    /// The properties that are asked for.
    pub(super) properties: Vec<Name>,
    /// The window that events are asked of.
    pub(super) window: Option<Interval>,
    /// Whether what is asked of is something else than when events are.
    pub(super) has_other_filter: bool,
    /// The text of the token to compare with.
    pub(super) token: String,
}

impl Question {
    /// Reads one; `None` of what is none.
    pub(super) fn read(body: &Bytes) -> Option<Self> {
        let mut reader = NsReader::from_str(str::from_utf8(body).ok()?);
        let mut open: Vec<Name> = Vec::new();
        let mut read: Option<Self> = None;
        loop {
            let (resolved, event) = reader.read_resolved_event().ok()?;
            match event {
                Event::Start(start) => {
                    let name = name(&resolved, &start)?;
                    Self::note(&mut read, &open, &name, &start)?;
                    open.push(name);
                }
                Event::Empty(start) => {
                    Self::note(&mut read, &open, &name(&resolved, &start)?, &start)?;
                }
                Event::End(_) => {
                    open.pop()?;
                }
                Event::Text(text) => {
                    let is_token = |name: &Name| name.is(DAV, "sync-token");
                    if let Some(read) = read.as_mut().filter(|_| open.last().is_some_and(is_token))
                    {
                        read.token.push_str(text.xml10_content().trim());
                    }
                }
                // Neither entities of one's own nor what they may refer to (RFC 4918 §20.6).
                Event::DocType(_) => return None,
                Event::Eof => return read.filter(|_| open.is_empty()),
                _ => {}
            }
        }
    }

    /// Notes what an element says that stands in these.
    fn note(
        read: &mut Option<Self>,
        open: &[Name],
        name: &Name,
        start: &BytesStart<'_>,
    ) -> Option<()> {
        let Some(question) = read else {
            *read = Some(Self {
                root: name.clone(),
                properties: Vec::new(),
                window: None,
                has_other_filter: false,
                token: String::new(),
            });
            return Some(());
        };
        if open.is_empty() || open.len() >= MAX_DEPTH {
            return None;
        }
        let is_asked_for = open.len() == 2 && open[1].is(DAV, "prop");
        if is_asked_for {
            question.properties.push(name.clone());
        } else if name.is(CALDAV, "time-range") {
            question.window = Some(window(start)?);
        } else if name.namespace == CALDAV && name.local.ends_with("-filter") {
            question.has_other_filter |= !is_known_filter(name, start);
        }
        Some(())
    }
}

/// Whether a filter is the calendar or its events.
fn is_known_filter(name: &Name, start: &BytesStart<'_>) -> bool {
    let component = attribute(start, "name");
    name.local == "comp-filter" && matches!(component.as_deref(), Some("VCALENDAR" | "VEVENT"))
}

fn name(resolved: &ResolveResult<'_>, start: &BytesStart<'_>) -> Option<Name> {
    let namespace = match resolved {
        ResolveResult::Bound(Namespace(namespace)) => (*namespace).to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(_) => return None,
    };
    let local = start.local_name().as_ref().to_owned();
    Some(Name { namespace, local })
}

/// What a time range is; an end that it does not name is that of time (RFC 4791 §9.9).
fn window(start: &BytesStart<'_>) -> Option<Interval> {
    let moment = |name: &str, missing: Timestamp| match attribute(start, name) {
        Some(text) => utc(&text),
        None => Some(missing),
    };
    let from = moment("start", Interval::ALWAYS.start())?;
    Interval::new(from, moment("end", Interval::ALWAYS.end())?)
}

fn utc(text: &str) -> Option<Timestamp> {
    let moment = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok()?;
    Some(Timestamp::from_millis(moment.and_utc().timestamp_millis()))
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = start.try_get_attribute(name).ok()??;
    Some(attribute.value.into_owned())
}
