//! How people, times and texts are put into letters.

use chrono::NaiveDateTime;
use huddle_ports::Timestamp;
use huddle_schedule::icalendar::plain;
use huddle_schedule::{Interval, Zone};

/// A slot on somebody's clock: `Tuesday, 2 June 2026, 10:00–10:30 (Europe/Madrid)`.
pub(crate) fn slot(slot: Interval, zone: Zone) -> String {
    let (start, end) = (zone.local(slot.start()), zone.local(slot.end()));
    let until = if start.date() == end.date() {
        end.format("%H:%M").to_string()
    } else {
        long(end)
    };
    format!("{}–{until} ({})", long(start), place(zone))
}

/// A moment on somebody's clock: `Tuesday, 2 June 2026, 10:00 (Europe/Madrid)`.
pub(crate) fn moment(moment: Timestamp, zone: Zone) -> String {
    format!("{} ({})", long(zone.local(moment)), place(zone))
}

/// When something begins, short enough for a subject: `Tue 2 June, 10:00`.
pub(crate) fn begin(slot: Interval, zone: Zone) -> String {
    let start = zone.local(slot.start());
    start.format("%a %-d %B, %H:%M").to_string()
}

fn long(time: NaiveDateTime) -> String {
    time.format("%A, %-d %B %Y, %H:%M").to_string()
}

fn place(zone: Zone) -> String {
    zone.name().replace('_', " ")
}

/// A name or handle as one line, however many it has.
pub(crate) fn line(text: &str) -> String {
    let words = plain(text);
    let words = words.split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

/// What somebody wrote, each line of it behind a mark, so that it cannot pass for what we wrote.
pub(crate) fn quoted(text: &str) -> String {
    let text = plain(text);
    let lines = text.trim().lines();
    let lines = lines.map(|line| format!("> {line}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        Timestamp::from_millis(time.and_utc().timestamp_millis())
    }

    #[track_caller]
    fn check(zone: &str, start: &str, end: &str, expect: &str) {
        let times = Interval::new(at(start), at(end)).unwrap();
        assert_eq!(slot(times, zone.parse().unwrap()), expect);
    }

    #[test]
    fn times_are_told_on_the_clock_of_who_reads() {
        let (start, end) = ("2026-06-02 08:00", "2026-06-02 08:30");
        check(
            "Europe/Madrid",
            start,
            end,
            "Tuesday, 2 June 2026, 10:00–10:30 (Europe/Madrid)",
        );
        check(
            "America/New_York",
            start,
            end,
            "Tuesday, 2 June 2026, 04:00–04:30 (America/New York)",
        );
        check(
            "Asia/Kolkata",
            "2026-06-02 18:15",
            "2026-06-02 18:45",
            "Tuesday, 2 June 2026, 23:45–Wednesday, 3 June 2026, 00:15 (Asia/Kolkata)",
        );
    }

    #[test]
    fn a_name_is_one_line_and_a_note_is_quoted() {
        assert_eq!(line("Ana\r\n\tBcc: x\u{2028}y"), "Ana Bcc: x y");
        assert_eq!(quoted("Hi\r\n\r\nthere\u{85}"), "> Hi\n>\n> there");
    }
}
