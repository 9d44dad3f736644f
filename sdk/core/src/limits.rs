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
    /// How long one request to a calendar's server may take, and all that are made to say when somebody is busy. More
    /// waits for servers that are slow, and for those that never answer; a match gives up after `match_secs` in any
    /// case, and what is written to a calendar after a minute, into which three requests have to go.
    calendar_request_secs: 10 in 1..=20;
    /// How long whoever reads a person's calendars is left alone, of several processes: longer than a reading takes. As
    /// long as that others wait after one that died.
    calendar_lease_secs: 60 in 10..=300;
    /// The longest answer of a calendar's server that is read: a feed, or the events of a window. A calendar that has
    /// more cannot be read, and its person is never free. All of it is in memory while it is read, with several times
    /// as much beside it, of the 128 MB that Workers have.
    calendar_bytes: 5_242_880 in 65_536..=10_485_760;
    /// The most events of a calendar that are read, those that recur counted once. One that has more cannot be read.
    calendar_events: 20_000 in 100..=50_000;
    /// The most times that one event of a calendar may recur in what is read of it, some two months or as far ahead as
    /// meetings can be. One that recurs more often takes all of that time. More lets one calendar take longer to read.
    calendar_occurrences: 10_000 in 100..=100_000;
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
    /// How often something is tried to bring about outside, before it is a dead letter that waits for an operator. With
    /// `task_wait_secs` in between that takes four hours on the average and eight at most, unless somebody asks for
    /// longer: longer than a calendar or mail server is down for that somebody looks after. On Workers, `max_retries`
    /// of `wrangler.toml` is for what cannot even be begun, and is no less than the most that this can be.
    task_tries: 20 in 1..=100;
    /// The longest wait between two tries, whatever somebody else asks for; the first is of a second at most, and each
    /// is up to twice as long as the one before. More spares whoever is down, who is noticed to be up again the later.
    /// What is tried until it is done, because other actors count on it, waits no longer either.
    task_wait_secs: 3600 in 60..=43_200;
    /// How long answers are kept for requests that are sent again with the same key.
    idempotency_secs: 86400 in 3600..=604_800;
    /// How often what is held of accounts is compared with what they have published. On Workers, a schedule of
    /// `wrangler.toml` says when.
    drift_secs: 3600 in 10..=86400;
    /// The longest record that is kept of those that others publish; a longer one is left out, as if it were not there.
    /// Room for a host's hours in any shape, and too little to store something else with us. What was left out comes
    /// once its account is fetched anew.
    record_bytes: 65_536 in 4096..=262_144;
    /// The longest body of a request to a method; a longer one is refused with 413. It is in memory before it is known
    /// to be of any use.
    body_bytes: 262_144 in 16_384..=4_194_304;
    /// How long a caller's token may live. Data servers make them out for a minute or a few; with less, some of those
    /// are refused. With more, a token that was stolen before it was used is good for longer, and those that were used
    /// are remembered for longer, of which there is room for 262,144 in one process.
    token_lifetime_secs: 300 in 60..=3600;
    /// How far a caller's clock may be off: a token is good for so much longer than it says, and so much before.
    clock_skew_secs: 30 in 0..=300;
    /// For how long the document of a DID is believed: so long a key that was revoked may still sign. With less, its
    /// directory or host is asked more often.
    document_cache_secs: 600 in 30..=3600;
    /// For how long it is believed whose a handle is.
    handle_cache_secs: 600 in 30..=3600;
    /// For how long it is believed that there is no such DID or handle: so long whoever has just been entered, or has
    /// mended what was wrong, may have to wait. That somebody gave no answer is believed for 5 seconds.
    identity_error_secs: 30 in 5..=600;
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
        let (lease, request) = (self.calendar_lease_secs, self.calendar_request_secs);
        if lease <= request {
            return Err(BadLimits::CalendarLeaseTooShort { lease, request });
        }
        let secs = self.task_tries.saturating_mul(self.task_wait_secs);
        if secs > QUEUE_SECS {
            return Err(BadLimits::TriedForTooLong { secs });
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

/// How long a queue of Workers keeps a message, however often it is brought: it forgets what is older, without a word.
const QUEUE_SECS: u32 = 4 * 24 * 60 * 60;

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
    /// Somebody takes over from a reader of calendars who may still be at work.
    #[error(
        "whoever reads calendars is left alone for {lease} seconds (calendar_lease_secs), and may take {request} for \
         it (calendar_request_secs): raise calendar_lease_secs above that, or lower calendar_request_secs"
    )]
    CalendarLeaseTooShort {
        /// `calendar_lease_secs`
        lease: u32,
        /// `calendar_request_secs`
        request: u32,
    },
    /// A task may be lost before it is given up.
    #[error(
        "a task may be tried for {secs} seconds (task_tries times task_wait_secs), and a queue keeps it for \
         {QUEUE_SECS}: lower task_tries or task_wait_secs"
    )]
    TriedForTooLong {
        /// `task_tries` times `task_wait_secs`
        secs: u32,
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
    fn a_lease_that_ends_before_what_it_is_for_is_refused() {
        let lease = |calendar_lease_secs| Limits {
            calendar_request_secs: 20,
            calendar_lease_secs,
            ..Limits::default()
        };
        assert_eq!(lease(21).check(), Ok(()));
        assert_eq!(
            lease(20).check().unwrap_err().to_string(),
            "whoever reads calendars is left alone for 20 seconds (calendar_lease_secs), and may take 20 for it \
             (calendar_request_secs): raise calendar_lease_secs above that, or lower calendar_request_secs"
        );
    }

    #[test]
    fn tasks_that_would_outlive_their_queue_are_refused() {
        let tried = |task_tries| Limits {
            task_tries,
            task_wait_secs: 43_200,
            ..Limits::default()
        };
        assert_eq!(tried(8).check(), Ok(()));
        assert_eq!(
            tried(9).check().unwrap_err().to_string(),
            "a task may be tried for 388800 seconds (task_tries times task_wait_secs), and a queue keeps it for \
             345600: lower task_tries or task_wait_secs"
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
