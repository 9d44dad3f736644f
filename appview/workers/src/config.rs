//! What this installation is told: by variables and secrets, which `wrangler.toml` describes.

use huddle_appview_router::OperatorToken;
use huddle_core::Limits;
use huddle_core::booking::BookingIds;
use huddle_identity::ServiceRef;
use huddle_ports::Url;
use huddle_schedule::disclosure::DisclosureKey;
use huddle_workers_platform::Misconfigured;
use huddle_workers_platform::config::{limits, optional, secret, variable};
use worker::Env;

/// What answering the network takes, beside the ways to others.
pub(crate) struct Config {
    pub(crate) limits: Limits,
    pub(crate) service: ServiceRef,
    pub(crate) graph: Url,
    pub(crate) ids: BookingIds,
    pub(crate) disclosure: DisclosureKey,
    pub(crate) public_url: Option<Url>,
    pub(crate) operator_token: Option<OperatorToken>,
}

impl Config {
    pub(crate) fn read(env: &Env) -> Result<Self, Misconfigured> {
        Ok(Self {
            limits: limits(env)?,
            service: variable(env, "SERVICE")?,
            graph: variable(env, "GRAPH")?,
            ids: BookingIds::new(&secret(env, "BOOKING_IDS_SECRET")?),
            disclosure: DisclosureKey::new(secret(env, "DISCLOSURE_SECRET")?),
            public_url: optional(env, "PUBLIC_URL")?,
            operator_token: optional(env, "OPERATOR_TOKEN")?,
        })
    }
}
