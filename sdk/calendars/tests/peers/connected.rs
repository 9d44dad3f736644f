//! One account through everything that a booking does to it.

use std::sync::Arc;
use std::time::Duration;

use huddle_calendars::{
    BookingEvent, CalendarPorts, ConnectedCalendars, EventKey, EventState, Given,
};
use huddle_core::booking::{Booking, BookingId, Phase};
use huddle_core::calendar_events::{CalendarEvents as _, Outcome};
use huddle_core::matching::{Busy, Calendars as _, Freshness};
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{Access, GetCalendars, Provider};
use huddle_core::user_connector::sealing::KeyRing;
use huddle_core::user_connector::ticket::ConnectTicket;
use huddle_core::{ActorName, Limits};
use huddle_native::ActorStore;
use huddle_schedule::busy::Status;
use huddle_testkit::{CountingRandom, SteppingClock};

use crate::booking::{ana, booking, confirmed, held, id};
use crate::{HOUR, NOW, Setup, hours, network};

struct World<'a> {
    setup: &'a Setup,
    actors: Arc<ActorStore>,
    calendars: ConnectedCalendars,
}

impl<'a> World<'a> {
    async fn connect(setup: &'a Setup) -> Self {
        let clock = Arc::new(SteppingClock::at(NOW));
        let random = Arc::new(CountingRandom::default());
        let actors = ActorStore::in_memory(clock.clone(), Limits::default()).unwrap();
        let actors = Arc::new(actors);
        let keys = KeyRing::parse(&KeyRing::new_key("1", &*random)).unwrap();
        let ports = CalendarPorts {
            actors: actors.clone(),
            fetch: Arc::new(network()),
            clock,
            random: random.clone(),
        };
        let calendars = ConnectedCalendars::new(ports, keys, &Limits::default());
        let ticket = ConnectTicket::new(ana(), Provider::CalDav, Access::Events, &*random, NOW);
        let given = Given::CalDav {
            start: &setup.server.url,
            user: "ana",
            password: "secret",
        };
        calendars.connect(&ticket, None, given).await.unwrap();
        Self {
            setup,
            actors,
            calendars,
        }
    }

    /// The hours of the day that are busy.
    async fn busy(&self, but: Option<&BookingId>, freshness: Freshness) -> Vec<(f64, f64)> {
        let deadline = NOW + Duration::from_secs(8);
        let day = hours(0, 24);
        let known = GetCalendars {
            event_of: but.cloned(),
        };
        let hers = ActorName::user_connector(&ana());
        let known = ask(&*self.actors, &hers, known).await.unwrap();
        let busy = self
            .calendars
            .busy(&ana(), &known, day, but, freshness, deadline)
            .await;
        let Busy::Known(busy) = busy else {
            panic!("{busy:?}");
        };
        #[expect(clippy::cast_precision_loss, reason = "hours are few")]
        let hour = |moment: huddle_ports::Timestamp| {
            (moment.as_millis() - hours(0, 1).start().as_millis()) as f64 / HOUR as f64
        };
        let hours = busy.iter().map(|it| (hour(it.start()), hour(it.end())));
        hours.collect()
    }

    async fn bring(&self, booking: &Booking) {
        let brought = self.calendars.bring(&ana(), booking, "Bob").await;
        assert_eq!(brought, Outcome::Done);
    }

    /// What the calendar has of the booking.
    async fn event(&self) -> Option<EventState> {
        let key = EventKey::new(id(1).as_str(), ana().as_str());
        let calendar = self.setup.calendar();
        calendar.event(&self.setup.fetch, NOW, &key).await.unwrap()
    }

    /// Brings a booking twice, as whoever dies after the first time does, and finds one event.
    async fn shows(&self, booking: &Booking, from: i64, to: i64, status: Status) {
        self.bring(booking).await;
        let first = self.event().await.unwrap();
        let expect = BookingEvent {
            time: hours(from, to),
            status,
            sequence: booking.sequence,
            summary: "",
            description: None,
            location: None,
        };
        assert!(first.is(&expect), "{first:?}");
        self.bring(booking).await;
        assert_eq!(self.event().await, Some(first), "it was not written again");
    }
}

pub(crate) async fn follows_a_booking(setup: &Setup) {
    let at_nine = ["DTSTART:20261201T090000Z", "DTEND:20261201T100000Z"];
    setup.add("dentist", &at_nine).await;
    let world = World::connect(setup).await;
    let own = id(1);
    let dentist = (9.0, 10.0);
    assert_eq!(world.busy(None, Freshness::Recent).await, [dentist]);

    let mut booking = booking(&*world.actors, held(hours(11, 12))).await;
    world.shows(&booking, 11, 12, Status::Tentative).await;
    let all = world.busy(None, Freshness::Fresh).await;
    assert_eq!(all, [dentist, (11.0, 12.0)]);
    let others = world.busy(Some(&own), Freshness::Fresh).await;
    assert_eq!(others, [dentist]);
    let recent = world.busy(Some(&own), Freshness::Recent).await;
    assert_eq!(recent, [dentist], "a booking is never in its own way");

    let under = ["DTSTART:20261201T113000Z", "DTEND:20261201T123000Z"];
    setup.add("under", &under).await;
    let blocked = world.busy(Some(&own), Freshness::Fresh).await;
    assert_eq!(blocked, [dentist, (11.5, 12.5)]);

    booking.phase = confirmed(hours(11, 12));
    world.shows(&booking, 11, 12, Status::Confirmed).await;
    booking.phase = confirmed(hours(14, 15));
    booking.sequence += 1;
    world.shows(&booking, 14, 15, Status::Confirmed).await;

    booking.phase = Phase::Canceled { place: None };
    for _ in 0..2 {
        world.bring(&booking).await;
        assert_eq!(world.event().await, None);
    }
}
