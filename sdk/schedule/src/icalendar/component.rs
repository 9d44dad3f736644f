//! Components and properties (RFC 5545 §3.1, §3.4, §3.6), whatever their names: what every iCalendar file is
//! made of.

use super::text::{self, fold, lines};
use super::{Limits, ReadError};
use std::borrow::Cow;
use std::fmt;

/// One content line: a name, parameters and a value.
///
/// A line without a colon keeps its name, and what is left is its value: whoever needs that property finds
/// it unreadable, rather than absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    line: Cow<'a, str>,
    /// Where the name ends, where the parameters begin, and where the value does.
    name_end: usize,
    name_stop: usize,
    value_start: usize,
}

impl<'a> Property<'a> {
    fn parse(line: Cow<'a, str>) -> Self {
        let name_stop = line.find([';', ':', '=']).unwrap_or(line.len());
        let name_end = line[..name_stop].trim_ascii_end().len();
        let value_start = match line.as_bytes().get(name_stop) {
            Some(b':') => name_stop + 1,
            Some(b';') => name_stop + value_start(&line[name_stop..]),
            _ => name_stop,
        };
        Self {
            line,
            name_end,
            name_stop,
            value_start,
        }
    }

    /// A property whose value holds no line break.
    pub(super) fn new(name: &str, parameters: &[(&str, &str)], value: &str) -> Property<'static> {
        let mut line = name.to_owned();
        for (name, value) in parameters {
            line.extend([";", *name, "=", &text::parameter(value)]);
        }
        let value_start = line.len() + 1;
        line.push(':');
        line.push_str(value);
        Property {
            line: line.into(),
            name_end: name.len(),
            name_stop: name.len(),
            value_start,
        }
    }

    /// The name, as written.
    pub fn name(&self) -> &str {
        &self.line[..self.name_end]
    }

    /// Whether it has this name; case does not matter.
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// The value, as written.
    pub fn value(&self) -> &str {
        &self.line[self.value_start..]
    }

    /// The value, which is of type TEXT.
    pub fn text(&self) -> Cow<'_, str> {
        text::unescape(self.value())
    }

    /// The value of the first parameter of this name, without quotes; of a list, all of it.
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self
            .parameters()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Names and values of all parameters.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let end = self.value_start.saturating_sub(1).max(self.name_stop);
        let mut rest = &self.line[self.name_stop..end];
        std::iter::from_fn(move || {
            rest = rest.strip_prefix(';')?;
            let end = unquoted_end(rest, b";").unwrap_or(rest.len());
            let parameter = &rest[..end];
            rest = &rest[end..];
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            Some((name.trim(), text::unquoted(value)))
        })
    }
}

/// Where the value begins in what follows a name. A quote that is never closed quotes nothing.
fn value_start(text: &str) -> usize {
    let colon = unquoted_end(text, b":").or_else(|| text.find(':'));
    colon.map_or(0, |colon| colon + 1)
}

/// Where the first of `ends` stands that is not between quotes.
fn unquoted_end(text: &str, ends: &[u8]) -> Option<usize> {
    let mut quoted = false;
    text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        !quoted && ends.contains(&byte)
    })
}

/// What stands between `BEGIN` and `END`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component<'a> {
    /// The name, as written.
    pub name: Cow<'a, str>,
    /// In the order of the file.
    pub properties: Vec<Property<'a>>,
    /// Components within this one, in the order of the file.
    pub components: Vec<Component<'a>>,
}

impl<'a> Component<'a> {
    pub(super) fn new(name: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Whether it has this name; case does not matter.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first property of this name.
    pub fn property(&self, name: &str) -> Option<&Property<'a>> {
        self.properties.iter().find(|property| property.is(name))
    }
}

