//! The AppView's own pages: HTML from templates, which works without scripts and knows no runtime.
//!
//! Credentials of calendars are typed here and nowhere else. [`routes`] and [`mail_routes`] are all of the
//! pages; a runtime serves them beside the methods.

mod connect;
mod mail;
mod page;
mod settings;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::routing::get;
use huddle_calendars::ConnectedCalendars;
use huddle_core::ActorTransport;
use huddle_core::index::Index;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::webhooks::Webhooks;
use huddle_ports::{Clock, Random};

pub use mail::{MailPages, mail_routes};
pub use page::secured;

/// Where calendars are connected.
pub const CONNECT_PATH: &str = "/connect";

/// Where settings are made, and where a webhook is set.
pub const SETTINGS_PATH: &str = "/settings";

/// The most characters of the key of a request, as in the lexicons.
const MAX_KEY: usize = 128;

/// The longest form that is read, in bytes.
const MAX_FORM_BYTES: usize = 32 * 1024;

/// What the pages show and do.
#[derive(Clone)]
pub struct Web {
    /// The calendars that people connect.
    pub calendars: ConnectedCalendars,
    /// What people are called.
    pub index: Arc<dyn Index>,
    /// The actors, which keep preferences.
    pub actors: Arc<dyn ActorTransport>,
    /// Where people have their news posted.
    pub webhooks: Webhooks,
    /// What the tickets of pages are sealed with.
    pub keys: KeyRing,
    /// What tells one form from another.
    pub random: Arc<dyn Random>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether the pages are reached by HTTPS, and so never by anything else.
    pub is_https: bool,
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web")
            .field("is_https", &self.is_https)
            .finish_non_exhaustive()
    }
}

/// The pages on which a person connects calendars, says what counts as busy and where meetings are written, and how they are
/// told.
pub fn routes(web: Web) -> Router {
    let is_https = web.is_https;
    let pages = Router::new()
        .route(CONNECT_PATH, get(connect::form).post(connect::submit))
        .route("/connect/done", get(connect::done))
        .route("/static/huddle.css", get(stylesheet))
        .merge(settings::routes())
        .with_state(web)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES));
    secured(pages, is_https)
}

async fn stylesheet() -> ([(header::HeaderName, &'static str); 2], &'static str) {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("../static/huddle.css"))
}
