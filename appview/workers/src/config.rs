//! What this installation is told: by variables and secrets, which `wrangler.toml` describes.

use huddle_appview_router::OperatorToken;
use huddle_core::Limits;
use huddle_core::booking::BookingIds;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_identity::ServiceRef;
use huddle_mail::Sender;
use huddle_ports::Url;
use huddle_schedule::disclosure::DisclosureKey;
use huddle_workers_platform::Misconfigured;
use huddle_workers_platform::config::{limits, optional, optional_as, secret, variable};
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
    /// What credentials of calendars and addresses are sealed with; nobody can give any without it.
    pub(crate) keys: Option<KeyRing>,
    /// How mail is sent; nobody gets any without it.
    pub(crate) mail: Option<MailAccount>,
}

/// An account at the mail API.
pub(crate) struct MailAccount {
    pub(crate) api: Url,
    pub(crate) key: String,
    pub(crate) sender: Sender,
}

impl Config {
    pub(crate) fn read(env: &Env) -> Result<Self, Misconfigured> {
        let keys = optional_as(env, "CALENDAR_KEYS", KeyRing::parse)?;
        let mail = MailAccount::read(env)?;
        if mail.is_some() && keys.is_none() {
            let why = "mail needs it too, because addresses are sealed: set it with `wrangler secret put`";
            return Err(Misconfigured::missing("CALENDAR_KEYS", why));
        }
        Ok(Self {
            limits: limits(env)?,
            service: variable(env, "SERVICE")?,
            graph: variable(env, "GRAPH")?,
            ids: BookingIds::new(&secret(env, "BOOKING_IDS_SECRET")?),
            disclosure: DisclosureKey::new(&secret(env, "DISCLOSURE_SECRET")?),
            public_url: optional(env, "PUBLIC_URL")?,
            operator_token: operator_token(env)?,
            keys,
            mail,
        })
    }
}

/// Who is an operator, if anybody is.
pub(crate) fn operator_token(env: &Env) -> Result<Option<OperatorToken>, Misconfigured> {
    optional(env, "OPERATOR_TOKEN")
}

impl MailAccount {
    fn read(env: &Env) -> Result<Option<Self>, Misconfigured> {
        let Some(key) = optional(env, "MAIL_API_KEY")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            api: variable(env, "MAIL_API")?,
            key,
            sender: variable(env, "MAIL_FROM")?,
        }))
    }
}