/// Reads the outermost components of a text, which need not be calendars.
///
/// An `END` closes the innermost component of its name; one that names nothing open closes what stands outermost,
/// if nothing else is open and no part of a calendar has that name, and is passed over otherwise. Parts of a calendar
/// lie beside each other: an event whose `END` is missing or misspelt ends where the next begins. A component that is
/// never closed is an error: the text may be cut off, and what is missing may be time that is taken.
pub fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Vec<Component<'a>>, ReadError> {
    if text.len() > limits.bytes {
        return Err(ReadError::TooLarge { most: limits.bytes });
    }
    let mut roots = Vec::new();
    let mut open: Vec<Component<'a>> = Vec::new();
    let mut events = 0;
    for (count, line) in lines(text).enumerate() {
        if count >= limits.lines {
            return Err(ReadError::TooManyLines { most: limits.lines });
        }
        let property = Property::parse(line);
        if property.is("BEGIN") {
            close_beside(property.value().trim(), &mut open, &mut roots);
            if open.len() >= limits.depth {
                return Err(ReadError::TooDeep { most: limits.depth });
            }
            let component = Component::new(property.value().trim().to_owned());
            events += usize::from(component.is("VEVENT"));
            if events > limits.events {
                return Err(ReadError::TooManyEvents {
                    most: limits.events,
                });
            }
            open.push(component);
        } else if property.is("END") {
            close(property.value().trim(), &mut open, &mut roots);
        } else if let Some(component) = open.last_mut() {
            component.properties.push(property);
        }
    }
    if let Some(outermost) = open.first() {
        return Err(ReadError::CutOff {
            component: outermost.name.chars().take(40).collect(),
        });
    }
    if roots.is_empty() {
        return Err(ReadError::NoComponent);
    }
    Ok(roots)
}

/// What lies in a calendar, and never in another of these (RFC 5545 §3.6).
const PARTS: [&str; 5] = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"];

/// What lies in a `VTIMEZONE`, and never in another of these (RFC 5545 §3.6.5).
const OBSERVANCES: [&str; 2] = ["STANDARD", "DAYLIGHT"];

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// Closes what cannot hold a component of this name, which begins.
fn close_beside<'a>(name: &str, open: &mut Vec<Component<'a>>, roots: &mut Vec<Component<'a>>) {
    let beside: &[&str] = if is_one_of(&OBSERVANCES, name) {
        &OBSERVANCES
    } else if is_one_of(&PARTS, name) || name.eq_ignore_ascii_case("VCALENDAR") {
        &PARTS
    } else {
        return;
    };
    let place = open
        .iter()
        .position(|component| is_one_of(beside, &component.name));
    if let Some(place) = place {
        close_from(place, open, roots);
    }
}

fn close<'a>(name: &str, open: &mut Vec<Component<'a>>, roots: &mut Vec<Component<'a>>) {
    let place = open.iter().rposition(|component| component.is(name));
    let misspelt = open.len() == 1 && !is_one_of(&PARTS, name);
    if let Some(place) = place.or(misspelt.then_some(0)) {
        close_from(place, open, roots);
    }
}

/// Closes the open component at this place. Whatever was not closed within it ends with it.
fn close_from<'a>(place: usize, open: &mut Vec<Component<'a>>, roots: &mut Vec<Component<'a>>) {
    while open.len() > place
        && let Some(component) = open.pop()
    {
        match open.last_mut() {
            Some(parent) => parent.components.push(component),
            None => roots.push(component),
        }
    }
}

