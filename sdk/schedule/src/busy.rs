//! Busy time: which events of a calendar take time away, and which time.

use chrono::NaiveDate;

use crate::interval::{Interval, IntervalSet};
use crate::zone::Zone;

/// What an event of a calendar says of itself, of all that decides whether it takes time away.
///
/// [`Event::new`] is a plain event; what a calendar says beyond that is set in the fields.
///
/// ```
/// use chrono::NaiveDate;
/// use huddle_schedule::busy::{BusyRules, Event, Span, Status, busy_times};
///
/// let holiday = Span::AllDay {
///     first: NaiveDate::from_ymd_opt(2026, 6, 2).expect("a date"),
///     end: NaiveDate::from_ymd_opt(2026, 6, 3).expect("a date"),
///     zone: "America/Los_Angeles".parse()?,
/// };
/// let rules = BusyRules::default();
/// let away = busy_times([Event::new(holiday)], &rules, None);
/// assert_eq!(away.duration().as_secs(), 24 * 3600);
///
/// let off = Event { status: Status::Cancelled, ..Event::new(holiday) };
/// assert!(busy_times([off], &rules, None).is_empty());
/// # Ok::<(), huddle_schedule::UnknownZone>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event<'a> {
    /// When it is.
    pub span: Span,
    /// Whether it is on whole dates, also where `span` gives the moments of those.
    pub is_all_day: bool,
    /// Its UID, by which a booking knows its own events, in as many calendars as they may be.
    pub uid: Option<&'a str>,
    /// Whether it is going to happen (RFC 5545 §3.8.1.11).
    pub status: Status,
    /// Whether it is meant to take time (RFC 5545 §3.8.2.7).
    pub transparency: Transparency,
    /// What the owner of the calendar has answered to the invitation, if it is one (RFC 5545 §3.2.12).
    pub response: Option<Response>,
    /// How it is to be shown, where the calendar says so: X-MICROSOFT-CDO-BUSYSTATUS, and `showAs` of Graph.
    pub shown_as: Option<ShownAs>,
    /// What kind of event it is.
    pub kind: Kind,
}

/// When an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// At moments; one without duration is at none.
    Timed(Option<Interval>),
    /// On dates of the zone of its calendar.
    AllDay {
        /// The first date.
        first: NaiveDate,
        /// The date after the last one, as DTEND is.
        end: NaiveDate,
        /// The zone of the calendar, which is not always that of its owner.
        zone: Zone,
    },
}

impl Span {
    /// The moments that it takes, if any.
    pub fn interval(self) -> Option<Interval> {
        match self {
            Self::Timed(interval) => interval,
            Self::AllDay { first, end, zone } => {
                Interval::new(zone.midnight(first), zone.midnight(end))
            }
        }
    }
}

/// STATUS of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is on, or says nothing.
    #[default]
    Confirmed,
    /// It may be on.
    Tentative,
    /// It is off.
    Cancelled,
}

/// TRANSP of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transparency {
    /// It takes time, or says nothing.
    #[default]
    Opaque,
    /// It does not.
    Transparent,
}

/// PARTSTAT of the owner of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Response {
    /// Will come.
    Accepted,
    /// May come.
    Tentative,
    /// Has not answered.
    NeedsAction,
    /// Will not come, or has sent somebody else.
    Declined,
}

/// How Microsoft's calendars show an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShownAs {
    /// As free time.
    Free,
    /// As possibly busy.
    Tentative,
    /// As busy.
    Busy,
    /// As out of office.
    OutOfOffice,
    /// As working in another place.
    WorkingElsewhere,
}

/// Kinds of events, as Google's calendars tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A plain event.
    #[default]
    Default,
    /// An absence, which takes time.
    OutOfOffice,
    /// Time to work undisturbed.
    FocusTime,
    /// Where somebody works, which takes no time.
    WorkingLocation,
    /// A birthday, which takes no time.
    Birthday,
}

