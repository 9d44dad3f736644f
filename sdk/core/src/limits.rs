//! Every number that an operator may change, with its default and the range that is allowed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Declares the limits once: the fields, their defaults, and the table that is printed and checked.
macro_rules! limits {
    ($( $(#[$doc:meta])* $name:ident: $default:literal in $low:literal..=$high:literal; )+) => {
        /// The limits of one installation. Durations are whole seconds.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $( $(#[$doc])* pub $name: u32, )+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $( $name: $default, )+ }
            }
        }

        impl Limits {
            /// Each limit's name, present value and allowed range, in the order of the documentation.
            pub fn table(&self) -> Vec<Limit> {
                vec![$( Limit {
                    name: stringify!($name),
                    value: self.$name,
                    least: $low,
                    most: $high,
                }, )+]
            }
        }
    };
}

limits! {
    /// How long a slot is held for a guest who has not accepted it yet.
    hold_secs: 900 in 120..=1800;
    /// Slots that one guest may hold at a time with one host.
    holds_per_guest_and_host: 1 in 1..=10;
    /// Slots that one guest may hold at a time in all.
    holds_per_guest: 3 in 1..=100;
    /// Hosts' answers that one guest may wait for at a time from one host: whoever could send more would fill the
    /// host's list, which a hold of 15 minutes does not.
    petitions_per_guest_and_host: 1 in 1..=10;
    /// Hosts' answers that one guest may wait for at a time in all: as many as they may hold slots.
    petitions_per_guest: 3 in 1..=100;
    /// Meetings ahead that a stranger may have with one host: enough for a matter that takes more than one, and too few
    /// to fill a week of somebody who does not know them.
    meetings_per_stranger_and_host: 3 in 1..=100;
    /// How long a guest waits after a first hold that came to nothing, a stranger after a first meeting that they called
    /// off, and either side of a meeting after a first move of it that came to nothing.
    cooldown_first_secs: 60 in 0..=3600;
    /// How long after a second one.
    cooldown_second_secs: 300 in 0..=3600;
    /// How long after each further one.
    cooldown_further_secs: 1800 in 0..=86400;
    /// After how long without a lapse the first cool-down applies again.
    cooldown_reset_secs: 86400 in 3600..=604_800;
    /// Slots that are tried, one after the other, before a match is given up.
    attempts_per_match: 5 in 1..=20;
    /// Offers of a host that one question looks at: of those that are open in the time that it is about, those that open
    /// first. Of later ones a question about a later time hears, and one that names them.
    search_offers: 500 in 1..=500;
    /// Moments at which a meeting could start that one question looks at, over all offers: where there are more, it looks
    /// at fewer days, from the first that it is about.
    search_starts: 200_000 in 1000..=2_000_000;
    /// Answers that strangers together get of a week of a host's time, those that there is no slot included.
    disclosures_per_week: 40 in 1..=1000;
    /// Answers that one stranger gets on a day of one host's time, those that there is no slot included: so nobody
    /// alone spends at once what all strangers may be told of a week.
    disclosures_per_guest: 6 in 1..=1000;
    /// Starts of slots of one offer that are told of each of its days, where slots are listed or strangers ask.
    disclosures_per_day: 6 in 1..=24;
    /// The narrowest window that strangers are answered for.
    narrowest_secs: 14400 in 3600..=86400;
    /// How long a slot that was listed can be taken.
    slot_token_secs: 900 in 60..=3600;
    /// For how long it may be believed who follows whom; what is given away for good is asked afresh.
    graph_cache_secs: 3600 in 0..=86400;
    /// For how long what was read from calendars is good enough to propose something; what is given away for good is
    /// asked afresh.
    calendar_cache_secs: 300 in 0..=900;
    /// How long a host has to approve a request.
    approval_secs: 259_200 in 3600..=1_209_600;
    /// How long a request that is a record is tried while something is in its way that passes, unless its `latest` comes
    /// before: whoever writes one is not there to send it again.
    record_secs: 86400 in 3600..=1_209_600;
    /// How long a request may wait for a calendar that does not answer.
    pending_secs: 3600 in 60..=86400;
    /// How long a driver of a booking is left alone before another takes over.
    driver_lease_secs: 30 in 10..=300;
    /// How long a whole match may take before it answers that it is pending; a PDS proxy gives up at 10.
    match_secs: 8 in 1..=9;
    /// When it is said that no time suits: at multiples of so many milliseconds after the request has come. It is more
    /// than a search takes, so that how long one takes does not tell why nothing was found.
    no_slot_step_millis: 250 in 0..=2000;
    /// How long answers are kept for requests that are sent again with the same key.
    idempotency_secs: 86400 in 3600..=604_800;
    /// How often what is held of accounts is compared with what they have published. On Workers, a schedule of
    /// `wrangler.toml` says when.
    drift_secs: 3600 in 10..=86400;
    /// Requests a minute without authentication, by IP address.
    anonymous_per_minute: 60 in 1..=100_000;
    /// How many of those may come at once.
    anonymous_burst: 30 in 1..=100_000;
    /// How often an address has these for requests of issuers who are not known yet, each issuer having one of them: a
    /// data server passes on the requests of all its accounts. So much more can a forger have looked up.
    issuer_shares: 16 in 1..=256;
    /// Requests a minute by one account.
    account_per_minute: 120 in 1..=100_000;
    /// How many of those may come at once.
    account_burst: 60 in 1..=100_000;
    /// Changes a minute by one account.
    changes_per_minute: 30 in 1..=100_000;
}

