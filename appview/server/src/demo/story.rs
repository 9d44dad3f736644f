//! What happens in the demonstration, and what each of the people sees of it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use huddle_identity::ServiceRef;
use huddle_lexicon::app::bsky::graph::follow::Follow;
use huddle_lexicon::com::huddle::defs::{
    BookingStatus, BookingView, Constraints, Policy, Weekday, WeeklyRule,
};
use huddle_lexicon::com::huddle::r#match::Error as MatchError;
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::com::huddle::search_hosts::{self, SearchHosts};
use huddle_lexicon::com::huddle::service::Service;
use huddle_native::SystemClock;
use huddle_ports::{Clock as _, Fetch, Url};
use huddle_syntax::Datetime;
use huddle_testkit::ReceivedMail;
use huddle_xrpc::client::Client;
use serde::Serialize;

use super::day::{Day, PRIVATE};
use super::person::Person;
use super::telling::Telling;
use crate::loopback::Loopback;

/// How long what is done beside requests may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);

const PASSWORD: &str = "a password of the host";

/// The people, and the network around them.
pub(super) struct Story {
    network: Loopback,
    service: ServiceRef,
    /// Asks what anybody may ask.
    anybody: Client,
    host: Person,
    guest: Person,
    stranger: Person,
    taken: Day,
}

/// The meeting that it comes to.
#[derive(Serialize)]
pub(super) struct Meeting {
    id: String,
    status: String,
    start: String,
    end: String,
    host: String,
    guest: String,
}

impl Story {
    /// Signs the people up.
    pub(super) fn begin(
        network: Loopback,
        service: ServiceRef,
        appview: Url,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self> {
        let sign_up = |handle: &str| {
            let (service, appview) = (service.clone(), appview.clone());
            Person::sign_up(
                network.network.clone(),
                handle,
                service,
                appview,
                fetch.clone(),
            )
        };
        let (host, guest) = (sign_up("host.test")?, sign_up("guest.test")?);
        let stranger = sign_up("stranger.test")?;
        network.calendars.open(&host.handle, PASSWORD);
        Ok(Self {
            anybody: Client::new(fetch, appview),
            taken: Day::after(SystemClock.now()),
            network,
            service,
            host,
            guest,
            stranger,
        })
    }

    pub(super) async fn tell(&self, telling: &mut Telling, file: &Path) -> Result<Meeting> {
        self.office_hours(telling).await?;
        self.stranger(telling).await?;
        self.calendar(telling).await?;
        self.addresses(telling).await?;
        let held = self.hold(telling).await?;
        let confirmed = self.confirm(telling, &held).await?;
        let invitation = self.guest.invitation(&confirmed).await?;
        self.seen(telling, &String::from_utf8_lossy(&invitation))
            .await?;
        fs::write(file, &invitation).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Meeting {
            start: moment(confirmed.start.as_ref()),
            end: moment(confirmed.end.as_ref()),
            status: confirmed.status.as_str().to_owned(),
            host: confirmed.host_did.to_string(),
            guest: confirmed.guest_did.to_string(),
            id: confirmed.id,
        })
    }

    async fn office_hours(&self, telling: &mut Telling) -> Result<()> {
        telling.begin("The host publishes office hours");
        self.publish()?;
        telling.tell(
            "Weekdays from 9 to 17 in Berlin, for whom they follow. They follow the guest. Another \
             record says that this AppView schedules for them.",
        );
        let params = search_hosts::Params::default();
        let known = until(async || {
            let answer = self.anybody.query::<SearchHosts>(&params).await?;
            let mut hosts = answer.output.hosts.into_iter();
            Ok(hosts.any(|found| found.did == self.host.did))
        });
        known
            .await
            .context("the firehose told of no office hours")?;
        telling.tell("The firehose has told of it, and the signature was the host's.");
        Ok(())
    }

    /// Has the host write what makes them one.
    fn publish(&self) -> Result<()> {
        let now = now()?;
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
        let follow = Follow::new(self.guest.did.clone(), now);
        let (network, host) = (&self.network.network, &self.host.did);
        network.put(host, &"3kaaaaaaaaa22".parse()?, &follow)?;
        network.put(host, &"self".parse()?, &appview)?;
        network.put(host, &"3kaaaaaaaaa22".parse()?, &hours)?;
        Ok(())
    }