impl Event<'_> {
    /// An event that says nothing but when it is: it takes its time.
    pub fn new(span: Span) -> Self {
        Self {
            span,
            is_all_day: matches!(span, Span::AllDay { .. }),
            uid: None,
            status: Status::default(),
            transparency: Transparency::default(),
            response: None,
            shown_as: None,
            kind: Kind::default(),
        }
    }
}

/// Which events take time away, where calendars leave that to taste.
///
/// The default takes time away in doubt: a meeting that clashes is worse than one at another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct BusyRules {
    /// Events that may be on, or that the owner may come to. Default: yes.
    pub tentative: bool,
    /// Invitations that the owner has not answered. Default: yes.
    pub unanswered: bool,
    /// Invitations that the owner has declined, but keeps in the calendar. Default: no.
    pub declined: bool,
    /// Events that say that they take no time. Default: no.
    pub transparent: bool,
    /// Events on whole dates, such as holidays. Default: yes. An absence always takes its time.
    pub all_day: bool,
    /// Working in another place, where one can be met all the same. Default: no.
    pub working_elsewhere: bool,
    /// Time to work undisturbed. Default: yes.
    pub focus_time: bool,
}

impl Default for BusyRules {
    fn default() -> Self {
        Self {
            tentative: true,
            unanswered: true,
            declined: false,
            transparent: false,
            all_day: true,
            working_elsewhere: false,
            focus_time: true,
        }
    }
}

impl BusyRules {
    /// Whether an event takes time away.
    ///
    /// What settles it, the first that applies: cancelled, it does not, whatever the rules; declined, by its rule; the
    /// kind, where that is more than a plain event; an absence, it does; on whole dates, by its rule; how it is shown;
    /// transparent, by its rule; then what is uncertain about it.
    pub fn takes_time(&self, event: &Event<'_>) -> bool {
        let is_declined = event.response == Some(Response::Declined);
        if event.status == Status::Cancelled || is_declined && !self.declined {
            return false;
        }
        match event.kind {
            Kind::OutOfOffice => return true,
            Kind::WorkingLocation | Kind::Birthday => return false,
            Kind::FocusTime if !self.focus_time => return false,
            Kind::FocusTime | Kind::Default => {}
        }
        if event.shown_as == Some(ShownAs::OutOfOffice) {
            return true;
        }
        if event.is_all_day && !self.all_day {
            return false;
        }
        match event.shown_as {
            Some(ShownAs::Free) => return self.transparent,
            Some(ShownAs::WorkingElsewhere) => return self.working_elsewhere,
            Some(ShownAs::Tentative) if !self.tentative => return false,
            None if event.transparency == Transparency::Transparent => return self.transparent,
            _ => {}
        }
        let tentative =
            event.status == Status::Tentative || event.response == Some(Response::Tentative);
        (!tentative || self.tentative)
            && (event.response != Some(Response::NeedsAction) || self.unanswered)
    }
}

