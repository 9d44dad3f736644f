//! The page on which a person says what counts as busy, where their meetings are written, and how they are told.
//!
//! As with the page for calendars, the ticket in its address says whose it is and keeps others from sending its forms; it is
//! a ticket of another kind, so that whoever may have one page opened cannot open the other. It is good for as long as it
//! lasts: nothing here uses it up.

mod form;
mod problem;
mod shown;

use axum::Router;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use huddle_core::idempotency::Key;
use huddle_core::rate_limiter::{Rate, Spend, Verdict};
use huddle_core::transport::{Unreachable, ask};
use huddle_core::user_connector::connector::GetCalendars;
use huddle_core::user_connector::ticket::SettingsTicket;
use huddle_core::user_connector::webhook::WebhookMismatch;
use huddle_core::user_connector::{PutPreferences, PutRefused};
use huddle_core::webhooks::SetRefused;
use huddle_core::{ActorName, Ask};
use huddle_ports::Random;
use huddle_syntax::Did;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::connect::Opened;
use crate::page::Message;
use crate::{MAX_KEY, SETTINGS_PATH, Web};
use form::{Preferred, Removed, Webhooked};
use problem::Problem;

/// How often a person may change something on the page.
const CHANGES: Rate = Rate {
    per_minute: 10,
    burst: 20,
};

/// Who is there, and the ticket that says so.
struct Visit {
    person: Did,
    ticket: String,
}

/// What has come of a form.
#[derive(Default)]
struct Done {
    notice: Option<&'static str>,
    /// What messages are signed with, which is said once.
    secret: Option<Zeroizing<String>>,
}

impl Done {
    fn because(notice: &'static str) -> Self {
        Self {
            notice: Some(notice),
            secret: None,
        }
    }

    /// A page that says only this; `None` if nothing was done.
    fn alone(&self) -> Option<Response> {
        let text = match &self.secret {
            Some(secret) => Zeroizing::new(format!(
                "What is posted there is signed with {}. Copy that now: it is not shown again.",
                **secret
            )),
            None => Zeroizing::new("How your settings are now cannot be shown.".into()),
        };
        let message = Message {
            title: self.notice?,
            text: &text,
        };
        Some(crate::page::answer(StatusCode::OK, &message))
    }
}

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route(SETTINGS_PATH, get(open).post(save))
        .route("/settings/webhook", post(put_webhook))
        .route("/settings/webhook/remove", post(remove_webhook))
}

async fn open(State(web): State<Web>, opened: Result<Query<Opened>, QueryRejection>) -> Response {
    let Opened { ticket } = opened.map(|Query(it)| it).unwrap_or_default();
    match web.visit(ticket) {
        Ok(visit) => web.answer(&visit, Ok(Done::default()), "").await,
        Err(problem) => problem.page(),
    }
}

async fn save(State(web): State<Web>, filled: Result<Form<Preferred>, FormRejection>) -> Response {
    let Ok(Form(filled)) = filled else {
        return Problem::UNREADABLE_FORM.page();
    };
    match web.visit(filled.ticket.clone()) {
        Ok(visit) => {
            let done = web.save(&visit.person, &filled).await;
            web.answer(&visit, done, "").await
        }
        Err(problem) => problem.page(),
    }
}

async fn put_webhook(
    State(web): State<Web>,
    filled: Result<Form<Webhooked>, FormRejection>,
) -> Response {
    let Ok(Form(filled)) = filled else {
        return Problem::UNREADABLE_FORM.page();
    };
    match web.visit(filled.ticket.clone()) {
        Ok(visit) => {
            let done = web.put_webhook(&visit.person, &filled).await;
            web.answer(&visit, done, &filled.url).await
        }
        Err(problem) => problem.page(),
    }
}

async fn remove_webhook(
    State(web): State<Web>,
    filled: Result<Form<Removed>, FormRejection>,
) -> Response {
    let Ok(Form(filled)) = filled else {
        return Problem::UNREADABLE_FORM.page();
    };
    match web.visit(filled.ticket.clone()) {
        Ok(visit) => {
            let done = web.remove_webhook(&visit.person, &filled).await;
            web.answer(&visit, done, "").await
        }
        Err(problem) => problem.page(),
    }
}

impl Web {
    fn visit(&self, ticket: String) -> Result<Visit, Problem> {
        let opened = SettingsTicket::open(&self.keys, &ticket, self.clock.now())?;
        Ok(Visit {
            person: opened.person,
            ticket,
        })
    }

