//! What this installation is told: by variables and secrets, which `wrangler.toml` describes.

use std::str::FromStr;

use huddle_core::Limits;
use worker::Env;

/// Something that a deployment has to put right.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{name} {problem}")]
pub struct Misconfigured {
    name: &'static str,
    problem: String,
}

impl Misconfigured {
    /// A variable or secret that is not there, and why it has to be.
    pub fn missing(name: &'static str, why: &str) -> Self {
        Self {
            name,
            problem: format!("is missing: {why}"),
        }
    }

    /// A variable or secret that says what cannot be.
    pub fn unusable(name: &'static str, error: &impl ToString) -> Self {
        Self {
            name,
            problem: format!("cannot be used: {}", error.to_string()),
        }
    }
}

/// The defaults, changed by the variable `LIMITS`: a JSON object of those that differ.
pub fn limits(env: &Env) -> Result<Limits, Misconfigured> {
    let limits: Limits = json(env, "LIMITS")?.unwrap_or_default();
    limits
        .check()
        .map_err(|error| Misconfigured::unusable("LIMITS", &error))?;
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
    value.map_err(|error| Misconfigured::unusable(name, &error))
}

/// What a variable says that has to be set.
pub fn variable<T>(env: &Env, name: &'static str) -> Result<T, Misconfigured>
where
    T: FromStr<Err: ToString>,
{
    let text =
        text(env, name).ok_or_else(|| Misconfigured::missing(name, "set it under [vars]"))?;
    text.parse()
        .map_err(|error| Misconfigured::unusable(name, &error))
}

/// What a variable says that need not be set, or is empty.
pub fn optional<T>(env: &Env, name: &'static str) -> Result<Option<T>, Misconfigured>
where
    T: FromStr<Err: ToString>,
{
    optional_as(env, name, str::parse)
}

/// The same, read in a way of its own.
pub fn optional_as<T, E: ToString>(
    env: &Env,
    name: &'static str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Misconfigured> {
    let text = text(env, name).filter(|text| !text.trim().is_empty());
    let value = text.map(|text| read(&text)).transpose();
    value.map_err(|error| Misconfigured::unusable(name, &error))
}

/// A secret of 32 bytes in hexadecimal.
pub fn secret(env: &Env, name: &'static str) -> Result<[u8; 32], Misconfigured> {
    let text = env
        .secret(name)
        .map_err(|_| Misconfigured::missing(name, "set it with `wrangler secret put`"))?
        .to_string();
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes());
    let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Misconfigured::unusable(name, &"it is not 64 hexadecimal digits"))
}
