//! What letters say.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use askama::Template;
use async_trait::async_trait;
use huddle_core::booking::{Booking, By, EventKind, Expiry, NoMatch, Phase};
use huddle_core::host_match::Role;
use huddle_core::invitation::{self, called, handle, profile};
use huddle_core::mail::{
    ConfirmAddress, Delivery, Disconnected, EmailAddress, InvalidEmailAddress, Letter, Mail, News,
    NoticeKind,
};
use huddle_core::user_connector::connector::Provider;
use huddle_schedule::icalendar::{Attendee, CalendarAddress, Participation, Person, WriteError};

use crate::message::{CalendarPart, Draft, Message};
use crate::{Mailer, words};

/// Writes letters, and has them sent.
#[derive(Clone)]
pub struct Letters {
    mailer: Arc<dyn Mailer>,
    sender: Sender,
}

/// Whom letters come from, written `Huddle <bookings@huddle.example.com>` or as the address alone.
///
/// ```
/// use huddle_mail::Sender;
///
/// let sender: Sender = "Meetings <bookings@huddle.example.com>".parse()?;
/// assert_eq!(sender.name, "Meetings");
/// assert_eq!("bookings@huddle.example.com".parse::<Sender>()?.name, "Huddle");
/// # Ok::<(), huddle_mail::InvalidSender>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// What they are called.
    pub name: String,
    /// Their address.
    pub address: EmailAddress,
}

/// A text that names no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; or a name and that in angle brackets: Huddle <bookings@huddle.example.com>")]
pub struct InvalidSender(#[from] InvalidEmailAddress);

impl FromStr for Sender {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, InvalidSender> {
        let in_brackets = || {
            let (name, rest) = text.split_once('<')?;
            Some((name, rest.trim_end().strip_suffix('>')?))
        };
        let (name, address) = in_brackets().unwrap_or(("", text.trim()));
        let name = match words::line(name) {
            name if name.is_empty() => "Huddle".to_owned(),
            name => name,
        };
        let address = address.parse()?;
        Ok(Self { name, address })
    }
}

/// What became of a booking, in words.
struct Told<'a> {
    headline: String,
    sentence: &'static str,
    /// Until when it waits for an answer.
    until: Option<String>,
    when: Option<String>,
    with: String,
    handle: Option<String>,
    profile: String,
    reason: Option<&'a str>,
    note: Option<&'a str>,
    cancel: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "news.txt", escape = "none")]
struct NewsText<'a>(&'a Told<'a>);

#[derive(Template)]
#[template(path = "news.html")]
struct NewsHtml<'a>(&'a Told<'a>);

/// That a calendar is connected no more, in words.
struct Lost<'a> {
    name: String,
    kind: &'static str,
    label: Option<&'a str>,
    since: String,
}

#[derive(Template)]
#[template(path = "disconnected.txt", escape = "none")]
struct DisconnectedText<'a>(&'a Lost<'a>);

#[derive(Template)]
#[template(path = "disconnected.html")]
struct DisconnectedHtml<'a>(&'a Lost<'a>);

/// A question, in words.
struct Asked<'a> {
    name: String,
    until: String,
    page: Option<&'a str>,
    token: &'a str,
}

#[derive(Template)]
#[template(path = "confirm_address.txt", escape = "none")]
struct ConfirmText<'a>(&'a Asked<'a>);

#[derive(Template)]
#[template(path = "confirm_address.html")]
struct ConfirmHtml<'a>(&'a Asked<'a>);

impl Letters {
    /// Letters from `sender`, sent by `mailer`.
    pub fn new(mailer: Arc<dyn Mailer>, sender: Sender) -> Self {
        Self { mailer, sender }
    }

    /// A letter as a message.
    pub fn write(&self, letter: &Letter) -> Result<Message, WriteError> {
        let draft = match letter {
            Letter::News(news) => self.news(news)?,
            Letter::ConfirmAddress(question) => confirm_address(question),
            Letter::Disconnected(lost) => disconnected(lost),
        };
        Ok(Message::new(&self.sender, draft))
    }

    fn news(&self, news: &News) -> Result<Draft, WriteError> {
        let told = told(news);
        let place = news.booking.phase.place();
        let begin = place.map(|place| words::begin(place.slot, news.zone));
        let subject = [Some(told.headline.clone()), begin];
        let subject: Vec<_> = subject.into_iter().flatten().collect();
        let (me, _) = news.sides();
        Ok(Draft {
            id: format!(
                "{}.{}.{}",
                news.booking.id,
                news.revision,
                news.party.as_str()
            ),
            to: news.to.clone(),
            name: words::line(&called(me, &news.names)),
            date: news.at,
            subject: subject.join(", "),
            text: rendered(&NewsText(&told)),
            html: rendered(&NewsHtml(&told)),
            calendar: self.invitation(news)?,
        })
    }

    /// The file for the reader's calendar. It comes from us, in the host's name, and to the reader alone: mail programs
    /// offer it only to those whose address is in it, and nobody else's is.
    fn invitation(&self, news: &News) -> Result<Option<CalendarPart>, WriteError> {
        let Some(mut invitation) = invitation::of(&news.booking, news.party, &news.names)? else {
            return Ok(None);
        };
        let (host, (me, _)) = (&news.booking.asked.host, news.sides());
        invitation.organizer = Person {
            name: handle(host, &news.names).unwrap_or_else(|| called(host, &news.names)),
            address: mail_to(&self.sender.address)?,
        };
        invitation.attendees = vec![Attendee {
            person: Person {
                name: called(me, &news.names),
                address: mail_to(&news.to)?,
            },
            participation: Participation::Accepted,
            rsvp: false,
        }];
        invitation.zone = news.zone;
        invitation.stamp = news.at;
        Ok(Some(CalendarPart {
            method: invitation.method.name(),
            file: invitation.write()?,
        }))
    }
}

