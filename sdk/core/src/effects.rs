//! What comes of a booking outside: events in calendars, mail, and messages to apps.
//!
//! A booking that changes notes since which revision each channel shows what it does, and has itself published. Whoever
//! does that asks both sides by which channels they are reached, and for each of those there is a task: bring what is
//! shown there to this revision. So nobody pays for a calendar, a mailbox or an app that nobody has.
//!
//! Whoever works a task off asks the booking how it stands *now* and brings that, so late, doubled and reordered tasks do
//! no harm. One is worked off at a time for a booking, side and channel: the booking gives a lease, and remembers what
//! was brought. Whoever dies in between leaves a lease that runs out, and the next one brings the same once more.
//! Everything that is brought follows from the booking and its revision, so that twice is as good as once.

mod account;
mod gate;
mod ledger;
mod news;
mod webhook;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use huddle_ports::{Clock, Fetch, Timestamp};
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::actor::ActorName;
use crate::booking::{Booking, BookingId};
use crate::calendar_events::{BookedTime, CalendarEvents, Outcome};
use crate::direct_messages::DirectMessages;
use crate::directory::Directory;
use crate::host_match::Role;
use crate::index::people::{self, Names};
use crate::index::{Index, IndexError};
use crate::invitation::called;
use crate::mail::{Addresses, Links, Mail, Notice};
use crate::preferences::Preferences;
use crate::transport::{ActorTransport, Unreachable, ask};
use crate::user_connector::{GetPreferences, GetReach};
use crate::webhooks::Webhooks;
use gate::Gate;

pub use ledger::{BeginEffect, EffectBegun, EndEffect, WantEffects};
pub(crate) use ledger::{begin, end, want};

/// How long whoever brings something is left alone: longer than a task may take on any runtime.
const LEASE: Duration = Duration::from_secs(90);

/// Bring what one side is shown of a booking to a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The booking.
    pub booking: BookingId,
    /// To whom it is shown.
    pub party: Role,
    /// Where.
    pub channel: Channel,
    /// The revision that wanted it.
    pub revision: u32,
}

/// Where something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// An event in their calendar.
    Calendar,
    /// Mail to their address.
    Mail,
    /// A message to the address that they have given.
    Webhook,
    /// A message to their account.
    #[serde(rename = "direct-message")]
    DirectMessage,
}

impl Channel {
    /// Every channel.
    pub(crate) const ALL: [Self; 4] = [
        Self::Calendar,
        Self::Mail,
        Self::Webhook,
        Self::DirectMessage,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::DirectMessage => "direct-message",
        }
    }
}

/// What of a booking shows outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    calendar: Option<BookedTime>,
    news: Option<Notice>,
}

impl Shown {
    pub(crate) fn of(booking: &Booking) -> Self {
        Self {
            calendar: BookedTime::of(booking),
            news: Notice::of(booking),
        }
    }

    /// Whether a channel shows something to a side.
    fn concerns(self, party: Role, channel: Channel) -> bool {
        match channel {
            Channel::Calendar => true,
            Channel::Mail | Channel::Webhook | Channel::DirectMessage => {
                self.news.is_some_and(|news| news.kind.is_for(party))
            }
        }
    }
}

/// Since which revision of a booking its channels show what they do; 0 while they have never shown anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownSince {
    calendar: u32,
    /// News, by whichever way they go.
    mail: u32,
}

impl ShownSince {
    fn of(self, channel: Channel) -> u32 {
        match channel {
            Channel::Calendar => self.calendar,
            Channel::Mail | Channel::Webhook | Channel::DirectMessage => self.mail,
        }
    }
}

/// Notes what a booking shows since now that showed `before` until now, and says whether there is anything.
pub(crate) fn note_change(booking: &mut Booking, before: Shown) -> bool {
    let (shown, revision) = (Shown::of(booking), booking.revision);
    let moved = shown.calendar != before.calendar;
    if moved {
        booking.shown_since.calendar = revision;
    }
    // What was told cannot be taken back: only news are.
    let told = shown.news.is_some() && shown.news != before.news;
    if told {
        booking.shown_since.mail = revision;
    }
    moved || told
}

