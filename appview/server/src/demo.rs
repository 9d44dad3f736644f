//! `huddle demo`: one booking, from office hours to invitation, on a network that is made up for it.
//!
//! The people, their data server, their calendars and their mailboxes are made up, and all else is as in `huddle serve`:
//! the firehose is followed and verified, databases are written, methods are called over HTTP with signed tokens, the
//! calendar is found and written to by CalDAV, and letters go out by SMTP.

mod day;
mod person;
mod story;
mod telling;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use huddle_identity::ServiceRef;
use huddle_native::{ReqwestTransport, SystemClock, SystemDns};
use huddle_ports::{Clock as _, Fetch, FetchPolicy, GuardedFetch, Url};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::config::{Config, DataFolder};
use crate::loopback::{self, Loopback};
use crate::mail::MailSettings;
use crate::output::{Output, line};
use story::{Meeting, Story};
use telling::{Step, Telling};

/// Watch one booking come about, from office hours to invitation, on a network made up for it.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to leave the invitation, as an iCalendar file.
    #[arg(long, value_name = "FILE", default_value = "huddle-demo.ics")]
    invitation: PathBuf,

    #[command(flatten)]
    output: Output,
}

/// What came of it, for programs.
#[derive(Serialize)]
struct Demonstrated {
    steps: Vec<Step>,
    meeting: Meeting,
    invitation: PathBuf,
    seconds: f32,
}

impl Options {
    /// Runs to the end, or says what did not work.
    pub async fn run(self) -> Result<()> {
        let begun = SystemClock.now();
        let folder = tempfile::tempdir().context("cannot make a folder for the databases")?;
        let network = loopback::start().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let listen = listener.local_addr()?;
        let appview = Url::parse(&format!("http://{listen}"))?;
        let service: ServiceRef = "did:web:localhost#huddle_appview".parse()?;
        let config = Config {
            listen,
            ..on_loopback(folder.path(), &service, &network)?
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(config.serve(listener, async {
            // An error says that the sender is gone, which means the same.
            let _ = stopped.await;
        }));
        let mut telling = Telling::new(!self.output.is_json());
        let story = Story::begin(network, service, appview, way_to_this_machine()?)?;
        let told = story.tell(&mut telling, &self.invitation).await;
        drop(stop);
        serving.await.context("the AppView stopped working")??;
        let done = Demonstrated {
            steps: telling.into_steps(),
            meeting: told?,
            seconds: SystemClock.now().since(begun).as_secs_f32(),
            invitation: self.invitation,
        };
        if self.output.is_json() {
            return line(serde_json::to_string_pretty(&done)?);
        }
        let file = done.invitation.display();
        line(format_args!(
            "\nThe guest's invitation is in {file}, for any calendar.\n\
             That took {:.1} seconds. Nothing else is left of it.",
            done.seconds
        ))
    }
}

/// What serves the people of a network on this machine.
fn on_loopback(folder: &Path, service: &ServiceRef, network: &Loopback) -> Result<Config> {
    Ok(Config {
        data: DataFolder {
            data: folder.to_owned(),
        },
        service: service.clone(),
        plc: network.places.directory.clone(),
        graph: network.places.host.clone(),
        firehose: vec![network.firehose.clone()],
        development: true,
        mail: MailSettings {
            smtp_url: Some(network.smtp.as_str().parse()?),
            smtp_url_file: None,
            mail_from: Some("Huddle <bookings@huddle.test>".parse()?),
        },
        ..Config::default()
    })
}

fn way_to_this_machine() -> Result<Arc<dyn Fetch>> {
    let dns = Arc::new(SystemDns::new()?);
    let transport = ReqwestTransport::new(dns, "huddle-demo", &[])?;
    Ok(Arc::new(GuardedFetch::new(
        transport,
        FetchPolicy::development(),
    )))
}