    async fn stranger(&self, telling: &mut Telling) -> Result<()> {
        telling.begin("A stranger asks for half an hour");
        let Err(refused) = self.stranger.ask(&self.host.did, None).await? else {
            bail!("the stranger was let in");
        };
        telling.tell(format_args!(
            "They are told {refused}: what they would hear if the host had no time, or if there were \
             no such host."
        ));
        Ok(())
    }

    async fn calendar(&self, telling: &mut Telling) -> Result<()> {
        let day = self.taken.date()?;
        telling.begin("The host connects a calendar");
        let free = self.ask_for_the_day("before").await?;
        ensure!(free.is_ok(), "the office hours do not offer {day}");
        telling.tell(format_args!(
            "Before that the guest asks whether {day} would do, and it would."
        ));
        let calendars = &self.network.calendars;
        calendars.write(&self.host.handle, "private.ics", &self.taken.event()?)?;
        let server = calendars.place();
        self.host.connect_calendars(server, PASSWORD).await?;
        telling.tell(format_args!(
            "The host types the password of a CalDAV account on a page of the AppView. All of {day} \
             is taken in that calendar: \"{PRIVATE}\"."
        ));
        let Err(refused) = self.ask_for_the_day("after").await? else {
            bail!("the calendar does not count");
        };
        telling.tell(format_args!(
            "The guest asks once more whether {day} would do: {refused}, and not why."
        ));
        Ok(())
    }

    async fn ask_for_the_day(&self, key: &str) -> Result<Result<(), MatchError>> {
        let day = Constraints {
            latest: Some(self.taken.end()?),
            ..self.that_day_or_later()?
        };
        self.guest.could_meet(&self.host.did, day, key).await
    }

    fn that_day_or_later(&self) -> Result<Constraints> {
        Ok(Constraints {
            earliest: Some(self.taken.start()?),
            ..Constraints::default()
        })
    }

    async fn addresses(&self, telling: &mut Telling) -> Result<()> {
        telling.begin("Host and guest say where they read mail");
        for person in [&self.host, &self.guest] {
            person.enter_address().await?;
            let letter = self
                .letter(person, |letter| letter.part("text/plain"))
                .await?;
            let link = letter.lines().find(|line| line.contains("/confirm-email?"));
            let link = link.context("the letter has no link")?;
            person.submit(&Url::parse(link.trim())?, &[]).await?;
        }
        telling.tell(
            "A letter with a link goes to either address, and whoever follows the link is asked \
             whether it is theirs. No other mail goes there before.",
        );
        Ok(())
    }

    async fn hold(&self, telling: &mut Telling) -> Result<BookingView> {
        telling.begin("The guest asks for half an hour, on that day or later");
        let when = self.that_day_or_later()?;
        let held = self.guest.ask(&self.host.did, Some(when)).await?;
        let held = held.context("no time was found for the guest")?;
        let start = held.start.as_ref().context("the meeting has no time")?;
        let end_of_day = self.taken.end()?;
        ensure!(
            start.cmp_instant(&end_of_day).is_ge(),
            "{} was given away, and is taken",
            start.as_str()
        );
        telling.tell(format_args!(
            "{} is held on both sides. They hear of that time and of no other.",
            when_it_is(&held)
        ));
        self.until_in_calendar(&held, "TENTATIVE").await?;
        telling.tell("A tentative event of the host's calendar shows it.");
        Ok(held)
    }

    async fn confirm(&self, telling: &mut Telling, held: &BookingView) -> Result<BookingView> {
        telling.begin("The guest accepts");
        let confirmed = self.guest.accept(held).await?;
        telling.tell(format_args!(
            "The calendar was read afresh, and the meeting is {}.",
            confirmed.status.as_str()
        ));
        self.until_in_calendar(&confirmed, "CONFIRMED").await?;
        telling.tell("The event in the host's calendar is confirmed, too.");
        for person in [&self.host, &self.guest] {
            let invitation = self.letter(person, |letter| letter.part("text/calendar"));
            let invitation = invitation.await?;
            ensure!(
                invitation.contains("METHOD:REQUEST") && invitation.contains(&confirmed.id),
                "the letter invites to nothing"
            );
        }
        telling.tell("An invitation is in the mailbox of either of them.");
        Ok(confirmed)
    }

