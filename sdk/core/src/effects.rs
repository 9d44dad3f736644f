//! What comes of a booking outside: events in calendars, and mail.
//!
//! A booking that changes leaves a task for each side and channel: bring what is shown there to this revision. Whoever
//! works one off asks the booking how it stands *now* and brings that, so late, doubled and reordered tasks do no harm.
//! One is worked off at a time for a booking, side and channel: the booking gives a lease, and remembers what was
//! brought. Whoever dies in between leaves a lease that runs out, and the next one brings the same once more. Everything
//! that is brought follows from the booking and its revision, so that twice is as good as once.

mod ledger;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use huddle_ports::{Clock, Timestamp};
use huddle_schedule::Zone;
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};

use crate::actor::ActorName;
use crate::booking::{Booking, BookingId, EventKind};
use crate::calendar_events::{BookedTime, CalendarEvents, Outcome};
use crate::host_match::Role;
use crate::index::{Index, IndexError, people};
use crate::invitation::{called, handle};
use crate::mail::{
    Addresses, CancelLink, ConfirmAddress, Delivery, Letter, Links, Mail, News, Notice,
    TOKEN_LIFETIME,
};
use crate::outbox::Task;
use crate::transport::{ActorTransport, Unreachable, ask};
use crate::user_connector::GetPreferences;

pub use ledger::{BeginEffect, EffectBegun, EndEffect};
pub(crate) use ledger::{begin, end};

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
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Calendar, Self::Mail];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Mail => "mail",
        }
    }

    /// How often something is tried to be brought there.
    pub(crate) const fn tries(self) -> u32 {
        match self {
            Self::Calendar => 5,
            Self::Mail => 10,
        }
    }
}

/// What of a booking shows outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    calendar: Option<BookedTime>,
    mail: Option<Notice>,
}

impl Shown {
    pub(crate) fn of(booking: &Booking) -> Self {
        Self {
            calendar: BookedTime::of(booking),
            mail: Notice::of(booking),
        }
    }

    /// Whether a channel shows something else than before.
    fn differs(self, before: Self, channel: Channel) -> bool {
        match channel {
            Channel::Calendar => self.calendar != before.calendar,
            // What was told cannot be taken back: only news are.
            Channel::Mail => self.mail.is_some() && self.mail != before.mail,
        }
    }
}

/// Since which revision of a booking each channel shows what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownSince {
    calendar: u32,
    mail: u32,
}

impl ShownSince {
    fn of(&mut self, channel: Channel) -> &mut u32 {
        match channel {
            Channel::Calendar => &mut self.calendar,
            Channel::Mail => &mut self.mail,
        }
    }
}

/// What is to be brought about for a booking that has changed, and `before` showed this. It notes since when.
pub(crate) fn of_change(booking: &mut Booking, before: Shown) -> Vec<Task> {
    let shown = Shown::of(booking);
    let changed = Channel::ALL.into_iter();
    let changed = changed.filter(|channel| shown.differs(before, *channel));
    let mut tasks = Vec::new();
    for channel in changed {
        *booking.shown_since.of(channel) = booking.revision;
        tasks.extend([Role::Host, Role::Guest].map(|party| {
            Task::Effect(Effect {
                booking: booking.id.clone(),
                party,
                channel,
                revision: booking.revision,
            })
        }));
    }
    tasks
}

/// What effects are brought about with.
#[derive(Clone)]
pub struct Effects {
    actors: Arc<dyn ActorTransport>,
    index: Arc<dyn Index>,
    clock: Arc<dyn Clock>,
    calendars: Option<Arc<dyn CalendarEvents>>,
    mail: Option<Post>,
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
    /// Brings nothing about: neither calendars nor mail are connected.
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

