//! The page on which a calendar is connected.
//!
//! Its address has a ticket, which says for whom and what: that is what keeps others from sending the form. It is used
//! up when a calendar is connected, and not by looking at the page or by a password that was mistyped.

mod problem;

use std::slice;

use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use huddle_calendars::Given;
use huddle_core::index::people;
use huddle_core::user_connector::connector::{Access, Provider};
use huddle_core::user_connector::ticket::ConnectTicket;
use huddle_syntax::Did;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Web;
use crate::page::{Message, answer};
use problem::Problem;

#[derive(Default, Deserialize)]
pub(crate) struct Opened {
    #[serde(default)]
    pub(crate) ticket: String,
}

/// What is sent; what a kind of calendar has no need of is empty.
#[derive(Default, Deserialize)]
pub(crate) struct Filled {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    address: Zeroizing<String>,
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    label: String,
}

/// The form; a password that was sent is not sent back.
#[derive(Template)]
#[template(path = "connect.html")]
struct Page<'a> {
    person: &'a str,
    writes: bool,
    is_feed: bool,
    problem: Option<&'a str>,
    ticket: &'a str,
    address: &'a str,
    user: &'a str,
    label: &'a str,
}

pub(crate) async fn form(
    State(web): State<Web>,
    opened: Result<Query<Opened>, QueryRejection>,
) -> Response {
    let Opened { ticket: text } = opened.map(|Query(it)| it).unwrap_or_default();
    match web.calendars.ticket(&text) {
        Ok(ticket) => {
            let filled = Filled {
                ticket: text,
                ..Filled::default()
            };
            web.connect_page(&ticket, &filled, None).await
        }
        Err(bad) => Problem::from(bad).page(),
    }
}

pub(crate) async fn submit(
    State(web): State<Web>,
    filled: Result<Form<Filled>, FormRejection>,
) -> Response {
    let Ok(Form(filled)) = filled else {
        return Problem::unreadable_form().page();
    };
    let calendars = &web.calendars;
    let ticket = match calendars.ticket(&filled.ticket) {
        Ok(ticket) => ticket,
        Err(bad) => return Problem::from(bad).page(),
    };
    let connected = calendars
        .connect(&ticket, filled.label(), filled.given(&ticket))
        .await;
    match connected.map_err(Problem::from) {
        Ok(_) => {
            let next = ticket.return_uri.as_deref().unwrap_or("/connect/done");
            Redirect::to(next).into_response()
        }
        Err(problem) if problem.is_final => problem.page(),
        Err(problem) => web.connect_page(&ticket, &filled, Some(&problem)).await,
    }
}

pub(crate) async fn done() -> Response {
    let page = Message {
        title: "The calendar is connected",
        text: "Huddle now leaves out times at which you are busy there. You can close this page.",
    };
    answer(StatusCode::OK, &page)
}

impl Filled {
    /// What it is to be called, if anything; the lexicon has names of at most 64 characters.
    fn label(&self) -> Option<String> {
        let printable = self.label.chars().filter(|it| !it.is_control());
        let label: String = printable.take(64).collect();
        let label = label.trim();
        (!label.is_empty()).then(|| label.to_owned())
    }

    fn given(&self, ticket: &ConnectTicket) -> Given<'_> {
        match ticket.provider {
            Provider::Ics => Given::Feed {
                address: &self.address,
            },
            Provider::CalDav => Given::CalDav {
                start: &self.address,
                user: &self.user,
                password: &self.password,
            },
        }
    }
}

impl Web {
    async fn connect_page(
        &self,
        ticket: &ConnectTicket,
        filled: &Filled,
        problem: Option<&Problem>,
    ) -> Response {
        let person = self.called(&ticket.person).await;
        let page = Page {
            person: &person,
            writes: ticket.access == Access::Events,
            is_feed: ticket.provider == Provider::Ics,
            problem: problem.map(|problem| &*problem.text),
            ticket: &filled.ticket,
            address: &filled.address,
            user: &filled.user,
            label: &filled.label,
        };
        answer(problem.map_or(StatusCode::OK, |it| it.status), &page)
    }

    /// What somebody is called, by their handle if it is known.
    pub(crate) async fn called(&self, person: &Did) -> String {
        let names = people::names(&*self.index, slice::from_ref(&person)).await;
        let handle = names
            .ok()
            .and_then(|mut names| names.remove(person)?.handle);
        match handle {
            Some(handle) => format!("@{handle} ({person})"),
            None => person.to_string(),
        }
    }
}