impl Limits {
    /// What is wrong with them, if anything.
    pub fn check(&self) -> Result<(), BadLimits> {
        let is_out_of_range = |limit: &Limit| !(limit.least..=limit.most).contains(&limit.value);
        if let Some(limit) = self.table().into_iter().find(is_out_of_range) {
            return Err(BadLimits::OutOfRange(limit));
        }
        let (cost, burst) = (self.change_cost(), self.account_burst);
        if cost > burst {
            return Err(BadLimits::ChangeTooDear { cost, burst });
        }
        Ok(())
    }

    /// How many requests of an account's allowance a change takes: so many that an account which makes nothing else
    /// makes no more of them than it may.
    pub fn change_cost(&self) -> u32 {
        self.account_per_minute
            .div_ceil(self.changes_per_minute.max(1))
    }
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name in configuration.
    pub name: &'static str,
    /// Its present value.
    pub value: u32,
    /// The least that is allowed.
    pub least: u32,
    /// The most that is allowed.
    pub most: u32,
}

/// Limits that an installation cannot run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLimits {
    /// A limit outside its range.
    #[error("{} is {}, and must be from {} to {}", .0.name, .0.value, .0.least, .0.most)]
    OutOfRange(Limit),
    /// An account's allowance never holds what a change takes of it.
    #[error(
        "a change takes {cost} requests of an account's allowance (account_per_minute divided by changes_per_minute), \
         which holds {burst}: raise account_burst or changes_per_minute, or lower account_per_minute"
    )]
    ChangeTooDear {
        /// [`Limits::change_cost`]
        cost: u32,
        /// `account_burst`
        burst: u32,
    },
}

/// A limit in seconds, as a duration.
pub(crate) fn secs(limit: u32) -> Duration {
    Duration::from_secs(limit.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_their_ranges() {
        assert_eq!(Limits::default().check(), Ok(()));
    }

    #[test]
    fn a_value_out_of_range_is_named_with_the_range() {
        let limits = Limits {
            hold_secs: 60,
            ..Limits::default()
        };
        assert_eq!(
            limits.check().unwrap_err().to_string(),
            "hold_secs is 60, and must be from 120 to 1800"
        );
    }

    #[test]
    fn a_change_that_no_allowance_could_ever_pay_is_refused() {
        let dear = |account_burst| Limits {
            account_per_minute: 121,
            changes_per_minute: 2,
            account_burst,
            ..Limits::default()
        };
        assert_eq!(dear(61).check(), Ok(()));
        assert_eq!(
            dear(60).check().unwrap_err().to_string(),
            "a change takes 61 requests of an account's allowance (account_per_minute divided by changes_per_minute), \
             which holds 60: raise account_burst or changes_per_minute, or lower account_per_minute"
        );
    }

    #[test]
    fn configuration_names_only_what_it_changes_and_typos_are_refused() {
        let limits: Limits = serde_json::from_str(r#"{"hold_secs": 300}"#).unwrap();
        assert_eq!(limits.hold_secs, 300);
        assert_eq!(limits.holds_per_guest, Limits::default().holds_per_guest);
        assert!(serde_json::from_str::<Limits>(r#"{"hold_sec": 300}"#).is_err());
    }
}
