//! What actors want done and nobody waits for: it goes through a queue, which tries again by itself.

use huddle_core::outbox::Task;
use huddle_core::tasks::Tasks;
use huddle_workers_platform::Misconfigured;
use worker::wasm_bindgen::JsValue;
use worker::{
    Env, MessageBatch, MessageExt as _, QueueContentType, RawMessageBuilder, console_error,
};

use crate::operations::operations;
use crate::parts::Parts;

/// The binding of the queue.
const QUEUE: &str = "JOBS";

/// Puts a task into the queue, as JSON.
pub(crate) async fn send(env: &Env, task: &Task) -> worker::Result<()> {
    let message = RawMessageBuilder::new(serde_json::to_string(task)?.into());
    let message = message.build_with_content_type(QueueContentType::Text);
    env.queue(QUEUE)?.send_raw(message).await
}

/// Does every task of a batch. One that fails is brought again, until the queue gives it up to the
/// dead letters; any may be brought twice.
pub(crate) async fn work_off(batch: &MessageBatch<String>, env: Env) {
    let tasks = tasks(&env);
    for message in batch.raw_iter() {
        match work(&tasks, &message.body()).await {
            Ok(()) => message.ack(),
            Err(problem) => {
                console_error!("message {} of {}: {problem}", message.id(), batch.queue());
                message.retry();
            }
        }
    }
}

fn tasks(env: &Env) -> Result<Tasks, Misconfigured> {
    let parts = Parts::read(env)?;
    let metrics = operations(&parts.config).metrics;
    Ok(parts.backend.tasks().measured(metrics))
}

async fn work(tasks: &Result<Tasks, Misconfigured>, body: &JsValue) -> Result<(), String> {
    let tasks = tasks.as_ref().map_err(Misconfigured::to_string)?;
    let text = body.as_string().ok_or("it is no text")?;
    let task = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    tasks.run(&task).await.map_err(|error| error.to_string())
}
