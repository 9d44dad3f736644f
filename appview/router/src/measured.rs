//! Ports of the core that are measured: what comes of holds, which actors start, and how long mail takes.

use std::collections::HashSet;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use huddle_core::actor::{Command, Reply};
use huddle_core::host_match::{self, HoldRefused};
use huddle_core::mail::{Delivery, Letter, Mail};
use huddle_core::transport::Unreachable;
use huddle_core::{ActorName, ActorTransport};
use huddle_ports::Clock;
use huddle_ports::metrics::{ACTOR_STARTS, HOLDS, Metrics, PROVIDER_SECONDS};

/// So many actors are remembered at least that were asked last.
const REMEMBERED: usize = 8192;

/// Actors whose holds are counted, by what comes of them.
pub struct MeasuredHolds {
    actors: Arc<dyn ActorTransport>,
    metrics: Arc<dyn Metrics>,
}

impl MeasuredHolds {
    /// Those behind `actors`.
    pub fn new(actors: Arc<dyn ActorTransport>, metrics: Arc<dyn Metrics>) -> Self {
        Self { actors, metrics }
    }
}

#[async_trait]
impl ActorTransport for MeasuredHolds {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        let is_hold = matches!(command, Command::HostMatch(host_match::Command::Hold(_)));
        let reply = self.actors.send(to, command).await;
        if is_hold {
            self.metrics.count(&HOLDS, &[outcome(&reply)]);
        }
        reply
    }
}

/// One word for what came of a hold.
fn outcome(reply: &Result<Reply, Unreachable>) -> &'static str {
    let Ok(Reply::HostMatch(host_match::Reply::Hold(hold))) = reply else {
        return "unreachable";
    };
    match hold {
        Ok(_) => "held",
        Err(HoldRefused::NoneFree) => "none free",
        Err(HoldRefused::TooManyHolds { .. }) => "too many",
        Err(HoldRefused::Over { .. }) => "over",
    }
}

/// Actors whose starts are counted, where they live in one store: one that was not asked for long counts as started.
pub struct MeasuredStarts {
    actors: Arc<dyn ActorTransport>,
    metrics: Arc<dyn Metrics>,
    asked: Mutex<Recent>,
}

impl MeasuredStarts {
    /// Those behind `actors`.
    pub fn new(actors: Arc<dyn ActorTransport>, metrics: Arc<dyn Metrics>) -> Self {
        Self {
            actors,
            metrics,
            asked: Mutex::default(),
        }
    }
}

#[async_trait]
impl ActorTransport for MeasuredStarts {
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable> {
        let is_new = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.is_new(to)
        };
        if is_new {
            self.metrics.count(&ACTOR_STARTS, &[to.kind().as_str()]);
        }
        self.actors.send(to, command).await
    }
}

/// The actors that were asked last: the newest, and those before them.
#[derive(Default)]
struct Recent {
    newest: HashSet<ActorName>,
    before: HashSet<ActorName>,
}

impl Recent {
    /// Whether an actor was not asked for long. It has been asked now.
    fn is_new(&mut self, name: &ActorName) -> bool {
        if self.newest.contains(name) {
            return false;
        }
        if self.newest.len() == REMEMBERED {
            self.before = mem::take(&mut self.newest);
        }
        self.newest.insert(name.clone());
        !self.before.contains(name)
    }
}

/// Mail that is measured.
pub struct MeasuredMail {
    mail: Arc<dyn Mail>,
    clock: Arc<dyn Clock>,
    metrics: Arc<dyn Metrics>,
}

impl MeasuredMail {
    /// What `mail` sends.
    pub fn new(mail: Arc<dyn Mail>, clock: Arc<dyn Clock>, metrics: Arc<dyn Metrics>) -> Self {
        Self {
            mail,
            clock,
            metrics,
        }
    }
}

#[async_trait]
impl Mail for MeasuredMail {
    async fn send(&self, letter: &Letter) -> Delivery {
        let begun = self.clock.now();
        let delivery = self.mail.send(letter).await;
        let took = self.clock.now().since(begun).as_secs_f64();
        let outcome = match delivery {
            Delivery::Sent => "ok",
            Delivery::TryLater { .. } => "failed",
            Delivery::Refused(_) => "refused",
        };
        self.metrics
            .record(&PROVIDER_SECONDS, &["mail", outcome], took);
        delivery
    }
}

impl fmt::Debug for MeasuredHolds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeasuredHolds").finish_non_exhaustive()
    }
}

impl fmt::Debug for MeasuredStarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeasuredStarts").finish_non_exhaustive()
    }
}

impl fmt::Debug for MeasuredMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeasuredMail").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(number: usize) -> ActorName {
        ActorName::rate_limiter(&format!("ip/{number}"))
    }

    #[test]
    fn an_actor_is_new_when_it_was_not_asked_for_long() {
        let mut recent = Recent::default();
        assert!(recent.is_new(&actor(0)) && !recent.is_new(&actor(0)));
        for number in 1..=REMEMBERED {
            assert!(recent.is_new(&actor(number)));
        }
        assert!(
            !recent.is_new(&actor(0)),
            "it is remembered for as long again"
        );
        for number in 0..2 * REMEMBERED {
            recent.is_new(&actor(REMEMBERED + 1 + number));
        }
        assert!(recent.is_new(&actor(0)));
        assert!(recent.newest.len() <= REMEMBERED && recent.before.len() <= REMEMBERED);
    }
}
