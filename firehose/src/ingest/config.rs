//! What a driver is made of, and what everything may take.

use std::time::Duration;

use super::Allowance;
#[cfg(doc)]
use super::{Ingest, Proof};
use crate::jetstream::{Decompressor, Dictionary, DictionaryError};

/// What an [`Ingest`] is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is followed.
    pub source: Source,
    /// Where from, best first: origins such as `wss://relay.example.com`.
    pub hosts: Vec<String>,
    /// Limits.
    pub limits: Limits,
}

impl Config {
    /// Whether a driver can do anything with it.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        if self.hosts.is_empty() {
            return Err(ConfigError::NoHost);
        }
        if limits.max_queued_bytes < MIN_QUEUED_BYTES {
            return Err(ConfigError::QueueTooSmall);
        }
        let counts = [
            limits.max_queued,
            limits.max_lookups,
            limits.max_fetches,
            limits.max_repository_bytes,
        ];
        let bursts = [limits.fetches.burst, limits.fetches_of_one_host.burst];
        if counts.contains(&0) || bursts.contains(&0) || limits.max_attempts == 0 {
            return Err(ConfigError::Zero);
        }
        self.source.check()
    }
}

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `com.atproto.sync.subscribeRepos`, everything verified.
    Repos,
    /// A [Jetstream](crate::jetstream), nothing verified: the host's word for it is all there is.
    ///
    /// Whoever runs the host, or sits on the way to it, can make any account say anything, and leave out what it says.
    /// So it is for what may be wrong, as counts and displays may. What acts for the accounts, and gives their time away
    /// as Huddle does, follows [`Source::Repos`]: the command `huddle` takes no Jetstream. Each event says so by its
    /// [`Proof`], and comes without a state of the account, so that what comes again after a crash cannot be told.
    Jetstream {
        /// The collections to ask for, e.g. `com.example.*`; all for none. At most [`MAX_COLLECTIONS`].
        collections: Vec<String>,
        /// The dictionary of the host's program: with it messages are asked for that are compressed. Those that are not
        /// are read all the same.
        dictionary: Option<Dictionary>,
    },
}

impl Source {
    fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::Jetstream { collections, .. } if collections.len() > MAX_COLLECTIONS => {
                Err(ConfigError::TooManyCollections(collections.len()))
            }
            Self::Jetstream { .. } | Self::Repos => Ok(()),
        }
    }

    /// What reads its messages, compressed or not.
    pub(super) fn decompressor(&self) -> Result<Decompressor, DictionaryError> {
        match self {
            Self::Jetstream {
                dictionary: Some(dictionary),
                ..
            } => Decompressor::new(dictionary),
            _ => Ok(Decompressor::default()),
        }
    }

    /// The address of a host's stream from the cursor on.
    pub fn url(&self, host: &str, cursor: Option<i64>) -> String {
        let origin = host.trim_end_matches('/');
        let (path, mut query): (_, Vec<String>) = match self {
            Self::Repos => ("xrpc/com.atproto.sync.subscribeRepos", Vec::new()),
            Self::Jetstream {
                collections,
                dictionary,
            } => {
                let wanted = collections.iter();
                let wanted = wanted.map(|collection| format!("wantedCollections={collection}"));
                let compressed = dictionary.iter().map(|_| "compress=true".to_owned());
                ("subscribe", wanted.chain(compressed).collect())
            }
        };
        query.extend(cursor.map(|cursor| format!("cursor={cursor}")));
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{origin}/{path}{mark}{}", query.join("&"))
    }
}

