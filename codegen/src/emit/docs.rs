//! Descriptions as doc comments: what rustdoc would take for markup of its own is escaped.

use crate::diagnostic::is_invisible;
use crate::model::{Docs, Document};
use proc_macro2::TokenStream;
use quote::quote;

/// The columns of text after `/// `.
const WIDTH: usize = 92;

/// Stands for a space within a code span, at which no line may be broken.
const GLUE: char = '\u{1}';

/// Doc comment and `#[deprecated]` of something; `fallback` where there is no description.
pub(crate) fn attributes(docs: &Docs, fallback: &str) -> TokenStream {
    let text = docs
        .description
        .as_deref()
        .filter(|text| !text.trim().is_empty());
    let comment = text.map_or_else(|| comment(fallback), |text| comment(&markdown(text)));
    let deprecated = docs.deprecation().map(|note| match printable(note).trim() {
        "" => quote!(#[deprecated]),
        note => quote!(#[deprecated = #note]),
    });
    quote!(#comment #deprecated)
}

/// The doc comment of a text in Markdown.
pub(crate) fn comment(markdown: &str) -> TokenStream {
    let lines = markdown.lines().map(|line| match line {
        "" => String::new(),
        line => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// A description as Markdown that reads as it was written, in lines of a bearable length.
pub(crate) fn markdown(text: &str) -> String {
    let text = printable(text);
    let mut lines: Vec<String> = Vec::new();
    let mut in_list = false;
    for line in text.lines().map(str::trim) {
        let item = ["- ", "* ", "+ "]
            .iter()
            .find_map(|marker| line.strip_prefix(marker));
        let last_is_text = lines.last().is_some_and(|last| !last.is_empty());
        if last_is_text && (line.is_empty() || in_list != item.is_some()) {
            lines.push(String::new());
        }
        in_list = item.is_some();
        let (first, rest) = if in_list { ("- ", "  ") } else { ("", "") };
        for (index, wrapped) in wrap(&inline(item.unwrap_or(line))).into_iter().enumerate() {
            lines.push(format!(
                "{}{}",
                if index == 0 { first } else { rest },
                wrapped
            ));
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

/// Without control characters, and without those that could make source read other than it is.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

/// One line of a description, escaped except for its code spans.
fn inline(line: &str) -> String {
    let spans = line.matches('`').count();
    if spans % 2 == 1 || line.contains("``") {
        return escape(&line.replace('`', "\\`"));
    }
    let parts = line
        .split('`')
        .enumerate()
        .map(|(index, part)| match index % 2 {
            0 => escape(part),
            _ => format!("`{}`", part.replace(char::is_whitespace, &GLUE.to_string())),
        });
    parts.collect()
}

fn escape(text: &str) -> String {
    text.split(' ')
        .map(escape_word)
        .collect::<Vec<_>>()
        .join(" ")
}

fn escape_word(word: &str) -> String {
    let Some(start) = ["https://", "http://"]
        .iter()
        .filter_map(|s| word.find(s))
        .min()
    else {
        return escape_text(word);
    };
    let (before, url) = word.split_at(start);
    let end = url.find(['<', '>', '`', '\\', '"']).unwrap_or(url.len());
    let end = url[..end]
        .trim_end_matches(|c: char| ".,;:!?)]}'”’".contains(c))
        .len();
    let (url, after) = url.split_at(end);
    // As `<…>` it is a link, whether or not it was written so.
    let (before, after) = match (before.strip_suffix('<'), after.strip_prefix('>')) {
        (Some(before), Some(after)) => (before, after),
        _ => (before, after),
    };
    format!("{}<{url}>{}", escape_text(before), escape_word(after))
}

fn escape_text(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    let mut last = None;
    while let Some(c) = chars.next() {
        let special = match c {
            '[' | ']' | '*' => true,
            // Only these can open a tag or an automatic link.
            '<' => chars
                .peek()
                .is_some_and(|c| c.is_alphanumeric() || "/!?".contains(*c)),
            // A backtick comes with its backslash.
            '\\' => chars.peek() != Some(&'`'),
            '_' => !last.is_some_and(char::is_alphanumeric) || chars.peek().is_none(),
            _ => false,
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(c);
        last = Some(c);
    }
    escaped
}

/// Breaks a line at spaces; no part of it starts with what would begin another kind of block.
fn wrap(line: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= WIDTH => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(guard(word)),
        }
    }
    lines.iter().map(|line| line.replace(GLUE, " ")).collect()
}

/// Escapes the start of a line where it would make a heading, list, quote, rule or table.
fn guard(word: &str) -> String {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
    if digits.len() < word.len() && digits.starts_with(['.', ')']) {
        let at = word.len() - digits.len();
        return format!("{}\\{}", &word[..at], digits);
    }
    if word.starts_with(['#', '>', '-', '+', '=', '~', '|', ':']) {
        return format!("\\{word}");
    }
    word.to_owned()
}

/// What a lexicon is, where it has no description of its own.
pub(crate) fn module(document: &Document) -> String {
    let kind = document.definition("main").map(|main| &main.kind);
    match kind.filter(|kind| kind.is_primary()) {
        Some(kind) => format!("The {} `{}`.", kind.name(), document.id),
        None => format!("Definitions of `{}`.", document.id),
    }
}

/// A text as a code span.
pub(crate) fn code(text: &str) -> String {
    let text = printable(text).replace('\n', " ");
    if text.trim().is_empty() {
        return "An empty text.".to_owned();
    }
    if !text.contains('`') {
        return format!("`{text}`");
    }
    // A longer run of backticks than any within.
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    format!("{fence} {text} {fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_escaped_where_they_would_be_markup() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            assert_eq!(markdown(text), expect);
        }
        check(
            "A `code span` and plain text.",
            "A `code span` and plain text.",
        );
        check("See [this] or `[that]`.", r"See \[this\] or `[that]`.");
        check("A lone ` tick", r"A lone \` tick");
        check("Vec<String>, a < b", r"Vec\<String>, a < b");
        check("https://a.example/x.", "<https://a.example/x>.");
        check("(see <http://a.example>)", "(see <http://a.example>)");
        check("image/* and */*", r"image/\* and \*/\*");
        check("snake_case and _this_", r"snake_case and \_this\_");
        check(r"C:\dir", r"C:\\dir");
        check("# Not a heading", r"\# Not a heading");
        check("1. not a list", r"1\. not a list");
        check("One\nTwo\n\n\nThree\n\n", "One\nTwo\n\nThree");
        check(
            "These:\n- one\n- two\nAnd more.",
            "These:\n\n- one\n- two\n\nAnd more.",
        );
        check("Tab\there \u{202e}and\r there\u{0}", "Tab here and there");
        check("  ", "");
    }

    #[test]
    fn long_lines_are_broken_outside_of_code() {
        let code = format!("`{}`", "x y ".repeat(20));
        let text = markdown(&format!(
            "{} {code} - {}",
            "word ".repeat(15),
            "more ".repeat(15)
        ));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].starts_with(&format!("{code} - ")), "{text}");
        assert!(markdown(&format!("{} - x", "y".repeat(WIDTH - 1))).ends_with("\n\\- x"));
        assert!(markdown(&format!("- {}", "word ".repeat(30))).contains("\n  word"));
    }

    #[test]
    fn any_text_can_be_a_code_span() {
        assert_eq!(code("a b"), "`a b`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(code(""), "An empty text.");
    }
}
