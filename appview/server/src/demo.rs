//! `huddle demo`: one booking, from office hours to invitation, on a network that is made up for it.
//!
//! The people and their data server are made up, and all else is as in `huddle serve`: the firehose is followed and
//! verified, databases are written, methods are called over HTTP with signed tokens.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use huddle_identity::ServiceRef;
use huddle_lexicon::app::bsky::graph::follow::Follow;
use huddle_lexicon::com::huddle::defs::{BookingStatus, BookingView, Policy, Weekday, WeeklyRule};
use huddle_lexicon::com::huddle::finalize::{self, Finalize};
use huddle_lexicon::com::huddle::get_booking_ics::{self, GetBookingIcs};
use huddle_lexicon::com::huddle::list_bookings::{self, ListBookings};
use huddle_lexicon::com::huddle::r#match::{self as matching, Match};
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::com::huddle::search_hosts::{self, SearchHosts};
use huddle_lexicon::com::huddle::service::Service;
use huddle_lexicon::schema::Method;
use huddle_native::{ReqwestTransport, SystemClock, SystemDns};
use huddle_ports::{Clock as _, FetchPolicy, GuardedFetch, Url};
use huddle_syntax::{Datetime, Did};
use huddle_testkit::Network;
use huddle_xrpc::client::{Client, ClientError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::config::{Config, DataFolder};
use crate::loopback::{self, Loopback};
use crate::output;

/// Watch one booking come about, from office hours to invitation, on a network made up for it.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to leave the invitation, as an iCalendar file.
    #[arg(long, value_name = "FILE", default_value = "huddle-demo.ics")]
    invitation: PathBuf,
}

/// How long what is done beside requests may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);

impl Options {
    /// Runs to the end, or says what did not work.
    pub async fn run(self) -> Result<()> {
        let begun = SystemClock.now();
        let folder = tempfile::tempdir().context("cannot make a folder for the databases")?;
        let network = loopback::start().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let appview = Url::parse(&format!("http://{}", listener.local_addr()?))?;
        let service: ServiceRef = "did:web:localhost#huddle_appview".parse()?;
        let config = on_loopback(folder.path(), &service, &network);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(config.serve(listener, async {
            // An error says that the sender is gone, which means the same.
            let _ = stopped.await;
        }));
        let story = Story {
            network: network.network.clone(),
            client: client(appview)?,
            service,
        };
        let told = story.tell(&self.invitation).await;
        drop(stop);
        serving.await.context("the AppView stopped working")??;
        told?;
        say(format_args!(
            "\nThat took {:.1} seconds. Nothing of it is left but {}.",
            SystemClock.now().since(begun).as_secs_f32(),
            self.invitation.display()
        ));
        Ok(())
    }
}

/// What serves the people of a network on this machine.
fn on_loopback(folder: &Path, service: &ServiceRef, network: &Loopback) -> Config {
    Config {
        data: DataFolder {
            data: folder.to_owned(),
        },
        service: service.clone(),
        plc: network.places.directory.clone(),
        graph: network.places.host.clone(),
        firehose: vec![network.firehose.clone()],
        development: true,
        ..Config::default()
    }
}

fn client(appview: Url) -> Result<Client> {
    let dns = Arc::new(SystemDns::new()?);
    let transport = ReqwestTransport::new(dns, "huddle-demo", &[])?;
    let fetch = GuardedFetch::new(transport, FetchPolicy::development());
    Ok(Client::new(Arc::new(fetch), appview))
}

/// The people, and how they are heard.
struct Story {
    network: Arc<Network>,
    client: Client,
    service: ServiceRef,
}

impl Story {
    async fn tell(&self, invitation: &PathBuf) -> Result<()> {
        let person = |handle: &str| -> Result<Did> { Ok(self.network.sign_up(&handle.parse()?)) };
        let (host, guest, stranger) = (
            person("host.test")?,
            person("guest.test")?,
            person("stranger.test")?,
        );
        say("A host, a guest and a stranger have accounts on a data server of the network.");

        self.publish(&host, &guest)?;
        say(
            "\n1. The host publishes office hours, on weekdays from 9 to 17 in Berlin, for whom they",
        );
        say("   follow; and that this AppView schedules for them. They follow the guest.");

        self.until_known(&host).await?;
        say("\n2. The firehose has told of it, and the signature was the host's.");

        let refused = self.ask(&stranger, &host).await?;
        let Err(refused) = refused else {
            bail!("the stranger was let in");
        };
        say(format_args!(
            "\n3. The stranger asks for half an hour: {refused}."
        ));
        say(
            "   It is what they would hear if the host had no time, or if there were no such host.",
        );

        let held = self.ask(&guest, &host).await?;
        let held = held.context("no time was found for the guest")?;
        say(format_args!(
            "\n4. The guest asks for half an hour: {} is held on both sides.",
            when(&held)
        ));
        say("   They hear of that time and of no other, and never why another would not do.");

        let confirmed = self.accept(&guest, &held).await?;
        say(format_args!(
            "\n5. The guest accepts: the meeting is {}.",
            confirmed.status.as_str()
        ));

        self.until_listed(&guest).await?;
        for (name, person) in [("host", &host), ("guest", &guest)] {
            let seen = self.bookings(person).await?;
            let seen = seen.first().context("a party does not see the booking")?;
            say(format_args!(
                "   The {name} sees: {}, {} with {}.",
                seen.status.as_str(),
                when(seen),
                if name == "host" {
                    "the guest"
                } else {
                    "the host"
                }
            ));
        }
        if !self.bookings(&stranger).await?.is_empty() {
            bail!("the stranger sees a booking");
        }
        say("   The stranger sees nothing.");

        let file = self.invitation(&guest, &confirmed).await?;
        fs::write(invitation, &file)
            .with_context(|| format!("cannot write {}", invitation.display()))?;
        say(format_args!(
            "\n6. The guest's invitation is in {}, for any calendar.",
            invitation.display()
        ));
        Ok(())
    }

