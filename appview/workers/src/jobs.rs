//! What actors want done and nobody waits for: it goes through a queue, which tries again by itself.

use huddle_core::booking::Resume;
use huddle_core::outbox::Task;
use huddle_core::transport::{ActorTransport as _, ask};
use huddle_core::ActorName;
use worker::wasm_bindgen::JsValue;
use worker::{
    Env, MessageBatch, MessageExt as _, QueueContentType, RawMessageBuilder,
    console_error,
};

use crate::transport::DurableObjectTransport;

const QUEUE: &str = "JOBS";

/// Puts a task into the queue, as JSON.
pub(crate) async fn send(env: &Env, task: &Task) -> worker::Result<()> {
    let text = serde_json::to_string(task)?;
    let message = RawMessageBuilder::new(text.into());
    env.queue(QUEUE)?
        .send_raw(message.build_with_content_type(QueueContentType::Text))
        .await
}

/// Does every task of a batch. One that fails is brought again, until the queue gives it up to the
/// dead letters; any may be brought twice.
pub(crate) async fn work_off(batch: &MessageBatch<String>, env: Env) {
    let transport = DurableObjectTransport::new(env);
    for message in batch.raw_iter() {
        match work(&transport, &message.body()).await {
            Ok(()) => message.ack(),
            Err(problem) => {
                console_error!("message {} of {}: {problem}", message.id(), batch.queue());
                message.retry();
            }
        }
    }
}

async fn work(transport: &DurableObjectTransport, body: &JsValue) -> Result<(), String> {
    let text = body.as_string().ok_or("it is no text")?;
    let task = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let done = match task {
        Task::Tell { to, command } => transport.send(&to, *command).await.map(drop),
        Task::Resume(id) => {
            let resumed = ask(transport, &ActorName::booking(&id), Resume {}).await;
            resumed.map(drop)
        }
        // Nothing reads lists of bookings yet.
        Task::Project(_) => Ok(()),
    };
    done.map_err(|unreachable| unreachable.to_string())
}