    /// Says what has come of a form, and shows how the settings are then. What was typed as an address is shown again where
    /// it was of no use.
    async fn answer(&self, visit: &Visit, done: Result<Done, Problem>, typed: &str) -> Response {
        let (done, problem) = match done {
            Ok(done) => (done, None),
            Err(problem) if problem.is_final => return problem.page(),
            Err(problem) => (Done::default(), Some(problem)),
        };
        let person = &visit.person;
        let known = match self.known(person).await {
            Ok(known) => known,
            // What was done is said all the same, and the secret this once.
            Err(problem) => return done.alone().unwrap_or_else(|| problem.page()),
        };
        let page = shown::Page {
            person: &self.called(person).await,
            ticket: &visit.ticket,
            once: &self.fresh(),
            problem: problem.as_ref().map(|it| it.text),
            notice: done.notice,
            secret: done.secret.as_ref().map(|it| it.as_str()),
            url: if problem.is_some() { typed } else { "" },
            known: &known,
        };
        let status = problem.as_ref().map_or(StatusCode::OK, |it| it.status);
        crate::page::answer(status, &page)
    }

    async fn save(&self, person: &Did, filled: &Preferred) -> Result<Done, Problem> {
        self.spend(person).await?;
        let known = self.ask(person, GetCalendars { event_of: None }).await?;
        let stored = known.preferences;
        let mut preferences = stored.read().map_err(|_| Problem::LATER_VERSION)?;
        filled.apply(&mut preferences, &known.connectors)?;
        let document = preferences.rewrite(&stored.document);
        let document = document.map_err(|_| Problem::LATER_VERSION)?;
        let put = PutPreferences {
            key: key(person, "settings", &filled.once, &document),
            document,
            swap_revision: Some(filled.revision),
        };
        match self.ask(person, put).await? {
            Ok(_) => Ok(Done::because("Your settings are saved.")),
            Err(PutRefused::Mismatch | PutRefused::Changed) => Err(Problem::CHANGED),
            Err(PutRefused::Invalid(_)) => Err(Problem::LATER_VERSION),
        }
    }

    async fn put_webhook(&self, person: &Did, filled: &Webhooked) -> Result<Done, Problem> {
        self.spend(person).await?;
        let url = filled.url.trim();
        let key = key(person, "settings/webhook", &filled.once, url);
        let set = self.webhooks.set(&*self.actors, key, url);
        match set.await.map_err(|_| Problem::UNREACHABLE)? {
            Ok(secret) => Ok(Done {
                notice: Some("The webhook is set."),
                secret: Some(secret),
            }),
            Err(SetRefused::Url) => Err(Problem::URL),
            Err(SetRefused::Mismatch | SetRefused::Replaced) => Err(Problem::CHANGED),
        }
    }

    async fn remove_webhook(&self, person: &Did, filled: &Removed) -> Result<Done, Problem> {
        self.spend(person).await?;
        let key = key(person, "settings/webhook/remove", &filled.once, "");
        let webhooks = &self.webhooks;
        match webhooks.remove(&*self.actors, key).await? {
            Ok(()) => Ok(Done::because("The webhook is removed.")),
            Err(WebhookMismatch) => Err(Problem::CHANGED),
        }
    }

    /// Takes one change of the few that a person has.
    async fn spend(&self, person: &Did) -> Result<(), Problem> {
        let limiter = ActorName::rate_limiter(&format!("settings/{person}"));
        let spend = Spend {
            rate: CHANGES,
            cost: 1,
            nonce: None,
        };
        match ask(&*self.actors, &limiter, spend).await? {
            Verdict::Allowed { .. } => Ok(()),
            Verdict::Limited { .. } | Verdict::Replayed => Err(Problem::TOO_OFTEN),
        }
    }

    async fn ask<A: Ask>(&self, person: &Did, question: A) -> Result<A::Answer, Unreachable> {
        let actor = ActorName::user_connector(person);
        ask(&*self.actors, &actor, question).await
    }

    /// Names a form, so that to send it twice is to send it once.
    fn fresh(&self) -> String {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        HEXLOWER.encode(&bytes)
    }
}

/// The same form, sent again, is the same request; with something else in it, it is refused.
fn key(person: &Did, method: &str, once: &str, content: &str) -> Key {
    Key {
        caller: person.clone(),
        method: method.to_owned(),
        key: once.chars().take(MAX_KEY).collect(),
        body_hash: HEXLOWER.encode(&Sha256::digest(content)),
    }
}
