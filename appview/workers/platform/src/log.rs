//! What a script says of its work: an object of JSON a line, so that the platform's log can be searched by each field. What
//! the log of the process says too has the same message and level there. No field is for who somebody is.

use std::fmt::Display;

use serde_json::{Map, Value};
use worker::{console_error, console_log, console_warn};

/// Says what was done.
pub fn info<const N: usize>(message: &str, fields: [(&str, Value); N]) {
    console_log!("{}", line("INFO", message, fields));
}

/// Says what did not come about for now, and is tried again.
pub fn warn<const N: usize>(message: &str, fields: [(&str, Value); N]) {
    console_warn!("{}", line("WARN", message, fields));
}

/// Says what somebody should look at.
pub fn error<const N: usize>(message: &str, fields: [(&str, Value); N]) {
    console_error!("{}", line("ERROR", message, fields));
}

/// Says that something waits until it is tried again, and why.
pub fn waits(message: &str, why: &impl Display) {
    warn(message, [("error", why.to_string().into())]);
}

/// Says that something has failed, and why.
pub fn failed(message: &str, why: &impl Display) {
    error(message, [("error", why.to_string().into())]);
}

fn line<const N: usize>(level: &str, message: &str, fields: [(&str, Value); N]) -> String {
    let always = [("level", level.into()), ("message", message.into())];
    let fields = always.into_iter().chain(fields);
    let fields: Map<_, _> = fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_an_object_of_one_line_whatever_stands_in_it() {
        let fields = [("status", 200.into()), ("error", "a \"b\"\nc".into())];
        let said = line("INFO", "served", fields);
        assert_eq!(said.lines().count(), 1);
        let read: Value = serde_json::from_str(&said).unwrap();
        let expect = serde_json::json!({
            "level": "INFO", "message": "served", "status": 200, "error": "a \"b\"\nc",
        });
        assert_eq!(read, expect);
    }
}