impl fmt::Display for Component<'_> {
    /// Content lines, each ended by CR LF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fold(&format!("BEGIN:{}", self.name), f)?;
        for property in &self.properties {
            fold(&property.line, f)?;
        }
        for component in &self.components {
            component.fmt(f)?;
        }
        fold(&format!("END:{}", self.name), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(line: &str) -> Property<'_> {
        Property::parse(line.into())
    }

    #[track_caller]
    fn check(line: &str, name: &str, parameters: &[(&str, &str)], value: &str) {
        let property = property(line);
        assert_eq!(property.name(), name);
        let found: Vec<_> = property.parameters().collect();
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (*name, value.as_ref()))
            .collect();
        assert_eq!(found, parameters);
        assert_eq!(property.value(), value);
    }

    #[test]
    fn lines_are_read_with_quotes_white_space_and_whatever_is_missing() {
        check("SUMMARY:a:b;c", "SUMMARY", &[], "a:b;c");
        check(
            "ATTENDEE;CN=\"Foo; Bar: x\";ROLE=CHAIR:mailto:a@b.c",
            "ATTENDEE",
            &[("CN", "Foo; Bar: x"), ("ROLE", "CHAIR")],
            "mailto:a@b.c",
        );
        check("A;CN=X\\:mailto:x", "A", &[("CN", "X\\")], "mailto:x");
        check("A;CN=\"never closed:v", "A", &[("CN", "never closed")], "v");
        check("B - C; VALUE = DATE:1", "B - C", &[("VALUE", "DATE")], "1");
        check(
            "D;TZID=Pacific Standard Time::1",
            "D",
            &[("TZID", "Pacific Standard Time")],
            ":1",
        );
        check("X", "X", &[], "");
        check("X-APPLE-RADIUS=49.9", "X-APPLE-RADIUS", &[], "=49.9");
        check("A;B=C", "A", &[], ";B=C");
        check("A;:v", "A", &[("", "")], "v");
    }

    #[test]
    fn a_part_that_has_no_end_of_its_own_ends_where_the_next_begins() {
        for (text, expected) in [
            (
                "BEGIN:VEVENT\nA:1\nEND:VEVNT\nBEGIN:VEVENT\nB:1\nEND:VEVENT\n",
                ["A:1", "B:1"],
            ),
            (
                "BEGIN:VEVENT\nA:1\nBEGIN:VALARM\nBEGIN:VFREEBUSY\nB:1\n",
                ["A:1", "B:1"],
            ),
            ("begin:vtodo\nA:1\nBEGIN:VEVENT\nB:1\n", ["A:1", "B:1"]),
            (
                "BEGIN:VEVENT\nA:1\nBEGIN:VCALENDAR\nB:1\nEND:VCALENDAR\n",
                ["A:1", "B:1"],
            ),
            (
                "BEGIN:VEVENT\nA:1\nEND:VEVENT\nEND:VEVENT\nBEGIN:VEVENT\nB:1\n",
                ["A:1", "B:1"],
            ),
            (
                "BEGIN:STANDARD\nA:1\nEND:STANDRD\nBEGIN:DAYLIGHT\nB:1\n",
                ["A:1", "B:1"],
            ),
        ] {
            let text = format!("BEGIN:VCALENDAR\n{text}END:VCALENDAR\n");
            let roots = parse(&text, &Limits::default()).expect(&text);
            assert_eq!(roots.len(), 1, "{text}");
            let firsts = roots[0]
                .components
                .iter()
                .map(|c| c.properties[0].line.as_ref());
            assert_eq!(firsts.collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn ends_that_name_nothing_open_change_nothing_within() {
        let read = |text: &str| parse(text, &Limits::default()).map(|roots| roots[0].to_string());
        let inner = "BEGIN:B\nEND:X\nP:1\nEND:B\n";
        let expected = "BEGIN:A\r\nBEGIN:B\r\nP:1\r\nEND:B\r\nEND:A\r\n";
        assert_eq!(
            read(&format!("BEGIN:A\n{inner}END:A")),
            Ok(expected.to_owned())
        );
        assert_eq!(
            read(&format!("BEGIN:A\n{inner}END:AD")),
            Ok(expected.to_owned())
        );
        assert_eq!(
            read("BEGIN:A\nBEGIN:B\nP:1\nEND:A"),
            Ok(expected.to_owned())
        );
        let cut = ReadError::CutOff {
            component: "A".to_owned(),
        };
        assert_eq!(read(&format!("BEGIN:A\n{inner}")), Err(cut));
        assert_eq!(read("<html>"), Err(ReadError::NoComponent));
    }
}