/// The time that events take away. Those with the UID `ignoring` take none: a booking that moves is not in its own
/// way.
pub fn busy_times<'a>(
    events: impl IntoIterator<Item = Event<'a>>,
    rules: &BusyRules,
    ignoring: Option<&str>,
) -> IntervalSet {
    events
        .into_iter()
        .filter(|event| ignoring.is_none() || event.uid != ignoring)
        .filter(|event| rules.takes_time(event))
        .filter_map(|event| event.span.interval())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Event<'static> {
        Event::new(Span::Timed(None))
    }

    #[track_caller]
    fn check(event: Event<'_>, expect: bool) {
        assert_eq!(BusyRules::default().takes_time(&event), expect, "{event:?}");
    }

    /// All rules the other way round.
    const OPPOSITE: BusyRules = BusyRules {
        tentative: false,
        unanswered: false,
        declined: true,
        transparent: true,
        all_day: false,
        working_elsewhere: true,
        focus_time: false,
    };

    #[test]
    fn what_is_off_takes_no_time_whatever_else_it_says() {
        let event = Event {
            kind: Kind::OutOfOffice,
            shown_as: Some(ShownAs::Busy),
            ..plain()
        };
        check(event, true);
        check(
            Event {
                status: Status::Cancelled,
                ..event
            },
            false,
        );
        check(
            Event {
                response: Some(Response::Declined),
                ..event
            },
            false,
        );
    }

    #[test]
    fn each_property_settles_it_where_nothing_before_does() {
        let transparent = Event {
            transparency: Transparency::Transparent,
            ..plain()
        };
        check(plain(), true);
        check(transparent, false);
        check(
            Event {
                kind: Kind::OutOfOffice,
                ..transparent
            },
            true,
        );
        check(
            Event {
                shown_as: Some(ShownAs::Busy),
                ..transparent
            },
            true,
        );
        check(
            Event {
                shown_as: Some(ShownAs::OutOfOffice),
                ..transparent
            },
            true,
        );
        check(
            Event {
                shown_as: Some(ShownAs::Free),
                ..plain()
            },
            false,
        );
        check(
            Event {
                kind: Kind::WorkingLocation,
                ..plain()
            },
            false,
        );
        check(
            Event {
                kind: Kind::Birthday,
                ..plain()
            },
            false,
        );
    }

    #[test]
    fn what_is_left_to_taste_follows_its_rule() {
        for event in [
            Event {
                status: Status::Tentative,
                ..plain()
            },
            Event {
                response: Some(Response::Tentative),
                ..plain()
            },
            Event {
                shown_as: Some(ShownAs::Tentative),
                ..plain()
            },
            Event {
                response: Some(Response::NeedsAction),
                ..plain()
            },
            Event {
                kind: Kind::FocusTime,
                ..plain()
            },
            Event {
                is_all_day: true,
                ..plain()
            },
        ] {
            check(event, true);
            assert!(!OPPOSITE.takes_time(&event), "{event:?}");
        }
        for event in [
            Event {
                shown_as: Some(ShownAs::WorkingElsewhere),
                ..plain()
            },
            Event {
                shown_as: Some(ShownAs::Free),
                ..plain()
            },
            Event {
                transparency: Transparency::Transparent,
                ..plain()
            },
            Event {
                response: Some(Response::Declined),
                ..plain()
            },
        ] {
            check(event, false);
            assert!(OPPOSITE.takes_time(&event), "{event:?}");
        }
        assert!(OPPOSITE.takes_time(&plain()));
    }

    #[test]
    fn an_absence_takes_its_time_and_what_is_off_none_by_any_rules() {
        let day = Event {
            is_all_day: true,
            ..plain()
        };
        for absence in [
            Event {
                kind: Kind::OutOfOffice,
                ..day
            },
            Event {
                shown_as: Some(ShownAs::OutOfOffice),
                ..day
            },
        ] {
            assert!(OPPOSITE.takes_time(&absence), "{absence:?}");
        }
        let off = Event {
            status: Status::Cancelled,
            ..plain()
        };
        assert!(!OPPOSITE.takes_time(&off));
    }

    #[test]
    fn a_booking_is_not_in_its_own_way_in_any_calendar() {
        let at = |ms| huddle_ports::Timestamp::from_millis(ms);
        let event = |uid, start, end| Event {
            uid,
            ..Event::new(Span::Timed(Interval::new(at(start), at(end))))
        };
        let events = [
            event(Some("a"), 0, 10),
            event(Some("a"), 0, 10),
            event(Some("b"), 20, 30),
            event(None, 40, 50),
            event(None, 60, 60),
        ];
        let busy = |ignoring| {
            let set = busy_times(events, &BusyRules::default(), ignoring);
            set.iter()
                .map(|busy| busy.start().as_millis())
                .collect::<Vec<_>>()
        };
        assert_eq!(busy(None), [0, 20, 40]);
        assert_eq!(busy(Some("a")), [20, 40]);
    }
}