    async fn seen(&self, telling: &mut Telling, invitation: &str) -> Result<()> {
        telling.begin("What each of them sees");
        for (name, person) in [("host", &self.host), ("guest", &self.guest)] {
            let listed = until(async || {
                let bookings = person.bookings().await?;
                let mut statuses = bookings.iter().map(|it| &it.status);
                Ok(statuses.any(|status| *status == BookingStatus::Confirmed))
            });
            listed.await.context("no list knows of the meeting")?;
            let seen = person.bookings().await?;
            let seen = seen.first().context("a party does not see the booking")?;
            let with = if name == "host" {
                &self.guest
            } else {
                &self.host
            };
            telling.tell(format_args!(
                "The {name} sees: {}, {} with @{}.",
                seen.status.as_str(),
                when_it_is(seen),
                with.handle
            ));
        }
        ensure!(
            self.stranger.bookings().await?.is_empty(),
            "the stranger sees a booking"
        );
        telling.tell("The stranger sees nothing.");
        let letters = self.network.mail.mail_for(&self.guest.address());
        let letters = letters.iter().filter_map(|it| it.part("text/plain"));
        let letters: String = letters.collect();
        let is_told = [&letters, invitation].map(|text| text.contains(PRIVATE));
        let has_heard = [&self.guest, &self.stranger].map(|person| person.has_heard(PRIVATE));
        ensure!(
            is_told == [false; 2] && has_heard == [false; 2],
            "what the host does is told to others"
        );
        telling.tell(format_args!(
            "Neither guest nor stranger sees what takes the host's time: \"{PRIVATE}\" is in no \
             answer, letter or file that they got."
        ));
        Ok(())
    }

    /// Waits until the host's calendar has an event of a booking with this status.
    async fn until_in_calendar(&self, booking: &BookingView, status: &str) -> Result<()> {
        let lines = [format!("UID:{}", booking.id), format!("STATUS:{status}")];
        let written = until(async || {
            let mut events = self.network.calendars.events(&self.host.handle).into_iter();
            let has = |event: &str, wanted: &str| event.lines().any(|line| line == wanted);
            Ok(events.any(|event| lines.iter().all(|line| has(&event, line))))
        });
        let written = written.await;
        written.with_context(|| format!("the host's calendar has no event that is {status}"))
    }

    /// Waits for a letter to somebody that has what is looked for.
    async fn letter(
        &self,
        person: &Person,
        part: impl Fn(&ReceivedMail) -> Option<String>,
    ) -> Result<String> {
        let found = || {
            let letters = self.network.mail.mail_for(&person.address());
            letters.iter().find_map(&part)
        };
        let come = until(async || Ok(found().is_some())).await;
        come.with_context(|| format!("no letter came to {}", person.address()))?;
        found().context("the letter is gone")
    }
}

/// Waits until something has come about.
async fn until(has_come: impl AsyncFn() -> Result<bool>) -> Result<()> {
    const LONGEST: Duration = Duration::from_secs(1);
    let begun = SystemClock.now();
    // More and more seldom: whoever asks is allowed so many requests.
    let mut pause = Duration::from_millis(50);
    while SystemClock.now().since(begun) < PATIENCE {
        if has_come().await? {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 5 / 4).min(LONGEST);
    }
    bail!("it has not come about within {PATIENCE:?}")
}

fn now() -> Result<Datetime> {
    Ok(Datetime::from_timestamp_millis(
        SystemClock.now().as_millis(),
    )?)
}

/// When a meeting is.
fn when_it_is(booking: &BookingView) -> String {
    moment(booking.start.as_ref())
}

fn moment(at: Option<&Datetime>) -> String {
    at.map_or("some time", Datetime::as_str).to_owned()
}