    /// Brings what one side is shown of a booking to where the booking stands. It may have been brought before, partly
    /// or whole.
    pub async fn work(&self, effect: &Effect) -> Result<(), NotBrought> {
        let Effect {
            party,
            channel,
            revision,
            ..
        } = *effect;
        let connected = match channel {
            Channel::Calendar => self.calendars.is_some(),
            Channel::Mail => self.mail.is_some(),
        };
        if !connected {
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
            Channel::Mail => self.tell_by_mail(&booking, party, revision).await,
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

    async fn show_in_calendar(&self, booking: &Booking, party: Role) -> Result<(), NotBrought> {
        let Some(calendars) = &self.calendars else {
            return Ok(());
        };
        let (person, other) = booking.asked.sides(party);
        let names = people::names(&*self.index, &[other]).await?;
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

    async fn tell_by_mail(
        &self,
        booking: &Booking,
        party: Role,
        revision: u32,
    ) -> Result<(), NotBrought> {
        let (Some(post), Some(notice)) = (&self.mail, Notice::of(booking)) else {
            return Ok(());
        };
        let (person, other) = booking.asked.sides(party);
        let Some(to) = post.addresses.confirmed(&*self.actors, person).await? else {
            return Ok(());
        };
        let names = people::names(&*self.index, &[person, other]).await?;
        let news = News {
            zone: self.zone_of(person).await?,
            booking: booking.clone(),
            at: came_to_it(booking),
            notice,
            party,
            revision,
            names,
            to,
            cancel: post.cancel_page(booking, party),
        };
        post.send(&Letter::News(Box::new(news))).await
    }

    /// Asks somebody whether the address is theirs that they have entered, unless they have said so or have entered
    /// another since.
    pub async fn confirm_address(&self, person: &Did, mark: &str) -> Result<(), NotBrought> {
        let Some(post) = &self.mail else {
            return Ok(());
        };
        let (actors, now) = (&*self.actors, self.clock.now());
        let waiting = post.addresses.waiting(actors, person, mark, now).await?;
        let Some((to, expires)) = waiting else {
            return Ok(());
        };
        let names = people::names(&*self.index, &[person]).await?;
        let token = post.addresses.token(person, mark);
        let letter = ConfirmAddress {
            page: post.links.as_ref().map(|it| it.confirm(person, &token)),
            // Whoever has entered it may not be who reads it: no text of theirs is in the letter.
            name: handle(person, &names).unwrap_or_else(|| person.to_string()),
            mark: mark.to_owned(),
            zone: self.zone_of(person).await?,
            asked: expires - TOKEN_LIFETIME,
            token,
            to,
            expires,
        };
        post.send(&Letter::ConfirmAddress(letter)).await
    }

    /// On whose clock somebody reads: preferences that cannot be read are a later version's.
    async fn zone_of(&self, person: &Did) -> Result<Zone, Unreachable> {
        let actor = ActorName::user_connector(person);
        let known = ask(&*self.actors, &actor, GetPreferences {}).await?;
        Ok(known.read().map_or(Zone::UTC, |read| read.rules.zone))
    }
}

impl Post {
    /// Where a meeting can be called off that stands.
    fn cancel_page(&self, booking: &Booking, party: Role) -> Option<String> {
        let stands = BookedTime::of(booking).filter(|time| time.is_confirmed)?;
        let link = CancelLink {
            booking: booking.id.clone(),
            party,
            expires: stands.slot.end(),
        };
        self.links.as_ref().map(|links| links.cancel(&link))
    }

    async fn send(&self, letter: &Letter) -> Result<(), NotBrought> {
        match self.mail.send(letter).await {
            Delivery::Sent => Ok(()),
            Delivery::TryLater { after, problem } => Err(NotBrought::Later { after, problem }),
            Delivery::Refused(problem) => Err(NotBrought::Permanent(problem)),
        }
    }
}

/// When a booking came to what is told of it.
fn came_to_it(booking: &Booking) -> Timestamp {
    let mut history = booking.history.iter().rev();
    let event = history.find(|event| {
        matches!(
            event.kind,
            EventKind::Confirmed | EventKind::Rescheduled | EventKind::Canceled
        )
    });
    event.map_or(booking.updated_at, |event| event.at)
}
