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

use std::time::Duration;

use futures_util::future::join3;
use huddle_appview_indexer::Drift;
use huddle_core::index::IndexError;
use huddle_ports::Clock as _;
use huddle_workers_platform::{Misconfigured, WorkersClock, log};
use worker::{Context, Env, HttpRequest, Response, ScheduleContext, ScheduledEvent, event};

use parts::{Hosts, Parts};

/// Sees to it that the firehose is followed and requests are looked at, and names hosts.
const EVERY_MINUTE: &str = "* * * * *";
/// Compares what is held with what is published.
const CHECK_DRIFT: &str = "15 * * * *";

/// So many hosts are asked at a time what they are called: a few requests each, of the 1,000 that an event may make.
const NAMES: u32 = 25;

/// For how long a run goes on to compare. The platform ends what is scheduled after 15 minutes, and lets it make 1,000
/// requests: of this, one for each round, there are fewer by then, since a round writes for each of its accounts in turn.
const COMPARE_FOR: Duration = Duration::from_mins(10);

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
        log::failed("an operator is not answered", &trouble);
        Response::error("the log says what is wrong", 500)
    })
}

/// Does what is to be done at the times that `wrangler.toml` lists.
#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _: ScheduleContext) {
    let cron = event.cron();
    let done = match cron.as_str() {
        EVERY_MINUTE => look_after(&env).await,
        CHECK_DRIFT => check_drift(&env).await,
        _ => return log::error("nothing is to be done then", [("cron", cron.into())]),
    };
    if let Err(trouble) = done {
        let fields = [("cron", cron.into()), ("error", trouble.to_string().into())];
        log::error("what is scheduled is not done", fields);
    }
}

/// Does three things, none of which waits for another, or is left because another has failed.
async fn look_after(env: &Env) -> Result<(), Trouble> {
    let parts = Parts::read(env)?;
    let (followed, asked, named) = join3(
        see_followed(env, &parts.hosts),
        parts.ask_for_bookings(),
        parts.indexer.name_hosts(NAMES),
    )
    .await;
    if let Err(trouble) = followed {
        log::failed("the firehose is not followed", &trouble);
    }
    if let Err(error) = asked {
        log::waits("requests wait", &error);
    }
    if let Err(error) = named {
        log::waits("hosts wait to be named", &error);
    }
    Ok(())
}

async fn see_followed(env: &Env, hosts: &Hosts) -> Result<(), Trouble> {
    let progress = object::wake(env, hosts).await?;
    log::info("the firehose", [("progress", progress)]);
    Ok(())
}

/// Compares until nobody is due to be looked at, or the time is up: whoever is left is looked at by the next run.
async fn check_drift(env: &Env) -> Result<(), Trouble> {
    let hosts = Parts::read(env)?.hosts;
    let until = WorkersClock.now() + COMPARE_FOR;
    loop {
        let Drift {
            same,
            different,
            untold,
        } = object::compare(env, &hosts).await?;
        let fields = [
            ("same", same.into()),
            ("different", different.into()),
            ("untold", untold.into()),
        ];
        log::info("accounts compared", fields);
        if same + different + untold < object::CHECKS || WorkersClock.now() >= until {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_environment_has_the_schedules_that_are_known_here() {
        let config = include_str!("../wrangler.toml");
        let mut crons: Vec<_> = config
            .lines()
            .filter_map(|line| Some(line.split_once("crons = ")?.1))
            .collect();
        crons.dedup();
        assert_eq!(crons, [format!("{:?}", [EVERY_MINUTE, CHECK_DRIFT])]);
    }
}
