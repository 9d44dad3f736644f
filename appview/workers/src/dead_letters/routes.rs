//! What an operator lists and has tried again, as `huddle jobs` does where the actors' store is at hand.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use huddle_core::index::IndexError;
use huddle_workers_platform::log;
use huddle_xrpc::Generic;
use serde::{Deserialize, Serialize};
use worker::Env;
use worker::send::SendFuture;

use super::{DeadLetters, Kept};
use crate::parts::Parts;
use crate::{jobs, operator};

/// Tasks that one request has tried again, of all: each is a request to the queue, of which the smallest plan allows 50.
const PAGE: u32 = 40;

/// The most that are listed at once.
const MOST_LISTED: u32 = 500;

#[derive(Clone)]
struct Jobs {
    letters: DeadLetters,
    env: Env,
}

/// What is listed: from where on, and how many at most.
#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    after: u32,
    #[serde(default = "hundred")]
    most: u32,
}

const fn hundred() -> u32 {
    100
}

#[derive(Serialize)]
struct Listed {
    /// The oldest first.
    jobs: Vec<Kept>,
    /// Where the next request goes on; without it, nothing is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<i64>,
}

/// Which are tried again: all that were given up before this one.
#[derive(Deserialize)]
struct Retrying {
    #[serde(default = "last")]
    before: u32,
}

const fn last() -> u32 {
    u32::MAX
}

#[derive(Serialize)]
struct Retried {
    retried: usize,
    /// Where the next request goes on; without it, nothing is left. It goes back, so that what fails again meanwhile is
    /// not met again.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<i64>,
}

/// The routes, where there is somebody who may use them.
pub(crate) fn routes(parts: &Parts, env: &Env) -> Router {
    let Some(token) = &parts.config.operator_token else {
        return Router::new();
    };
    let routes = Router::new()
        .route("/internal/jobs", get(list))
        .route("/internal/jobs/retry", post(retry_all))
        .route("/internal/jobs/{id}/retry", post(retry))
        .with_state(Jobs {
            letters: DeadLetters::new(env),
            env: env.clone(),
        });
    operator::only(token, routes)
}

async fn list(
    State(jobs): State<Jobs>,
    asked: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Listed>, Refused> {
    let Query(Listing { after, most }) = asked?;
    let most = most.min(MOST_LISTED);
    let jobs = jobs.letters.after(after, most).await?;
    let after = jobs.last().map(|job| job.letter.id);
    Ok(Json(Listed { jobs, after }))
}

async fn retry(State(jobs): State<Jobs>, Path(id): Path<String>) -> Result<Json<Retried>, Refused> {
    let id = id.parse().map_err(|_| Refused::NoNumber)?;
    let job = jobs.letters.of(id).await?;
    jobs.retry(&[job.ok_or(Refused::NotGivenUp(id))?]).await?;
    Ok(Json(Retried {
        retried: 1,
        before: None,
    }))
}

async fn retry_all(
    State(jobs): State<Jobs>,
    asked: Result<Query<Retrying>, QueryRejection>,
) -> Result<Json<Retried>, Refused> {
    let Query(Retrying { before }) = asked?;
    let all = jobs.letters.before(before, PAGE).await?;
    jobs.retry(&all).await?;
    Ok(Json(Retried {
        retried: all.len(),
        before: all.last().map(|job| job.letter.id),
    }))
}

impl Jobs {
    /// Has tasks tried again, as if they had never failed.
    async fn retry(&self, given_up: &[Kept]) -> Result<(), Refused> {
        for Kept { letter, .. } in given_up {
            let sent = SendFuture::new(jobs::send_again(&self.env, letter.task.clone())).await;
            sent.map_err(|problem| Refused::Queue(problem.to_string()))?;
        }
        let ids: Vec<_> = given_up.iter().map(|job| job.letter.id).collect();
        Ok(self.letters.remove(&ids).await?)
    }
}

/// Why an operator gets no answer.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("a job is named by its number, as GET /internal/jobs lists it")]
    NoNumber,
    #[error("no job {0} was given up: GET /internal/jobs lists those that were")]
    NotGivenUp(u32),
    #[error("{0}")]
    Parameters(#[from] QueryRejection),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the queue takes nothing: {0}")]
    Queue(String),
}

impl Refused {
    fn status_and_name(&self) -> (StatusCode, &'static str) {
        let of = |generic: Generic| (generic.status(), generic.name());
        match self {
            Self::NoNumber | Self::Parameters(_) => of(Generic::InvalidRequest),
            Self::NotGivenUp(_) => (StatusCode::NOT_FOUND, "JobNotFound"),
            Self::Index(_) | Self::Queue(_) => of(Generic::NotEnoughResources),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error) = self.status_and_name();
        if status.is_server_error() {
            log::failed("jobs were not all listed or tried again", &self);
        }
        let body = serde_json::json!({ "error": error, "message": self.to_string() });
        (status, Json(body)).into_response()
    }
}
