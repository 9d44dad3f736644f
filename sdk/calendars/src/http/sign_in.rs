//! How a server is told who asks: as it is known to want that, and not at all before it is known.
//!
//! A password that is sent as it is to a server that only wants to be shown that it is known has been told for nothing,
//! and counts as a failed attempt where those are counted. So a server is met without saying who asks, which it answers
//! by saying how it wants to be told. What it has said is kept with the credentials: most are asked only once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::lock;
use huddle_ports::{HeaderValue, Request, Timestamp};
use serde::{Deserialize, Serialize};

use super::challenge::Wanted;
use super::digest::Session;
use crate::credentials::Credentials;

/// How the server of an account wants to be told who asks, as far as that is known. Clones learn together.
///
/// The scheme is stored; what a digest is made of is not, and is asked for once in each process, or, on Workers, in each
/// event.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Option<Scheme>", into = "Option<Scheme>")]
pub(crate) struct SignIn(Arc<State>);

#[derive(Default)]
struct State {
    manner: Mutex<Manner>,
    /// Held by whoever finds out how.
    learning: lock::Mutex<()>,
}

/// How a server is told.
#[derive(Default)]
pub(crate) enum Manner {
    /// Not at all: it has not been met.
    #[default]
    Unknown,
    /// By the password as it is.
    Basic,
    /// By a digest, of what the server has last asked for; not at all while that is not known.
    Digest(Option<Session>),
}

/// How a request has said who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Not at all, to a server that has not been met.
    Nothing,
    /// Not at all, to a server that wants a digest and has yet to say of what.
    NothingYet,
    /// By the password as it is.
    Basic,
    /// By a digest of what an earlier answer asked for.
    Digest,
    /// By a digest of what the last answer asked for.
    NewDigest,
}

impl Told {
    pub(crate) fn is_digest(self) -> bool {
        matches!(self, Self::Digest | Self::NewDigest)
    }

    /// In which manner a server is told that refuses this and wants that; `None` once the credentials were refused
    /// themselves. To send them again would count as two attempts, and may lock the account.
    ///
    /// A digest of what was asked for earlier may be refused for its age alone, and not every server says so: some have
    /// forgotten their nonces when they were started anew. It is therefore as good as nothing.
    pub(crate) fn instead(self, wanted: Wanted) -> Option<Manner> {
        match (self, wanted) {
            (Self::NewDigest, _) | (Self::Basic, Wanted::Basic) => None,
            (_, Wanted::Basic) => Some(Manner::Basic),
            (_, Wanted::Digest(challenge)) => Some(Manner::Digest(Some(Session::new(challenge)))),
        }
    }
}

impl Manner {
    /// What `Authorization` of a request says; nothing also where a server has asked for what cannot stand in a header.
    pub(crate) fn tell(
        &mut self,
        credentials: &Credentials,
        request: &Request,
        now: Timestamp,
    ) -> Option<HeaderValue> {
        match self {
            Self::Unknown | Self::Digest(None) => None,
            Self::Basic => Some(credentials.basic()),
            Self::Digest(Some(session)) => {
                credentials.digest(session, (&request.method, &request.url), now)
            }
        }
    }
}

impl SignIn {
    /// What `Authorization` of the next request says.
    pub(crate) fn tell(
        &self,
        credentials: &Credentials,
        request: &Request,
        now: Timestamp,
    ) -> (Option<HeaderValue>, Told) {
        let mut manner = self.manner();
        let told = match &*manner {
            Manner::Unknown => Told::Nothing,
            Manner::Digest(None) => Told::NothingYet,
            Manner::Basic => Told::Basic,
            Manner::Digest(Some(_)) => Told::Digest,
        };
        (manner.tell(credentials, request, now), told)
    }

    /// Keeps the manner in which a server was told that has not refused it.
    pub(crate) fn learn(&self, manner: Manner) {
        *self.manner() = manner;
    }

    /// An account that was connected before servers were asked has given the password with every request.
    pub(crate) fn or_basic(&self) {
        let mut manner = self.manner();
        if matches!(*manner, Manner::Unknown) {
            *manner = Manner::Basic;
        }
    }

    /// Whether a request says who asks.
    pub(crate) fn is_known(&self) -> bool {
        matches!(*self.manner(), Manner::Basic | Manner::Digest(Some(_)))
    }

    /// Waits while another request finds out how; then this one does, if that has not.
    pub(crate) async fn turn(&self) -> Option<lock::MutexGuard<'_, ()>> {
        if self.is_known() {
            return None;
        }
        let turn = self.0.learning.lock().await;
        (!self.is_known()).then_some(turn)
    }

    fn manner(&self) -> MutexGuard<'_, Manner> {
        let manner = self.0.manner.lock();
        manner.unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is stored of it.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scheme {
    Basic,
    Digest,
}

impl From<Option<Scheme>> for SignIn {
    fn from(stored: Option<Scheme>) -> Self {
        let sign_in = Self::default();
        sign_in.learn(match stored {
            None => Manner::Unknown,
            Some(Scheme::Basic) => Manner::Basic,
            Some(Scheme::Digest) => Manner::Digest(None),
        });
        sign_in
    }
}

impl From<SignIn> for Option<Scheme> {
    fn from(sign_in: SignIn) -> Self {
        match *sign_in.manner() {
            Manner::Unknown => None,
            Manner::Basic => Some(Scheme::Basic),
            Manner::Digest(_) => Some(Scheme::Digest),
        }
    }
}
