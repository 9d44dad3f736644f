//! What an operator reads of this script. Nobody else is answered anything.

use std::sync::{Arc, OnceLock};

use huddle_appview_router::{MetricsRegistry, OperatorToken};
use huddle_workers_platform::config::{optional, variable};
use worker::{Env, Headers, HttpRequest, Response};

use crate::{Trouble, object};

const METRICS: &str = "/internal/metrics";

/// What this isolate has measured since it was started. All that is measured is measured by the object, which is in one.
pub(crate) fn registry() -> &'static Arc<MetricsRegistry> {
    static MEASURED: OnceLock<Arc<MetricsRegistry>> = OnceLock::new();
    MEASURED.get_or_init(Arc::default)
}

/// Shows what the object has measured to whoever shows the operator's token. Without a token there is nothing to see.
pub(crate) async fn answer(request: &HttpRequest, env: &Env) -> Result<Response, Trouble> {
    let token: Option<OperatorToken> = optional(env, "OPERATOR_TOKEN")?;
    let Some(token) = token.filter(|_| request.uri().path() == METRICS) else {
        return Ok(Response::empty()?.with_status(404));
    };
    let headers = Headers::new();
    if !token.is_shown(request.headers()) {
        headers.set("www-authenticate", "Bearer")?;
        return Ok(Response::empty()?.with_status(401).with_headers(headers));
    }
    let text = object::metrics(env, &variable(env, "FIREHOSE")?).await?;
    headers.set("content-type", MetricsRegistry::CONTENT_TYPE)?;
    headers.set("cache-control", "no-store")?;
    Ok(Response::ok(text)?.with_headers(headers))
}
