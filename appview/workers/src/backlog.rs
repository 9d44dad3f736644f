//! Tells the metrics how the queue stands. The platform knows that, and the index, and no isolate by itself: so they are
//! asked whenever an operator looks.

use axum::http::Request;
use huddle_ports::Metrics as _;
use huddle_ports::metrics::{QUEUE_AGE_SECONDS, QUEUE_DEPTH};
use huddle_workers_platform::log;
use worker::js_sys::{self, Promise, futures::JsFuture};
use worker::wasm_bindgen::prelude::*;
use worker::{Env, wasm_bindgen};

use crate::config::operator_token;
use crate::dead_letters::DeadLetters;
use crate::jobs::QUEUE;
use crate::operations::registry;

/// Where measurements are looked at.
const PAGES: [&str; 2] = ["/internal/metrics", "/zpages"];

#[wasm_bindgen]
extern "C" {
    /// `Queue`, of which `worker` leaves this one method out.
    type MeasuredQueue;

    #[wasm_bindgen(method, catch)]
    fn metrics(this: &MeasuredQueue) -> Result<Promise, JsValue>;

    type QueueMetrics;

    #[wasm_bindgen(method, getter, js_name = backlogCount)]
    fn waiting(this: &QueueMetrics) -> f64;

    #[wasm_bindgen(method, getter, js_name = oldestMessageTimestamp)]
    fn oldest(this: &QueueMetrics) -> Option<js_sys::Date>;
}

/// Measures how the queue stands, if somebody may look at it and does.
pub(crate) async fn measure_for<B>(request: &Request<B>, env: &Env) {
    if !PAGES.contains(&request.uri().path()) {
        return;
    }
    let token = operator_token(env).ok().flatten();
    if token.is_some_and(|token| token.is_shown(request.headers())) {
        tell_waiting(env).await;
        tell_dead(env).await;
    }
}

async fn tell_waiting(env: &Env) {
    let queue = match waiting(env).await {
        Ok(queue) => queue,
        Err(problem) => return log::failed("the queue is not measured", &problem),
    };
    let waiting = queue.waiting();
    // Where none waits, the platform may tell the oldest as the beginning of time.
    let oldest = queue.oldest().filter(|_| waiting > 0.0);
    registry().record(&QUEUE_DEPTH, &["waiting"], waiting);
    registry().record(&QUEUE_AGE_SECONDS, &[], oldest.as_ref().map_or(0.0, age));
}

async fn waiting(env: &Env) -> worker::Result<QueueMetrics> {
    let queue = JsValue::from(env.queue(QUEUE)?);
    let metrics = queue.unchecked_ref::<MeasuredQueue>().metrics()?;
    let metrics = JsFuture::from(metrics).await?;
    Ok(metrics.unchecked_into())
}

/// How long ago that was, in seconds.
fn age(moment: &js_sys::Date) -> f64 {
    (js_sys::Date::now() - moment.get_time()).max(0.0) / 1000.0
}

async fn tell_dead(env: &Env) {
    match DeadLetters::new(env).count().await {
        Ok(count) => registry().record(&QUEUE_DEPTH, &["dead"], count.into()),
        Err(problem) => log::failed("dead letters are not counted", &problem),
    }
}
