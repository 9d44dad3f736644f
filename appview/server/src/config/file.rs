//! The file of settings, in TOML.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::builder::Resettable;
use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::{limits, nearest, settings};

/// Where a file is looked for that nobody has named; the first counts.
const PLACES: [&str; 2] = ["huddle.toml", "/etc/huddle/huddle.toml"];

/// The table that limits stand in.
const LIMITS: &str = "limits";

/// A file of settings, each of which was checked by itself.
#[derive(Debug, Default)]
pub struct File {
    settings: BTreeMap<String, Vec<String>>,
}

impl File {
    /// The file that was named, or else the first that is in its place; `None` if there is none.
    pub fn find(named: Option<&Path>) -> Result<Option<Self>> {
        let in_its_place = || PLACES.iter().map(PathBuf::from).find(|it| it.exists());
        match named.map(Path::to_owned).or_else(in_its_place) {
            Some(path) => Ok(Some(Self::read(&path)?)),
            None => Ok(None),
        }
    }

    fn read(path: &Path) -> Result<Self> {
        let read = || Self::parse(&fs::read_to_string(path)?);
        read().with_context(|| format!("the settings in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let command = settings();
        let mut file = Self::default();
        for (key, value) in text.parse::<Table>()? {
            match value {
                Value::Table(table) if key == LIMITS => {
                    for (key, value) in table {
                        file.set(&command, &key, &value, true)?;
                    }
                }
                value => file.set(&command, &key, &value, false)?,
            }
        }
        Ok(file)
    }

    fn set(&mut self, command: &Command, key: &str, value: &Value, is_limit: bool) -> Result<()> {
        let arg = find(command, key, is_limit)?;
        if arg.is_hide_env_values_set() {
            let variable = arg
                .get_env()
                .map(|it| it.to_string_lossy())
                .unwrap_or_default();
            bail!(
                "{key} is a secret, and this is no place for one: set {variable} in the environment, \
                 or name a file with {key}_file"
            );
        }
        let values = texts(value).with_context(|| key.to_owned())?;
        check(arg, &values).with_context(|| key.to_owned())?;
        self.settings.insert(key.to_owned(), values);
        Ok(())
    }
}

/// The same command, in which what the file says stands in the place of defaults.
pub fn with_file(command: Command, file: &File) -> Command {
    let with_defaults = command.mut_args(|arg| match file.settings.get(arg.get_id().as_str()) {
        Some(values) => arg.default_values(values.clone()),
        None => arg,
    });
    with_defaults.mut_subcommands(|command| with_file(command, file))
}

fn find<'a>(command: &'a Command, key: &str, is_limit: bool) -> Result<&'a Arg> {
    let kin = || {
        let is_kin =
            move |arg: &&Arg| (arg.get_help_heading() == Some(limits::HEADING)) == is_limit;
        command.get_arguments().filter(is_kin)
    };
    if let Some(arg) = kin().find(|arg| arg.get_id() == key) {
        return Ok(arg);
    }
    let known = kin().map(|arg| arg.get_id().as_str());
    let meant = match nearest(key, known) {
        Some(name) => format!("{name} may be meant"),
        None if is_limit => "`huddle doctor` lists the limits".to_owned(),
        None => "`huddle serve --help` lists the settings, with a `-` for each `_`".to_owned(),
    };
    let kind = if is_limit { "limit" } else { "setting" };
    Err(anyhow!("{key} is no {kind}: {meant}"))
}

/// A value as it would stand on the command line; a list is several.
fn texts(value: &Value) -> Result<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => Ok(vec![text(value)?]),
    }
}

fn text(value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Boolean(truth) => Ok(truth.to_string()),
        other => bail!(
            "a {} is no value of a setting: write a text, a whole number, true or false",
            other.type_str()
        ),
    }
}

/// Whether the setting takes these values, whatever else says.
fn check(arg: &Arg, values: &[String]) -> Result<()> {
    if values.len() != 1 && !matches!(arg.get_action(), ArgAction::Append) {
        bail!("it takes one value, and not {}", values.len());
    }
    let name = arg.get_id().clone();
    let command = settings().mut_args(|arg| {
        // What the environment says would be checked in its place.
        let arg = arg.env(Resettable::Reset);
        if *arg.get_id() == name {
            arg.default_values(values.to_vec())
        } else {
            arg
        }
    });
    let parsed = command.try_get_matches_from(["huddle"]);
    parsed.map(drop).map_err(|error| match error.source() {
        Some(source) => anyhow!("{source}"),
        None => anyhow!("{:?} is no value that it takes", values.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;
    use crate::config::Config;

    #[track_caller]
    fn parsed(text: &str, arguments: &[&str]) -> Config {
        let file = File::parse(text).unwrap();
        // As if the environment were empty: it is that of whoever runs the tests.
        let command = settings().mut_args(|arg| arg.env(Resettable::Reset));
        let arguments = [&["huddle"], arguments].concat();
        let matches = with_file(command, &file)
            .try_get_matches_from(arguments)
            .unwrap();
        Config::from_arg_matches(&matches).unwrap()
    }

    #[track_caller]
    fn refused(text: &str, expect: &str) {
        let error = File::parse(text).unwrap_err();
        assert_eq!(format!("{error:#}"), expect);
    }

    #[test]
    fn a_file_takes_the_place_of_defaults_and_gives_way_to_flags() {
        let text = r#"
            listen = "127.0.0.1:1"
            data = "/var/lib/huddle"
            development = true
            firehose = ["wss://one.example.com", "wss://two.example.com"]
            [limits]
            hold_secs = 600
            holds_per_guest = 2
        "#;
        let config = parsed(text, &["--listen", "127.0.0.1:2", "--holds-per-guest", "4"]);
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.data.path(), Path::new("/var/lib/huddle"));
        assert!(config.development);
        assert_eq!(config.firehose.len(), 2);
        let limits = config.limits.0;
        assert_eq!((limits.hold_secs, limits.holds_per_guest), (600, 4));
        assert_eq!(parsed("", &[]).listen.port(), 2480);
    }

    #[test]
    fn what_is_no_setting_is_named_with_the_nearest_that_is_one() {
        refused("listn = 1", "listn is no setting: listen may be meant");
        refused(
            "[limits]\nhold_sec = 600",
            "hold_sec is no limit: hold_secs may be meant",
        );
        refused(
            "hold_secs = 600",
            "hold_secs is no setting: `huddle serve --help` lists the settings, with a `-` for each `_`",
        );
        refused(
            "[limits]\nxyz = 600",
            "xyz is no limit: `huddle doctor` lists the limits",
        );
    }

    #[test]
    fn a_value_that_a_setting_does_not_take_is_told_with_its_key() {
        refused("listen = \"here\"", "listen: invalid socket address syntax");
        refused(
            "[limits]\nhold_secs = 60",
            "hold_secs: 60 is not in 120..=1800",
        );
        refused(
            "development = \"maybe\"",
            "development: \"maybe\" is no value that it takes",
        );
        refused(
            "listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]",
            "listen: it takes one value, and not 2",
        );
        refused(
            "plc = 1.5",
            "plc: a float is no value of a setting: write a text, a whole number, true or false",
        );
    }

    #[test]
    fn a_secret_in_a_file_is_refused() {
        refused(
            "operator_token = \"0123456789abcdef0123456789abcdef\"",
            "operator_token is a secret, and this is no place for one: set HUDDLE_OPERATOR_TOKEN in the environment, \
             or name a file with operator_token_file",
        );
    }
}
