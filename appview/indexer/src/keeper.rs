//! Answers what a runner of the stream asks: out of the index, and of whoever hosts an account.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use huddle_core::index::IndexError;
use huddle_core::pause::Pause;
use huddle_firehose::VerifyingKey;
use huddle_firehose::ingest::{Answer, Identity, Question, Unavailable};
use huddle_identity::{DidDocument, Freshness};
use huddle_lexicon::com::atproto::sync::get_repo::{Error, GetRepo, Params};
use huddle_ports::{FetchError, FetchLimits};
use huddle_syntax::Did;
use huddle_xrpc::client::{Client, ClientError};

use crate::{Indexer, TakenOver};

/// How long what failed rests before it is tried again: twice as long each time, up to the longest.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// So many accounts are named at a time, to be fetched.
const WANTED: u32 = 500;

/// Keeps what comes from a stream, for a [`Runner`](huddle_firehose::ingest::Runner).
#[derive(Clone)]
pub struct Keeper {
    /// What it is kept with.
    pub indexer: Indexer,
    /// Waits before what failed is tried again.
    pub pause: Arc<dyn Pause>,
    /// What a repository may take, in bytes and in time.
    pub repository: FetchLimits,
    /// Hears each time that something has to wait for the index.
    pub on_failure: fn(&IndexError),
}

impl Keeper {
    /// Answers a question, and says what came of the event if one was to be taken over. What the index does not do is tried
    /// until it does: the stream goes on from what it has.
    pub async fn answer(&self, question: Question) -> (Answer, Option<TakenOver>) {
        let indexer = &self.indexer;
        let answer = match question {
            Question::Account { did } => {
                let account = self.persist(|| indexer.account(&did)).await;
                Answer::Account { did, account }
            }
            Question::Identity { did } => {
                let found = indexer.identity(&did).await;
                Answer::Identity { did, found }
            }
            Question::Repository { did } => {
                let car = indexer.repository(&did, self.repository).await;
                Answer::Repository { did, car }
            }
            Question::TakeOver { ticket, event } => {
                let taken = self.persist(|| indexer.take_over(&event)).await;
                return (Answer::TakenOver { ticket }, Some(taken));
            }
            Question::KeepCursor { host, cursor } => {
                self.persist(|| indexer.keep_cursor(&host, cursor)).await;
                Answer::CursorKept
            }
            Question::Wanted { lost_after } => {
                let lost_after = lost_after.as_deref();
                let wanted = self.persist(|| indexer.wanted(lost_after)).await;
                Answer::Wanted {
                    dids: wanted.iter().map(Did::to_string).collect(),
                }
            }
        };
        (answer, None)
    }

    /// Tries until it succeeds.
    async fn persist<T, F>(&self, attempt: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T, IndexError>>,
    {
        let mut rest = FIRST_REST;
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(error) => (self.on_failure)(&error),
            }
            let clock = &self.indexer.ports.clock;
            self.pause.until(clock.now() + rest).await;
            rest = (rest * 2).min(LONGEST_REST);
        }
    }
}

impl Indexer {
    /// The key of an account and where it is hosted, whatever is remembered of it.
    pub async fn identity(&self, did: &str) -> Result<Identity, Unavailable> {
        let (_, document) = self.document(did, Freshness::Fresh).await?;
        let key = document.signing_key().map_err(|_| Unavailable::AtAll)?;
        let key = VerifyingKey::from_multikey(&key.to_multikey());
        let pds = document.pds().ok();
        Ok(Identity {
            key: key.map_err(|_| Unavailable::AtAll)?,
            host: pds.and_then(|pds| pds.host_str().map(Arc::from)),
        })
    }

    /// The repository of an account as CAR, within limits.
    pub async fn repository(&self, did: &str, limits: FetchLimits) -> Result<Vec<u8>, Unavailable> {
        // The identity was looked up not long ago, and the document with it.
        let (did, document) = self.document(did, Freshness::Cached).await?;
        let pds = document.pds().map_err(|_| Unavailable::AtAll)?;
        let client = Client::new(self.ports.fetch.clone(), pds).with_limits(limits);
        match client.query::<GetRepo>(&Params::new(did)).await {
            Ok(response) => Ok(response.output.bytes),
            Err(ClientError::Declared(refused)) => Err(match refused.error {
                Error::RepoDeactivated | Error::RepoSuspended | Error::RepoTakendown => {
                    Unavailable::Inactive
                }
                Error::RepoNotFound => Unavailable::AtAll,
            }),
            Err(ClientError::Transport(FetchError::TooLarge { limit })) => {
                Err(Unavailable::TooLarge(limit))
            }
            Err(error) => Err(unavailable(error.is_retryable())),
        }
    }

    async fn document(
        &self,
        did: &str,
        freshness: Freshness,
    ) -> Result<(Did, DidDocument), Unavailable> {
        let did: Did = did.parse().map_err(|_| Unavailable::AtAll)?;
        match self.ports.identity.resolve_did(&did, freshness).await {
            Ok(document) => Ok((did, document)),
            Err(error) => Err(unavailable(error.is_retryable())),
        }
    }

    /// Some accounts whose repositories are to be fetched: those that had lost track, after this one, or else whoever
    /// turned out to be held wrongly.
    async fn wanted(&self, lost_after: Option<&str>) -> Result<Vec<Did>, IndexError> {
        match lost_after {
            Some(after) => self.lost(after, WANTED).await,
            None => self.stale("", WANTED).await,
        }
    }
}

fn unavailable(is_retryable: bool) -> Unavailable {
    if is_retryable {
        Unavailable::ForNow
    } else {
        Unavailable::AtAll
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}
