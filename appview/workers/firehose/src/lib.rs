//! The firehose on Cloudflare Workers: follows it into the index that the AppView reads.
//!
//! It is a script of its own, since objects of one script may share an isolate, and whatever ends that ends all that is
//! under way in it. The two have the index in common, and this one tells the AppView's object for requests when there
//! may be something for it to do.
//!
//! One object follows the stream: `object` keeps itself awake by its alarm, `follower` drives `huddle_firehose`,
//! and `socket` is what it listens to. The driver itself is kept nowhere: an object that is ended anywhere goes on from
//! what stands in the index. Beside that, schedules do what nobody waits for, and `operations` shows an operator what the
//! object has measured.

mod follower;
mod object;
mod operations;
mod parts;
mod socket;

use huddle_core::index::IndexError;
use huddle_workers_platform::Misconfigured;
use worker::{
    Context, Env, HttpRequest, Response, ScheduleContext, ScheduledEvent, console_error,
    console_log, event,
};

use parts::Parts;

/// Sees to it that the firehose is followed and requests are looked at, and names hosts.
const EVERY_MINUTE: &str = "* * * * *";
/// Compares what is held with what is published.
const CHECK_DRIFT: &str = "15 * * * *";

/// So many hosts are asked at a time what they are called: a few requests each, of the 1,000 that an event may make.
const NAMES: u32 = 25;

/// Why something did not come about. The log is the only one to read it.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Misconfigured(#[from] Misconfigured),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the firehose cannot begin: {0}")]
    Config(#[from] huddle_firehose::ingest::ConfigError),
    #[error("the platform failed: {0}")]
    Platform(#[from] worker::Error),
}

/// Answers an operator.
#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, _: Context) -> worker::Result<Response> {
    operations::answer(&request, &env).await.or_else(|trouble| {
        console_error!("an operator is not answered: {trouble}");
        Response::error("the log says what is wrong", 500)
    })
}

/// Does what is to be done at the times that `wrangler.toml` lists.
#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _: ScheduleContext) {
    let done = match event.cron().as_str() {
        EVERY_MINUTE => look_after(&env).await,
        CHECK_DRIFT => check_drift(&env).await,
        _ => return console_error!("nothing is to be done at {}", event.cron()),
    };
    if let Err(trouble) = done {
        console_error!("the schedule {}: {trouble}", event.cron());
    }
}

async fn look_after(env: &Env) -> Result<(), Trouble> {
    let parts = Parts::read(env)?;
    let progress = object::wake(env, &parts.hosts).await?;
    console_log!("the firehose: {progress}");
    parts.ask_for_bookings().await?;
    parts.indexer.name_hosts(NAMES).await?;
    Ok(())
}

async fn check_drift(env: &Env) -> Result<(), Trouble> {
    let hosts = Parts::read(env)?.hosts;
    console_log!("accounts compared: {}", object::compare(env, &hosts).await?);
    Ok(())
}
