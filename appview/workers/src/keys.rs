//! Changing the keys that credentials of calendars and addresses are sealed with, while the service runs.
//!
//! A new key is put in front of the others in the secret `CALENDAR_KEYS`; then an operator has what was sealed before
//! sealed with it. A request does that for a few people, and says where the next one goes on.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use huddle_core::index::IndexError;
use huddle_core::user_connector::rotation::reseal;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::{ActorName, ActorTransport};
use huddle_workers_platform::{WorkersRandom, log};
use serde::{Deserialize, Serialize};
use worker::Env;

use crate::operator;
use crate::parts::Parts;
use crate::register::Register;

/// Where it is.
const PATH: &str = "/internal/reseal";

/// People whose credentials one request seals anew. Each takes two questions to their actor, and one for each thing that
/// is sealed anew, of which they have eleven at most: with the question to the index it stays below the requests that
/// the smallest plan allows for objects.
const PAGE: u32 = 50;

#[derive(Clone)]
struct Resealing {
    keys: KeyRing,
    actors: Arc<dyn ActorTransport>,
    register: Arc<Register>,
}

#[derive(Deserialize)]
struct Begin {
    #[serde(default)]
    after: String,
}

/// What came of one request.
#[derive(Serialize)]
struct Outcome {
    /// The key that seals.
    newest: String,
    /// How much was sealed anew.
    resealed: usize,
    /// Of how many people something could not be sealed anew; the log says why.
    failed: usize,
    /// Where the next request goes on; without it, nobody is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<ActorName>,
}

/// The route, where there are keys, and somebody who may use it.
pub(crate) fn routes(parts: &Parts, env: &Env) -> Router {
    let (Some(token), Some(keys)) = (&parts.config.operator_token, &parts.config.keys) else {
        return Router::new();
    };
    let routes = Router::new()
        .route(PATH, post(answer))
        .with_state(Resealing {
            keys: keys.clone(),
            actors: parts.backend.actors.clone(),
            register: Arc::new(Register::new(env)),
        });
    operator::only(token, routes)
}

async fn answer(
    State(resealing): State<Resealing>,
    Query(Begin { after }): Query<Begin>,
) -> Response {
    match resealing.reseal(&after).await {
        Ok(outcome) => Json(outcome).into_response(),
        Err(problem) => {
            log::failed("nothing is sealed anew", &problem);
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

impl Resealing {
    async fn reseal(&self, after: &str) -> Result<Outcome, IndexError> {
        let people = self.register.keeping(after, PAGE).await?;
        let (mut resealed, mut failed) = (0, 0);
        for person in &people {
            match reseal(&*self.actors, &self.keys, &WorkersRandom, person).await {
                Ok(count) => resealed += count,
                Err(problem) => {
                    log::failed("something is not sealed anew", &problem);
                    failed += 1;
                }
            }
        }
        Ok(Outcome {
            newest: self.keys.newest(),
            resealed,
            failed,
            after: people.last().cloned(),
        })
    }
}
