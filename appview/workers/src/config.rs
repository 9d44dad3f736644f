//! What this installation is told: by variables and secrets, which `wrangler.toml` describes.

use std::str::FromStr;

use huddle_core::Limits;
use huddle_core::booking::BookingIds;
use huddle_identity::ServiceRef;
use huddle_ports::Url;
use worker::Env;

/// Something that a deployment has to put right.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{name} {problem}")]
pub struct Misconfigured {
    name: &'static str,
    problem: String,
}

/// What answering the network takes.
pub(crate) struct Config {
    pub(crate) limits: Limits,
    pub(crate) service: ServiceRef,
    pub(crate) plc: Url,
    pub(crate) dns: Url,
    pub(crate) ids: BookingIds,
}

impl Config {
    pub(crate) fn read(env: &Env) -> Result<Self, Misconfigured> {
        Ok(Self {
            limits: limits(env)?,
            service: variable(env, "SERVICE")?,
            plc: variable(env, "PLC")?,
            dns: variable(env, "DNS")?,
            ids: BookingIds::new(&secret(env, "BOOKING_IDS_SECRET")?),
        })
    }
}

/// The defaults, changed by the variable `LIMITS`: a JSON object of those that differ.
pub(crate) fn limits(env: &Env) -> Result<Limits, Misconfigured> {
    let limits: Limits = json(env, "LIMITS")?.unwrap_or_default();
    limits
        .check()
        .map_err(|error| misconfigured("LIMITS", &error))?;
    Ok(limits)
}

fn text(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string())
}

/// The JSON of a variable, if it is set.
pub fn json<T: serde::de::DeserializeOwned>(
    env: &Env,
    name: &'static str,
) -> Result<Option<T>, Misconfigured> {
    let read = |text: String| serde_json::from_str(&text);
    let value = text(env, name).map(read).transpose();
    value.map_err(|error| misconfigured(name, &error))
}

fn variable<T>(env: &Env, name: &'static str) -> Result<T, Misconfigured>
where
    T: FromStr<Err: ToString>,
{
    let text = text(env, name).ok_or_else(|| Misconfigured {
        name,
        problem: "is missing: set it under [vars]".to_owned(),
    })?;
    text.parse().map_err(|error| misconfigured(name, &error))
}

/// 32 bytes in hexadecimal.
fn secret(env: &Env, name: &'static str) -> Result<[u8; 32], Misconfigured> {
    let problem = |problem: &str| Misconfigured {
        name,
        problem: problem.to_owned(),
    };
    let text = env
        .secret(name)
        .map_err(|_| problem("is missing: set it with `wrangler secret put`"))?
        .to_string();
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes());
    let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| problem("does not hold 64 hexadecimal digits"))
}

fn misconfigured(name: &'static str, problem: &impl ToString) -> Misconfigured {
    Misconfigured {
        name,
        problem: format!("cannot be used: {}", problem.to_string()),
    }
}