/// What effects are brought about with.
#[derive(Clone)]
pub struct Effects {
    actors: Arc<dyn ActorTransport>,
    index: Arc<dyn Index>,
    clock: Arc<dyn Clock>,
    calendars: Option<Arc<dyn CalendarEvents>>,
    mail: Option<Post>,
    webhooks: Option<WebhookPost>,
    gate: Gate,
    direct_messages: Option<Arc<dyn DirectMessages>>,
    directory: Option<Arc<dyn Directory>>,
}

/// The way to people's mailboxes.
#[derive(Clone)]
pub struct Post {
    /// Writes and sends.
    pub mail: Arc<dyn Mail>,
    /// Where people read.
    pub addresses: Addresses,
    /// Leads back from a letter, where there are pages.
    pub links: Option<Links>,
}

/// The way to the apps that people have their news posted to.
#[derive(Clone)]
pub struct WebhookPost {
    /// The network.
    pub fetch: Arc<dyn Fetch>,
    /// Where their news goes.
    pub webhooks: Webhooks,
}

impl fmt::Debug for WebhookPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookPost").finish_non_exhaustive()
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects")
            .field("calendars", &self.calendars.is_some())
            .field("mail", &self.mail.is_some())
            .field("webhooks", &self.webhooks.is_some())
            .field("direct_messages", &self.direct_messages.is_some())
            .finish_non_exhaustive()
    }
}

/// Why something was not brought about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBrought {
    /// An actor gave no answer.
    #[error(transparent)]
    Actor(#[from] Unreachable),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// It may work later.
    #[error("{problem}")]
    Later {
        /// How long to wait at least, where that is known.
        after: Option<Duration>,
        /// Why.
        problem: String,
    },
    /// It will not work until somebody does something.
    #[error("{0}")]
    Permanent(String),
}

