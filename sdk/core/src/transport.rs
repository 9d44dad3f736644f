//! How a command reaches an actor from outside.

use async_trait::async_trait;

use crate::actor::{ActorName, Ask, Command, Reply};

/// Brings commands to actors.
#[async_trait]
pub trait ActorTransport: Send + Sync {
    /// Has the actor do what `command` asks, and gives its reply once that is stored for good.
    ///
    /// An error says nothing about whether the command was carried out.
    async fn send(&self, to: &ActorName, command: Command) -> Result<Reply, Unreachable>;
}

/// No reply came from an actor, or none that answers what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer from {}: {problem}", .actor.in_logs())]
pub struct Unreachable {
    /// Which one.
    pub actor: ActorName,
    /// What went wrong, for the log.
    pub problem: String,
}

/// Asks an actor, and gives an answer of the type that belongs to the question.
pub async fn ask<A: Ask>(
    transport: &dyn ActorTransport,
    to: &ActorName,
    question: A,
) -> Result<A::Answer, Unreachable> {
    let reply = transport.send(to, question.into()).await?;
    A::answer(reply).ok_or_else(|| Unreachable {
        actor: to.clone(),
        problem: "the reply is to another command".into(),
    })
}
