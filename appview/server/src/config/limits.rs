//! The limits of the core, as settings.

use clap::builder::RangedI64ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use huddle_core::Limits;
use serde_json::{Map, Value};

/// The heading of the limits in the help.
pub(super) const HEADING: &str = "Limits";

/// Every limit of the core, within its range.
#[derive(Clone, Debug, Default)]
pub struct LimitSettings(pub Limits);

impl Args for LimitSettings {
    fn augment_args(command: Command) -> Command {
        let limits = Limits::default().table().into_iter();
        command.args(limits.map(|limit| {
            let range = i64::from(limit.least)..=i64::from(limit.most);
            Arg::new(limit.name)
                .long(limit.name.replace('_', "-"))
                .env(format!("HUDDLE_{}", limit.name.to_uppercase()))
                .value_name("N")
                .value_parser(RangedI64ValueParser::<u32>::new().range(range))
                .default_value(limit.value.to_string())
                .help(format!("From {} to {}", limit.least, limit.most))
                .help_heading(HEADING)
                .hide_short_help(true)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LimitSettings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let limits = Limits::default().table().into_iter();
        let set = limits.filter_map(|limit| {
            let value = matches.get_one::<u32>(limit.name)?;
            Some((limit.name.to_owned(), Value::from(*value)))
        });
        let invalid = |problem: String| Error::raw(ErrorKind::ValueValidation, problem + "\n");
        let limits: Limits = serde_json::from_value(Value::Object(set.collect::<Map<_, _>>()))
            .map_err(|error| invalid(error.to_string()))?;
        limits
            .check()
            .map_err(|error| invalid(format!("limits: {error}")))?;
        Ok(Self(limits))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