    /// Has the host write what makes them one.
    fn publish(&self, host: &Did, guest: &Did) -> Result<()> {
        let now = Datetime::from_timestamp_millis(SystemClock.now().as_millis())?;
        let days = vec![
            Weekday::Mo,
            Weekday::Tu,
            Weekday::We,
            Weekday::Th,
            Weekday::Fr,
        ];
        let rule = WeeklyRule::new(days, "09:00", "17:00");
        let hours = OfficeHours::new("Europe/Berlin", vec![rule], Policy::Connected, now.clone());
        let appview = Service::new(self.service.did().clone(), now.clone());
        let follow = Follow::new(guest.clone(), now);
        let network = &self.network;
        network.put(host, &"3kaaaaaaaaa22".parse()?, &follow)?;
        network.put(host, &"self".parse()?, &appview)?;
        network.put(host, &"3kaaaaaaaaa22".parse()?, &hours)?;
        Ok(())
    }

    /// Waits until the AppView finds the host, of whom only the firehose can have told.
    async fn until_known(&self, host: &Did) -> Result<()> {
        let params = search_hosts::Params::default();
        let known = until(async || {
            let answer = self.client.query::<SearchHosts>(&params).await?;
            Ok(answer.output.hosts.iter().any(|found| found.did == *host))
        });
        known.await.context("the firehose told of no office hours")
    }

    /// Waits until lists know that the meeting stands: they are a moment behind.
    async fn until_listed(&self, person: &Did) -> Result<()> {
        let listed = until(async || {
            let bookings = self.bookings(person).await?;
            let mut statuses = bookings.iter().map(|it| &it.status);
            Ok(statuses.any(|status| *status == BookingStatus::Confirmed))
        });
        listed.await.context("no list knows of the meeting")
    }

    /// Asks for a meeting.
    async fn ask(&self, guest: &Did, host: &Did) -> Result<Result<BookingView, matching::Error>> {
        let mut input = matching::Input::new(host.clone());
        input.idempotency_key = Some("demo".to_owned());
        let client = self.as_caller::<Match>(guest)?;
        match client.procedure::<Match>(&(), &input).await {
            Ok(answer) => Ok(Ok(answer.output.booking.context("there is no booking")?)),
            Err(ClientError::Declared(refused)) => Ok(Err(refused.error)),
            Err(error) => Err(error.into()),
        }
    }

    async fn accept(&self, guest: &Did, held: &BookingView) -> Result<BookingView> {
        let mut input = finalize::Input::new(&*held.id);
        input.idempotency_key = Some("demo".to_owned());
        let client = self.as_caller::<Finalize>(guest)?;
        Ok(client
            .procedure::<Finalize>(&(), &input)
            .await?
            .output
            .booking)
    }

    /// Somebody's bookings, as lists know them.
    async fn bookings(&self, person: &Did) -> Result<Vec<BookingView>> {
        let client = self.as_caller::<ListBookings>(person)?;
        let params = list_bookings::Params::default();
        Ok(client.query::<ListBookings>(&params).await?.output.bookings)
    }

    async fn invitation(&self, reader: &Did, booking: &BookingView) -> Result<Vec<u8>> {
        let client = self.as_caller::<GetBookingIcs>(reader)?;
        let params = get_booking_ics::Params::new(&*booking.id);
        Ok(client.query::<GetBookingIcs>(&params).await?.output.bytes)
    }

    /// The client with a token for one call of one method, as the person's own data server signs it.
    fn as_caller<M: Method>(&self, person: &Did) -> Result<Client> {
        let method = M::NSID.parse()?;
        let token = self.network.service_token(person, &self.service, &method)?;
        Ok(self.client.clone().with_bearer(token.as_str())?)
    }
}

/// Waits until something has come about.
async fn until(has_come: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let begun = SystemClock.now();
    while SystemClock.now().since(begun) < PATIENCE {
        if has_come().await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("it has not come about within {PATIENCE:?}")
}

/// When a meeting is.
fn when(booking: &BookingView) -> &str {
    booking.start.as_ref().map_or("some time", Datetime::as_str)
}

/// Whoever has read enough is no reason to end: the story goes on.
fn say(line: impl Display) {
    let _ = output::line(line);
}
