//! The events that bookings have in connected calendars.

use async_trait::async_trait;
use huddle_core::booking::Booking;
use huddle_core::calendar_events::{BookedTime, CalendarEvents, Outcome};
use huddle_core::transport::Unreachable;
use huddle_core::user_connector::connector::{
    Access, Calendars as Known, Connector, ConnectorId, EndReading, ForgetEvent, GetCalendars,
    Health, NoteEvent, Problem, Read,
};
use huddle_ports::Fetch;
use huddle_schedule::busy::Status;
use huddle_syntax::Did;

use super::ConnectedCalendars;
use super::measured::Measured;
use super::reading::unread;
use crate::calendar::Calendar;
use crate::error::CalendarError;
use crate::event::{BookingEvent, EventKey};

/// Why an event is not brought to where it should be.
enum NotBrought {
    Calendar(CalendarError),
    Account(Problem),
    Actor,
}

impl From<CalendarError> for NotBrought {
    fn from(error: CalendarError) -> Self {
        Self::Calendar(error)
    }
}

impl From<Unreachable> for NotBrought {
    fn from(_: Unreachable) -> Self {
        Self::Actor
    }
}

impl From<NotBrought> for Outcome {
    fn from(why: NotBrought) -> Self {
        let problem = match why {
            // Where somebody was faster, what they have made of it is read the next time.
            NotBrought::Actor | NotBrought::Calendar(CalendarError::Conflict) => {
                return Self::RetryAfter(None);
            }
            NotBrought::Calendar(CalendarError::Throttled { retry_after }) => {
                return Self::RetryAfter(retry_after);
            }
            NotBrought::Calendar(error) if error.is_retryable() => return Self::RetryAfter(None),
            NotBrought::Calendar(error) => unread(&error).problem,
            NotBrought::Account(problem) => problem,
        };
        Self::Permanent(format!(
            "the calendar cannot be written to: {}",
            problem.as_str()
        ))
    }
}

#[async_trait]
impl CalendarEvents for ConnectedCalendars {
    async fn bring(&self, person: &Did, booking: &Booking, with: &str) -> Outcome {
        let brought = match BookedTime::of(booking) {
            Some(time) => self.show(person, booking, time, with).await,
            None => self.remove(person, booking).await,
        };
        brought.map_or_else(Outcome::from, |()| Outcome::Done)
    }
}

impl ConnectedCalendars {
    /// Has the event in the calendar, at its time and with its status.
    async fn show(
        &self,
        person: &Did,
        booking: &Booking,
        time: BookedTime,
        with: &str,
    ) -> Result<(), NotBrought> {
        let known = self.calendars(person, booking).await?;
        let noted = known.event_in.as_ref();
        let noted = noted.and_then(|id| named(&known, id));
        let Some(connector) = noted.or_else(|| chosen(&known)) else {
            return Ok(());
        };
        let Some(calendar) = self.calendar_of(connector)? else {
            return Ok(());
        };
        // Before it is written: who looks meanwhile leaves out what may be there.
        let note = NoteEvent {
            booking: booking.id.clone(),
            id: connector.id.clone(),
            ends: time.slot.end(),
        };
        self.ask(person, note).await?;
        let summary = if time.is_confirmed {
            format!("Meeting with {with}")
        } else {
            format!("Hold: meeting with {with}")
        };
        let event = BookingEvent {
            time: time.slot,
            status: if time.is_confirmed {
                Status::Confirmed
            } else {
                Status::Tentative
            },
            sequence: booking.sequence,
            summary: &summary,
            description: booking.asked.note.as_deref(),
            location: None,
        };
        let provider = self.provider_of(connector);
        let key = key(person, booking);
        let written = self.write(&provider, &calendar, &key, &event).await;
        self.unless_refused(person, connector, written).await
    }

    /// Writes the event, unless the calendar has it already.
    async fn write(
        &self,
        fetch: &dyn Fetch,
        calendar: &Calendar,
        key: &EventKey,
        event: &BookingEvent<'_>,
    ) -> Result<(), CalendarError> {
        let now = self.0.ports.clock.now();
        let state = calendar.event(fetch, now, key).await?;
        if state.as_ref().is_some_and(|state| state.is(event)) {
            return Ok(());
        }
        let etag = state.as_ref().map(|state| state.etag.as_str());
        calendar.put_event(fetch, now, key, event, etag).await?;
        Ok(())
    }

    /// Has no event in the calendar.
    async fn remove(&self, person: &Did, booking: &Booking) -> Result<(), NotBrought> {
        let known = self.calendars(person, booking).await?;
        let Some(id) = &known.event_in else {
            return Ok(());
        };
        if let Some(connector) = named(&known, id)
            && let Some(calendar) = self.calendar_of(connector)?
        {
            let (provider, now) = (self.provider_of(connector), self.0.ports.clock.now());
            let key = key(person, booking);
            let removed = calendar.remove_event(&provider, now, &key, None).await;
            self.unless_refused(person, connector, removed).await?;
        }
        let booking = booking.id.clone();
        self.ask(person, ForgetEvent { booking }).await?;
        Ok(())
    }

    /// Has an account left alone, and its person told, once its credentials are refused.
    async fn unless_refused(
        &self,
        person: &Did,
        connector: &Connector,
        changed: Result<(), CalendarError>,
    ) -> Result<(), NotBrought> {
        if let Err(error @ CalendarError::Unauthorized) = &changed {
            let read = Read {
                id: connector.id.clone(),
                revision: connector.revision,
                outcome: Err(unread(error)),
            };
            let end = EndReading {
                reader: None,
                outcomes: vec![read],
            };
            self.ask(person, end).await?;
        }
        Ok(changed?)
    }

    async fn calendars(&self, person: &Did, booking: &Booking) -> Result<Known, Unreachable> {
        let event_of = Some(booking.id.clone());
        self.ask(person, GetCalendars { event_of }).await
    }

    /// The calendar of an account that events are written to; `None` if it has no such calendar any more.
    fn calendar_of(&self, connector: &Connector) -> Result<Option<Calendar>, NotBrought> {
        if connector.access != Access::Events {
            return Ok(None);
        }
        if let Health::Disconnected { problem } = connector.health {
            return Err(NotBrought::Account(problem));
        }
        let account = self.account(connector);
        let account = account.ok_or(NotBrought::Account(Problem::Unusable))?;
        Ok(account.writable())
    }

    fn provider_of(&self, connector: &Connector) -> Measured<'_> {
        self.to_provider(connector.provider, &*self.0.ports.fetch)
    }
}

fn key(person: &Did, booking: &Booking) -> EventKey {
    EventKey::new(booking.id.as_str(), person.as_str())
}

fn named<'a>(known: &'a Known, id: &ConnectorId) -> Option<&'a Connector> {
    known.connectors.iter().find(|it| it.id == *id)
}

/// Where events go: the account that the person has chosen for that, else the first that was connected for it.
fn chosen(known: &Known) -> Option<&Connector> {
    let preferences = known.preferences.read().ok();
    let choice = preferences.and_then(|it| it.events_to);
    let chosen = choice.and_then(|id| named(known, &id));
    let mut candidates = chosen.into_iter().chain(&known.connectors);
    candidates.find(|it| it.access == Access::Events)
}
