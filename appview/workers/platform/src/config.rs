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

/// The defaults, changed by the variable `LIMITS`: a JSON object of those that differ.
pub fn limits(env: &Env) -> Result<Limits, Misconfigured> {
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

/// What a variable says that has to be set.
pub fn variable<T>(env: &Env, name: &'static str) -> Result<T, Misconfigured>
where
    T: FromStr<Err: ToString>,
{
    let text = text(env, name).ok_or_else(|| Misconfigured {
        name,
        problem: "is missing: set it under [vars]".to_owned(),
    })?;
    text.parse().map_err(|error| misconfigured(name, &error))
}

/// What a variable says that need not be set, or is empty.
pub fn optional<T>(env: &Env, name: &'static str) -> Result<Option<T>, Misconfigured>
where
    T: FromStr<Err: ToString>,
{
    let text = text(env, name).filter(|text| !text.trim().is_empty());
    let value = text.map(|text| text.parse()).transpose();
    value.map_err(|error| misconfigured(name, &error))
}

/// A secret of 32 bytes in hexadecimal.
pub fn secret(env: &Env, name: &'static str) -> Result<[u8; 32], Misconfigured> {
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