/// What everything may take. The times are those of a service on the Internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of what waits to be done: frames, and what is remembered along with them. Before it is
    /// reached no more frames are [wanted](Ingest::wants_frames). At least 6 MB, so that any frame fits in.
    pub max_queued_bytes: usize,
    /// The most things that wait to be done.
    pub max_queued: usize,
    /// Of how many accounts for which nothing is to be done the state and the identity are remembered.
    pub max_accounts: usize,
    /// Of how many accounts whose repositories could not be fetched it is remembered when to try again. Beside them of
    /// a quarter as many that only the stream has named, and whose keys could not be looked up.
    pub max_resting: usize,
    /// How many identities are looked up at the same time.
    pub max_lookups: usize,
    /// How many repositories are being fetched or taken over at the same time, half of them from one host. Each is held
    /// in memory.
    pub max_fetches: usize,
    /// How many repositories are fetched at most, whoever sends what.
    pub fetches: Allowance,
    /// How many repositories are fetched from one host at most.
    pub fetches_of_one_host: Allowance,
    /// The most bytes of the records of interest of one repository, with their paths.
    pub max_repository_bytes: usize,
    /// How often something is asked for before it is given up.
    pub max_attempts: u32,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a connection may be without a sign of life: a frame, or an answer to a ping.
    pub silence: Duration,
    /// How long a connection may be without a frame, whatever else the host answers. It then counts as one that failed,
    /// so that another host has its turn in the end.
    ///
    /// A relay of the whole network has something to say at any moment, and [Jetstream] does not follow one for longer
    /// than 15 seconds without an event. A server of a few accounts may have nothing to say for hours; that it is asked
    /// again now and then costs it nothing. Only where it is the one host that there is, and has never sent anything, is it
    /// left alone: without a cursor, every connection begins with a gap.
    ///
    /// [Jetstream]: https://github.com/bluesky-social/jetstream
    pub idle: Duration,
    /// How long a connection has to last to be no failure.
    pub healthy: Duration,
    /// How often a cursor is kept at most.
    pub keep_every: Duration,
    /// In what time the identity of one account is found three times at most, if it is one of those that are
    /// [remembered](Self::max_accounts). What cannot be judged before waits for it.
    pub lookup_every: Duration,
    /// For how long the repository of an account is left alone at most the first time that it could not be fetched.
    /// Each time after it that is twice as long.
    pub rest: Duration,
    /// For how long the repository of an account is left alone at most.
    pub longest_rest: Duration,
}

impl Default for Limits {
    /// 32 MiB and 10,000 things in waiting, 10,000 accounts and as many at rest, 32 look-ups, 4 repositories of 128 MiB
    /// each, 5 attempts; 20 seconds to connect, 90 seconds of silence, 5 minutes without a frame, healthy after a minute,
    /// a cursor every 5 seconds; three look-ups of one account a minute, rests of 10 minutes to a day.
    ///
    /// 100 repositories at once and then 8 a second: hosts that run the reference server answer 3,000 requests in five
    /// minutes, which is 10 a second. From one host 20 at once, and then 2 a second, as relays' own backfill does.
    fn default() -> Self {
        Self {
            max_queued_bytes: 32 << 20,
            max_queued: 10_000,
            max_accounts: 10_000,
            max_resting: 10_000,
            max_lookups: 32,
            max_fetches: 4,
            fetches: Allowance {
                burst: 100,
                every: Duration::from_millis(125),
            },
            fetches_of_one_host: Allowance {
                burst: 20,
                every: Duration::from_millis(500),
            },
            max_repository_bytes: 128 << 20,
            max_attempts: 5,
            connect_timeout: Duration::from_secs(20),
            silence: Duration::from_secs(90),
            idle: Duration::from_mins(5),
            healthy: Duration::from_mins(1),
            keep_every: Duration::from_secs(5),
            lookup_every: Duration::from_mins(1),
            rest: Duration::from_mins(10),
            longest_rest: Duration::from_hours(24),
        }
    }
}

/// Why there is no [`Ingest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No host.
    #[error("name at least one host")]
    NoHost,
    /// A frame may not fit into [`Limits::max_queued_bytes`].
    #[error("max_queued_bytes must be at least {MIN_QUEUED_BYTES}")]
    QueueTooSmall,
    /// One of the other numbers is 0.
    #[error("the limits must not be 0")]
    Zero,
    /// More collections than a Jetstream takes.
    #[error(
        "a Jetstream takes at most {MAX_COLLECTIONS} collections, not {0}: name fewer, or what they have in common"
    )]
    TooManyCollections(usize),
    /// The dictionary of a Jetstream is of no use.
    #[error("the dictionary of the Jetstream: {0}")]
    Dictionary(#[from] DictionaryError),
}

/// The most collections that a Jetstream is asked for, by the hosts' rules.
pub const MAX_COLLECTIONS: usize = 100;

/// The least [`Limits::max_queued_bytes`].
pub const MIN_QUEUED_BYTES: usize = 6_000_000;
