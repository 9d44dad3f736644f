//! The limits of this installation.

use huddle_core::Limits;
use worker::Env;

/// Why the variable `LIMITS` cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the variable LIMITS cannot be used: {0}")]
pub(crate) struct BadLimits(String);

/// The defaults, changed by the variable `LIMITS`: a JSON object of those that differ.
pub(crate) fn limits(env: &Env) -> Result<Limits, BadLimits> {
    let Ok(text) = env.var("LIMITS") else {
        return Ok(Limits::default());
    };
    let limits: Limits =
        serde_json::from_str(&text.to_string()).map_err(|error| BadLimits(error.to_string()))?;
    limits
        .check()
        .map_err(|error| BadLimits(error.to_string()))?;
    Ok(limits)
}