#[async_trait]
impl Mail for Letters {
    async fn send(&self, letter: &Letter) -> Delivery {
        match self.write(letter) {
            Ok(message) => self.mailer.send(&message).await,
            Err(problem) => Delivery::Refused(problem.to_string()),
        }
    }
}

fn told(news: &News) -> Told<'_> {
    let (_, other) = news.sides();
    let with = words::line(&called(other, &news.names));
    let (kind, sentence) = outcome(news);
    let place = news.booking.phase.place();
    let until = match news.booking.phase {
        Phase::Pending { until, .. } => Some(words::moment(until, news.zone)),
        _ => None,
    };
    Told {
        headline: format!("{kind}: meeting with {with}"),
        sentence,
        until,
        when: place.map(|place| words::slot(place.slot, news.zone)),
        // A name that is the handle needs no handle.
        handle: handle(other, &news.names).filter(|handle| *handle != with),
        profile: profile(other),
        // What one has said oneself is no news.
        reason: news.booking.reason.as_deref().filter(|_| is_by_other(news)),
        note: news.booking.asked.note.as_deref(),
        cancel: news.cancel.as_deref(),
        with,
    }
}

/// What became of it, in a word and in a sentence. A calendar that kept a time from being found is nobody else's business:
/// it is as if nobody had answered.
fn outcome(news: &News) -> (&'static str, &'static str) {
    match news.notice.kind {
        NoticeKind::Requested => ("Request", request(&news.booking)),
        NoticeKind::Confirmed => ("Confirmed", "This meeting is confirmed."),
        NoticeKind::Moved => ("Moved", "This meeting has another time now."),
        NoticeKind::Canceled => ("Canceled", "This meeting was called off."),
        NoticeKind::Withdrawn { by: Role::Guest } => (
            "Canceled",
            "The request for this meeting was taken back: there is nothing left for you to do.",
        ),
        NoticeKind::Withdrawn { by: Role::Host } => (
            "Canceled",
            "Your request for this meeting was called off before it was confirmed.",
        ),
        NoticeKind::Declined => ("Declined", "Your request for this meeting was declined."),
        NoticeKind::Expired(Expiry::Unanswered) => (
            "Expired",
            "Your request for this meeting was not answered in time.",
        ),
        NoticeKind::Expired(Expiry::NoMatch) => (
            "Expired",
            "No time was found for this meeting that suits both of you.",
        ),
        NoticeKind::Expired(Expiry::Hold) => (
            "Expired",
            "This meeting was not confirmed in time: what was held for it is free again.",
        ),
        NoticeKind::Expired(Expiry::SlotTaken) => (
            "Expired",
            "The time that was held for this meeting is not free any more.",
        ),
    }
}

/// What a host is asked, who may have said yes before. Why no time was found then may be the guest's affair, such as a
/// calendar that cannot be read or other holds of theirs: of that the host learns only that it passes.
fn request(booking: &Booking) -> &'static str {
    let mut events = booking.history.iter();
    let said_yes = events.any(|event| event.kind == EventKind::Approved);
    match booking.unmatched.filter(|_| said_yes) {
        None => "You are asked for this meeting. Say yes or no where you see your meetings.",
        Some(NoMatch::NoSlot | NoMatch::SlotTaken) => {
            "You have said yes to this meeting, but no time was found for it that suits both of you. Make room, and say \
             yes once more."
        }
        Some(NoMatch::CalendarUnavailable | NoMatch::TooManyHolds { .. }) => {
            "You have said yes to this meeting, but no time could be settled for it right now. If your own calendars are \
             connected as they should be, you need not change anything: say yes once more in a while."
        }
    }
}

/// Whether it was the other side that did it.
fn is_by_other(news: &News) -> bool {
    let other = match news.party {
        Role::Host => By::Guest,
        Role::Guest => By::Host,
    };
    news.booking
        .history
        .last()
        .is_some_and(|event| event.by == other)
}

fn confirm_address(question: &ConfirmAddress) -> Draft {
    let asked = Asked {
        name: words::line(&question.name),
        until: words::moment(question.expires, question.zone),
        page: question.page.as_deref(),
        token: &question.token,
    };
    Draft {
        id: format!("{}.confirm", question.mark),
        to: question.to.clone(),
        date: question.asked,
        subject: "Is this your address?".into(),
        text: rendered(&ConfirmText(&asked)),
        html: rendered(&ConfirmHtml(&asked)),
        calendar: None,
        name: asked.name,
    }
}

fn disconnected(lost: &Disconnected) -> Draft {
    let told = Lost {
        name: words::line(&lost.name),
        kind: match lost.provider {
            Provider::Ics => "calendar feed",
            Provider::CalDav => "CalDAV calendar",
        },
        label: lost.label.as_deref(),
        since: words::moment(lost.at, lost.zone),
    };
    Draft {
        id: format!("{}.{}.disconnected", lost.connector, lost.at.as_millis()),
        to: lost.to.clone(),
        date: lost.at,
        subject: "Your calendar is not connected any more".into(),
        text: rendered(&DisconnectedText(&told)),
        html: rendered(&DisconnectedHtml(&told)),
        calendar: None,
        name: told.name,
    }
}

fn rendered(template: &impl Template) -> String {
    template
        .render()
        .expect("memory takes all that is written to it")
}

fn mail_to(address: &EmailAddress) -> Result<CalendarAddress, WriteError> {
    format!("mailto:{}", address.as_str()).parse()
}

impl fmt::Debug for Letters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letters")
            .field("sender", &self.sender.name)
            .finish_non_exhaustive()
    }
}