impl Effects {
    /// Brings nothing about: nothing outside is connected.
    pub fn new(
        actors: Arc<dyn ActorTransport>,
        index: Arc<dyn Index>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            actors,
            index,
            clock,
            calendars: None,
            mail: None,
            webhooks: None,
            gate: Gate::default(),
            direct_messages: None,
            directory: None,
        }
    }

    /// The same, and who was never looked up is, before others are told of them.
    #[must_use]
    pub fn with_directory(self, directory: Arc<dyn Directory>) -> Self {
        Self {
            directory: Some(directory),
            ..self
        }
    }

    /// The same, and the parties' calendars are written to.
    #[must_use]
    pub fn with_calendars(self, calendars: Arc<dyn CalendarEvents>) -> Self {
        Self {
            calendars: Some(calendars),
            ..self
        }
    }

    /// The same, and mail goes to the addresses that people have confirmed.
    #[must_use]
    pub fn with_mail(self, post: Post) -> Self {
        Self {
            mail: Some(post),
            ..self
        }
    }

    /// The same, and news is posted to the addresses that people have given.
    #[must_use]
    pub fn with_webhooks(self, post: WebhookPost) -> Self {
        Self {
            webhooks: Some(post),
            ..self
        }
    }

    /// The same, and news goes to people's accounts.
    #[must_use]
    pub fn with_direct_messages(self, direct_messages: Arc<dyn DirectMessages>) -> Self {
        Self {
            direct_messages: Some(direct_messages),
            ..self
        }
    }

    /// Sees to it that a booking is shown as it stands to whoever is to see it, by every channel that reaches them. It may
    /// have been done before.
    pub async fn spread(&self, booking: &Booking) -> Result<(), NotBrought> {
        let shown = Shown::of(booking);
        let mut wanted = Vec::new();
        for party in [Role::Host, Role::Guest] {
            let applies = |channel: &Channel| {
                self.are_connected(*channel)
                    && shown.concerns(party, *channel)
                    && booking.shown_since.of(*channel) > 0
            };
            let channels: Vec<_> = Channel::ALL.into_iter().filter(applies).collect();
            if channels.is_empty() {
                continue;
            }
            let (person, _) = booking.asked.sides(party);
            let person = ActorName::user_connector(person);
            let reach = ask(&*self.actors, &person, GetReach {}).await?;
            let channels = channels.into_iter().filter(|it| reach.contains(it));
            wanted.extend(channels.map(|channel| (party, channel)));
        }
        if !wanted.is_empty() {
            let actor = ActorName::booking(&booking.id);
            ask(&*self.actors, &actor, WantEffects { wanted }).await?;
        }
        Ok(())
    }

    /// Brings what one side is shown of a booking to where the booking stands. It may have been brought before, partly
    /// or whole.
    pub async fn work(&self, effect: &Effect) -> Result<(), NotBrought> {
        let Effect {
            party,
            channel,
            revision,
            ..
        } = *effect;
        if !self.are_connected(channel) {
            return Ok(());
        }
        let actor = ActorName::booking(&effect.booking);
        let begin = BeginEffect {
            party,
            channel,
            revision,
        };
        let (booking, revision, lease) = match ask(&*self.actors, &actor, begin).await? {
            EffectBegun::Brought => return Ok(()),
            EffectBegun::Busy { until } => {
                return Err(NotBrought::Later {
                    after: Some(until.since(self.clock.now())),
                    problem: "somebody else is at it".into(),
                });
            }
            EffectBegun::Begun {
                booking,
                revision,
                lease,
            } => (booking, revision, lease),
        };
        let outcome = match channel {
            Channel::Calendar => self.show_in_calendar(&booking, party).await,
            Channel::Mail => self.mail(&booking, party, revision).await,
            Channel::Webhook => self.post_news(&booking, party, revision).await,
            Channel::DirectMessage => self.message(&booking, party, revision).await,
        };
        let end = EndEffect {
            party,
            channel,
            brought: outcome.is_ok().then_some(revision),
            lease,
        };
        ask(&*self.actors, &actor, end).await?;
        outcome
    }

    fn are_connected(&self, channel: Channel) -> bool {
        match channel {
            Channel::Calendar => self.calendars.is_some(),
            Channel::Mail => self.mail.is_some(),
            Channel::Webhook => self.webhooks.is_some(),
            Channel::DirectMessage => self.direct_messages.is_some(),
        }
    }

    async fn show_in_calendar(&self, booking: &Booking, party: Role) -> Result<(), NotBrought> {
        let Some(calendars) = &self.calendars else {
            return Ok(());
        };
        let (person, other) = booking.asked.sides(party);
        let names = self.names(&[other]).await?;
        let with = called(other, &names);
        match calendars.bring(person, booking, &with).await {
            Outcome::Done => Ok(()),
            Outcome::RetryAfter(after) => Err(NotBrought::Later {
                after,
                problem: "the calendar cannot be written to now".into(),
            }),
            Outcome::Permanent(problem) => Err(NotBrought::Permanent(problem)),
        }
    }

    /// What people are called. A letter is written once, and may be the first that tells of somebody, who is looked up then.
    /// Whoever nothing can be found out about is told by their DID.
    async fn names(&self, people: &[&Did]) -> Result<BTreeMap<Did, Names>, IndexError> {
        let index = &*self.index;
        let known = people::found_out(index, people).await?;
        let unnamed = known
            .iter()
            .filter(|(_, (_, at))| *at == Timestamp::UNIX_EPOCH);
        let unnamed: Vec<&Did> = unnamed.map(|(did, _)| did).collect();
        match &self.directory {
            Some(directory) if !unnamed.is_empty() => {
                join_all(unnamed.into_iter().map(|did| directory.name(did))).await;
                people::names(index, people).await
            }
            _ => Ok(known
                .into_iter()
                .map(|(did, (names, _))| (did, names))
                .collect()),
        }
    }

    /// What somebody has set. Preferences that cannot be read are a later version's.
    async fn preferences_of(&self, person: &Did) -> Result<Preferences, Unreachable> {
        let actor = ActorName::user_connector(person);
        let known = ask(&*self.actors, &actor, GetPreferences {}).await?;
        Ok(known.read().unwrap_or_default())
    }
}
