//! What the process says of its work: to people, line by line, or to programs, as JSON.

use clap::ValueEnum;
use tracing::{Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;

/// From which level on something is said. There is none below `info`: what libraries say there names people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What somebody should look at, too.
    Warn,
    /// And what was done.
    Info,
}

/// How it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line each, for people.
    Text,
    /// An object of JSON a line, for programs.
    Json,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
        }
    }
}

/// Says it to a writer; in colours where that is a terminal.
pub(crate) fn subscriber<W>(
    level: LogLevel,
    format: LogFormat,
    writer: W,
    is_terminal: bool,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_max_level(Level::from(level))
        .with_writer(writer)
        .with_ansi(is_terminal);
    match format {
        LogFormat::Text => Box::new(lines.finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).finish()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::subscriber::with_default;
    use tracing::{debug, info, warn};

    use super::*;

    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);

    impl Write for Said {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said(level: LogLevel, format: LogFormat) -> String {
        let said = Said::default();
        let writer = said.clone();
        let subscriber = subscriber(level, format, move || writer.clone(), false);
        with_default(subscriber, || {
            debug!("not said");
            info!(status = 200, outcome = "ok", "served");
            warn!("the outbox");
        });
        String::from_utf8(said.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn programs_get_an_object_a_line() {
        let said = said(LogLevel::Info, LogFormat::Json);
        let lines = said.lines().map(serde_json::from_str::<Value>);
        let lines: Vec<_> = lines.collect::<Result<_, _>>().unwrap();
        let of = |name: &str| {
            lines
                .iter()
                .map(|line| line[name].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("message"), ["served", "the outbox"]);
        assert_eq!(of("level"), ["INFO", "WARN"]);
        assert_eq!(
            (&lines[0]["status"], &lines[0]["outcome"]),
            (&200.into(), &"ok".into())
        );
    }

    #[test]
    fn people_get_lines_from_the_level_on_that_they_want() {
        let info = said(LogLevel::Info, LogFormat::Text);
        assert!(info.contains("served status=200 outcome=\"ok\""), "{info}");
        assert_eq!(info.lines().count(), 2);
        let warn = said(LogLevel::Warn, LogFormat::Text);
        assert!(
            warn.contains("the outbox") && warn.lines().count() == 1,
            "{warn}"
        );
        assert_eq!(said(LogLevel::Error, LogFormat::Text), "");
    }
}
