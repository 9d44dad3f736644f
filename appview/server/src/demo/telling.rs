//! How the story is told: while it happens, in lines that any terminal shows whole, and as a list of steps.

use std::fmt::Display;

use serde::Serialize;

use crate::output;

/// What has been told.
pub(super) struct Telling {
    /// Whether it is told while it happens.
    aloud: bool,
    steps: Vec<Step>,
}

/// A part of the story.
#[derive(Serialize)]
pub(super) struct Step {
    title: String,
    told: Vec<String>,
}

/// How wide a terminal is at least.
const COLUMNS: usize = 80;

impl Telling {
    pub(super) fn new(aloud: bool) -> Self {
        let steps = Vec::new();
        Self { aloud, steps }
    }

    /// Begins with the next step, before what it tells of has happened.
    pub(super) fn begin(&mut self, title: impl Display) {
        let title = title.to_string();
        let number = self.steps.len() + 1;
        self.say(format_args!("\n{number}. {title}"));
        let told = Vec::new();
        self.steps.push(Step { title, told });
    }

    /// Tells what has happened.
    pub(super) fn tell(&mut self, text: impl Display) {
        let text = text.to_string();
        self.say(wrapped(&text));
        if let Some(step) = self.steps.last_mut() {
            step.told.push(text);
        }
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// Whoever has read enough is no reason to end: the story goes on.
    fn say(&self, line: impl Display) {
        if self.aloud {
            let _ = output::line(line);
        }
    }
}

/// A text in lines that stand under a title.
fn wrapped(text: &str) -> String {
    const INDENT: &str = "   ";
    let mut lines = String::new();
    let mut width = COLUMNS;
    for word in text.split(' ') {
        let length = word.chars().count();
        if width + 1 + length > COLUMNS {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(INDENT);
            width = INDENT.len();
        } else {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_a_terminal_and_no_word_is_broken() {
        let words =
            "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
        let text = wrapped(words);
        assert!(text.lines().count() > 1, "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
            assert!(line.starts_with("   ") && !line.ends_with(' '), "{line:?}");
        }
        let again: Vec<_> = text.split_whitespace().collect();
        assert_eq!(again.join(" "), words);
    }
}
