//! The pages that links in letters lead to.
//!
//! Whoever opens one is asked, and only the answer does something: programs that look through mail open every link. What
//! is asked stands in the link, sealed; nobody is signed in.

use std::fmt;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use huddle_core::ActorTransport;
use huddle_core::booking::NotFound;
use huddle_core::flows::Flows;
use huddle_core::idempotency::Key;
use huddle_core::mail::{Addresses, CANCEL_PAGE, CONFIRM_PAGE, CancelLink, ConfirmRefused, Links};
use huddle_core::transport::Unreachable;
use huddle_ports::Clock;
use huddle_syntax::Did;
use serde::Deserialize;

use crate::MAX_FORM_BYTES;
use crate::MAX_KEY;
use crate::page::{Message, answer, secured};

/// What the pages for mail do.
#[derive(Clone)]
pub struct MailPages {
    /// Where people read mail.
    pub addresses: Addresses,
    /// Reads the links.
    pub links: Links,
    /// The actors.
    pub actors: Arc<dyn ActorTransport>,
    /// Calls bookings off.
    pub flows: Flows,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether the pages are reached by HTTPS, and so never by anything else.
    pub is_https: bool,
}

impl fmt::Debug for MailPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailPages")
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}

/// The pages that links in letters lead to.
pub fn mail_routes(pages: MailPages) -> Router {
    let is_https = pages.is_https;
    let pages = Router::new()
        .route(
            &format!("/{CONFIRM_PAGE}"),
            get(ask_to_confirm).post(confirm),
        )
        .route(&format!("/{CANCEL_PAGE}"), get(ask_to_cancel).post(cancel))
        .with_state(pages)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES));
    secured(pages, is_https)
}

/// What stands in a link; it comes back with the answer.
#[derive(Default, Deserialize)]
struct Linked {
    #[serde(default)]
    person: String,
    #[serde(default)]
    token: String,
}

/// Asks before anything is done.
#[derive(Template)]
#[template(path = "ask.html")]
struct Question<'a> {
    title: &'a str,
    text: &'a str,
    action: &'a str,
    person: &'a str,
    token: &'a str,
    button: &'a str,
}

async fn ask_to_confirm(linked: Result<Query<Linked>, QueryRejection>) -> Response {
    let Linked { person, token } = linked.map(|Query(it)| it).unwrap_or_default();
    let page = Question {
        title: "Is this your address?",
        text: "Mail about your meetings will go to the address at which you got this link.",
        action: CONFIRM_PAGE,
        person: &person,
        token: &token,
        button: "Yes, it is mine",
    };
    answer(StatusCode::OK, &page)
}

async fn confirm(
    State(pages): State<MailPages>,
    linked: Result<Form<Linked>, FormRejection>,
) -> Response {
    let Linked { person, token } = linked.map(|Form(it)| it).unwrap_or_default();
    let Ok(person) = person.parse::<Did>() else {
        return said(StatusCode::BAD_REQUEST, CONFIRM_INVALID);
    };
    // The same link once more is the same request.
    let key = Key {
        caller: person,
        method: CONFIRM_PAGE.into(),
        key: token.chars().take(MAX_KEY).collect(),
        body_hash: String::new(),
    };
    let confirmed = pages.addresses.confirm(&*pages.actors, key, &token);
    match confirmed.await {
        Ok(Ok(())) => said(StatusCode::OK, CONFIRMED),
        Ok(Err(ConfirmRefused::Expired)) => said(StatusCode::GONE, CONFIRM_EXPIRED),
        Ok(Err(ConfirmRefused::Invalid | ConfirmRefused::Mismatch)) => {
            said(StatusCode::BAD_REQUEST, CONFIRM_INVALID)
        }
        Err(Unreachable { .. }) => said(StatusCode::SERVICE_UNAVAILABLE, LATER),
    }
}

async fn ask_to_cancel(
    State(pages): State<MailPages>,
    linked: Result<Query<Linked>, QueryRejection>,
) -> Response {
    let Linked { token, .. } = linked.map(|Query(it)| it).unwrap_or_default();
    if pages.links.read_cancel(&token, pages.clock.now()).is_none() {
        return said(StatusCode::GONE, CANCEL_OVER);
    }
    let page = Question {
        title: "Call the meeting off?",
        text: "Both of you are told, and the time is free again.",
        action: CANCEL_PAGE,
        person: "",
        token: &token,
        button: "Call it off",
    };
    answer(StatusCode::OK, &page)
}

async fn cancel(
    State(pages): State<MailPages>,
    linked: Result<Form<Linked>, FormRejection>,
) -> Response {
    let Linked { token, .. } = linked.map(|Form(it)| it).unwrap_or_default();
    let Some(link) = pages.links.read_cancel(&token, pages.clock.now()) else {
        return said(StatusCode::GONE, CANCEL_OVER);
    };
    match pages.cancel(&link).await {
        Ok(true) => said(StatusCode::OK, CANCELED),
        Ok(false) => said(StatusCode::GONE, CANCEL_OVER),
        Err(Unreachable { .. }) => said(StatusCode::SERVICE_UNAVAILABLE, LATER),
    }
}

impl MailPages {
    /// Calls a booking off on behalf of a party; says whether there is such a booking.
    async fn cancel(&self, link: &CancelLink) -> Result<bool, Unreachable> {
        let booking = match self.flows.read(&link.booking, None).await? {
            Ok(booking) => booking,
            Err(NotFound) => return Ok(false),
        };
        let (person, _) = booking.asked.sides(link.party);
        let key = Key {
            caller: person.clone(),
            method: CANCEL_PAGE.into(),
            key: link.expires.as_millis().to_string(),
            body_hash: String::new(),
        };
        let canceled = self.flows.cancel(&link.booking, key, None).await?;
        Ok(canceled.is_ok())
    }
}

const CONFIRMED: (&str, &str) = (
    "The address is confirmed",
    "From now on mail about your meetings goes there. You can close this page.",
);
const CONFIRM_INVALID: (&str, &str) = (
    "This link is good for nothing",
    "It was used already, or another address was entered since. Enter the address again to get a new one.",
);
const CONFIRM_EXPIRED: (&str, &str) = (
    "This link is too old",
    "Enter the address again to get a new one.",
);
const CANCELED: (&str, &str) = (
    "The meeting is called off",
    "Both of you are told. You can close this page.",
);
const CANCEL_OVER: (&str, &str) = (
    "There is nothing to call off",
    "This link is good until the meeting is over, and for that meeting only.",
);
const LATER: (&str, &str) = (
    "That does not work right now",
    "Nothing has changed. Open the link again in a few minutes.",
);

fn said(status: StatusCode, (title, text): (&str, &str)) -> Response {
    answer(status, &Message { title, text })
}
