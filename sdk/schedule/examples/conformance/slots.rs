//! Cases of slots: weekly hours and what takes time away from them, and the starts that are left, in UTC.
//!
//! A case names the windows that open on the local dates `from` to `to`. Whatever a case may say is a field of
//! [`Case`]; anything else is refused, because a rule that is overlooked would pass unseen.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveTime, SecondsFormat, WeekdaySet};
use huddle_schedule::busy::Span;
use huddle_schedule::{
    Alignment, BookingWindow, Calendar, Caps, Circle, Constraints, DateOverride, IntervalSet,
    Margins, Mode, Offer, OfficeHours, Party, Relationship, Role, Rules, Search, Times, WeeklyRule,
};

use self::case::{Aligned, Booking, Case, Moment, Override};
use super::verdict::Verdict;

// Named, because a test has this module at another place.
#[path = "slots/case.rs"]
mod case;

/// Runs each case of a file with this text.
pub(crate) fn run(text: &str) -> Result<Vec<Verdict>, serde_json::Error> {
    let cases: Vec<serde_json::Value> = serde_json::from_str(text)?;
    Ok(cases.into_iter().enumerate().map(verdict).collect())
}

fn verdict((index, case): (usize, serde_json::Value)) -> Verdict {
    let id = case.get("id").and_then(serde_json::Value::as_str);
    let name = id.map_or_else(|| format!("#{index}"), str::to_owned);
    let wrong = match serde_json::from_value::<Case>(case) {
        Ok(case) => case.difference(),
        Err(error) => Some(format!("the case cannot be read: {error}")),
    };
    Verdict { case: name, wrong }
}

impl Case {
    /// What is offered and not expected, or expected and not offered.
    fn difference(&self) -> Option<String> {
        let starts = match self.starts() {
            Ok(starts) => starts,
            Err(error) => return Some(error),
        };
        let missing: Vec<_> = self.expect.difference(&starts).copied().map(show).collect();
        let surplus: Vec<_> = starts.difference(&self.expect).copied().map(show).collect();
        (!missing.is_empty() || !surplus.is_empty()).then(|| {
            format!(
                "missing [{}], not expected [{}]",
                missing.join(" "),
                surplus.join(" ")
            )
        })
    }

    fn hours(&self) -> Result<OfficeHours, String> {
        let rules = self.weekly.iter().map(|rule| {
            let days: Result<WeekdaySet, String> =
                rule.days.iter().map(|day| day.weekday()).collect();
            days.map(|days| WeeklyRule {
                days,
                start: rule.start.0,
                end: rule.end.0,
            })
        });
        let closed = self.closed.iter().map(|date| {
            Ok(DateOverride {
                date: date.0,
                windows: Vec::new(),
            })
        });
        let overrides = self.overrides.iter().map(Override::exception).chain(closed);
        Ok(OfficeHours {
            zone: self.tz,
            rules: rules.collect::<Result<_, _>>()?,
            overrides: overrides.collect::<Result<_, _>>()?,
            valid_from: Some(
                self.valid_from
                    .map_or(self.from.0, |from| from.0.max(self.from.0)),
            ),
            valid_until: Some(
                self.valid_until
                    .map_or(self.to.0, |until| until.0.min(self.to.0)),
            ),
        })
    }

    fn offers(&self) -> Result<Vec<Offer>, String> {
        let once = self.offers.iter().filter_map(|between| between.interval());
        let once = once.map(|window| Times::Once {
            window,
            zone: self.tz,
        });
        let times = [Times::Weekly(self.hours()?)].into_iter().chain(once);
        let offer = |times| Offer {
            times,
            policy: Some(Circle::Anyone),
            mode: Some(Mode::Auto),
            durations: Vec::new(),
        };
        Ok(times.map(offer).collect())
    }

    fn rules(&self) -> Result<Rules, String> {
        let durations: Vec<_> = self
            .duration
            .into_iter()
            .chain(self.durations.clone())
            .collect();
        let usual = *durations.first().ok_or("the case has no duration")?;
        // Overnight windows end on the day after `to`, or after a day that is left out.
        let last = self
            .to
            .0
            .checked_add_days(Days::new(2))
            .ok_or("`to` is too late")?;
        Ok(Rules {
            zone: self.tz,
            durations,
            step_minutes: self.step.unwrap_or(usual),
            alignment: match self.alignment {
                Aligned::Window => Alignment::Window,
                Aligned::Clock => Alignment::Clock,
            },
            notice_minutes: self.notice,
            booking_window: match self.booking_window_days {
                Some(days) => BookingWindow::Rolling { days },
                None => BookingWindow::Fixed {
                    first: self.from.0,
                    last,
                },
            },
        })
    }

    fn busy(&self) -> IntervalSet {
        let timed = self.busy.iter().filter_map(|between| between.interval());
        let all_day = self.all_day_busy.iter().filter_map(|day| {
            let span = Span::AllDay {
                first: day.start.0,
                end: day.end.0,
                zone: day.tz.unwrap_or(self.tz),
            };
            span.interval()
        });
        timed.chain(all_day).collect()
    }

    fn starts(&self) -> Result<BTreeSet<Moment>, String> {
        let (rules, offers) = (self.rules()?, self.offers()?);
        let bookings = [&self.bookings, &self.holds, &self.pending];
        let bookings: Vec<&Booking> = bookings.into_iter().flatten().collect();
        let names: Vec<String> = (0..bookings.len())
            .map(|index| format!("#{index}"))
            .collect();
        let meetings = bookings.into_iter().zip(&names);
        let meetings: Vec<_> = meetings
            .filter_map(|(booking, name)| booking.meeting(name))
            .collect();
        let guest_busy = self
            .guest_busy
            .iter()
            .filter_map(|between| between.interval());
        let (busy, guest_busy): (_, IntervalSet) = (self.busy(), guest_busy.collect());
        let host = Party {
            role: Role::Host,
            zone: self.tz,
            calendar: Calendar::Known(&busy),
            meetings: &meetings,
            margins: Margins {
                before_minutes: self.buffer_before,
                after_minutes: self.buffer_after,
            },
            caps: Caps {
                per_day: self.max_per_day,
                per_week: self.max_per_week,
            },
            ..Party::default()
        };
        let guest = Party {
            calendar: Calendar::Known(&guest_busy),
            ..Party::default()
        };
        let constraints = Constraints {
            duration_min: rules.durations.iter().min().copied(),
            duration_max: rules.durations.iter().max().copied(),
            earliest: self.earliest.map(|moment| moment.0),
            latest: self.latest.map(|moment| moment.0),
            ..Constraints::default()
        };
        // Shifted forward where the zone left the date out.
        let first = self.tz.instant(self.from.0.and_time(NaiveTime::MIN));
        let now = self
            .now
            .map_or(first - Duration::from_hours(24), |now| now.0);
        let friends = Relationship {
            circle: Circle::Mutual,
            blocked: false,
        };
        let parties = [host, guest];
        let search = Search {
            constraints: &constraints,
            moving: self.reschedule.as_deref(),
            ..Search::new(now, &offers, friends, &rules, &parties)
        };
        let all = search.all().into_iter();
        Ok(all
            .map(|candidate| Moment(candidate.interval.start()))
            .collect())
    }
}

fn show(moment: Moment) -> String {
    DateTime::from_timestamp_millis(moment.0.as_millis()).map_or_else(
        || format!("{:?}", moment.0),
        |moment| moment.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}
