//! What people see of this Worker: the pages on which calendars are connected, settings made, addresses confirmed,
//! meetings called off.
//!
//! They are there where it is said at which address, and with which keys what is given there is sealed.

use std::sync::Arc;

use axum::Router;
use huddle_appview_router::Pages;
use huddle_appview_web::{CONNECT_PATH, MailPages, SETTINGS_PATH, Web, mail_routes};
use huddle_core::effects::Post;
use huddle_workers_platform::WorkersRandom;

use crate::parts::Parts;

/// Where calendars are connected and settings made.
pub(crate) fn personal(parts: &Parts) -> Option<Pages> {
    let (url, keys) = (parts.config.public_url.as_ref()?, &parts.config.keys);
    Some(Pages {
        connect: url.join(CONNECT_PATH).ok()?,
        settings: url.join(SETTINGS_PATH).ok()?,
        keys: keys.clone()?,
        random: Arc::new(WorkersRandom),
    })
}

/// The pages, as far as there are any.
pub(crate) fn routes(parts: &Parts) -> Router {
    let Some(personal) = personal(parts) else {
        return Router::new();
    };
    let is_https = personal.connect.scheme() == "https";
    let pages = huddle_appview_web::routes(Web {
        calendars: parts.calendars.clone(),
        index: parts.backend.index.clone(),
        actors: parts.backend.actors.clone(),
        webhooks: personal.webhooks(),
        keys: personal.keys.clone(),
        random: personal.random.clone(),
        clock: parts.backend.clock.clone(),
        is_https,
    });
    let post = parts.post.as_ref();
    let of_mail = post.and_then(|post| mail_pages(parts, post, is_https));
    pages.merge(of_mail.unwrap_or_default())
}

fn mail_pages(parts: &Parts, post: &Post, is_https: bool) -> Option<Router> {
    Some(mail_routes(MailPages {
        addresses: post.addresses.clone(),
        links: post.links.clone()?,
        actors: parts.backend.actors.clone(),
        flows: parts.backend.flows(),
        clock: parts.backend.clock.clone(),
        is_https,
    }))
}
