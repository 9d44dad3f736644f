//! Hosts whose windows are listed.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::availability::{Availability, Checked, Found, Proposal, Search};
use huddle_core::booking::{Booking, Chosen, Constraints, GuestSide, Mode, Place, Terms};
use huddle_core::host_match::Margins;
use huddle_core::matching::{InvalidSlotToken, Listing, ListingFailed, SlotQuery, Slots};
use huddle_core::{EmptyInterval, Interval};
use huddle_ports::Timestamp;
use huddle_schedule::disclosure::InvalidToken;
use huddle_syntax::{AtUri, Did};
use serde::{Deserialize, Serialize};

/// Minutes from one slot's start to the next, and of a slot where nothing else is asked for.
const STEP_MINUTES: u32 = 30;

/// When a host has time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostWindows {
    /// The host.
    pub host: Did,
    /// From when until when, as moments.
    pub windows: Vec<Interval>,
    /// The offer that they stand in, where they stand in one.
    #[serde(default)]
    pub offer: Option<AtUri>,
}

/// Stands in for offers and calendars: a list of hosts and windows. Anyone may book them, nobody has a
/// calendar, and the earliest slot comes first. All of it is in UTC, also the days that a guest names: a
/// guest's time zone counts for nothing.
#[derive(Clone, Debug, Default)]
pub struct ListedWindows {
    windows: HashMap<Did, Vec<Window>>,
}

#[derive(Clone, Debug)]
struct Window {
    slot: Interval,
    offer: Option<AtUri>,
}

impl ListedWindows {
    /// These hosts.
    pub fn new(hosts: Vec<HostWindows>) -> Self {
        let mut listed = Self::default();
        for HostWindows {
            host,
            windows,
            offer,
        } in hosts
        {
            let of_host = listed.windows.entry(host).or_default();
            of_host.extend(windows.into_iter().map(|slot| {
                let offer = offer.clone();
                Window { slot, offer }
            }));
        }
        listed
    }

    /// One more window of a host.
    pub fn add(
        &mut self,
        host: &Did,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<(), EmptyInterval> {
        let slot = Interval::try_from((start, end))?;
        let of_host = self.windows.entry(host.clone()).or_default();
        of_host.push(Window { slot, offer: None });
        Ok(())
    }
}

#[async_trait]
impl Availability for ListedWindows {
    async fn search(&self, search: &Search, _deadline: Timestamp) -> Found {
        let constraints = &search.constraints;
        let minutes = constraints
            .duration_min
            .or(constraints.duration_max)
            .unwrap_or(STEP_MINUTES);
        let windows = self.windows.get(&search.host).into_iter().flatten();
        let mut proposals: Vec<Proposal> = windows
            .filter(|window| search.offer.is_none() || window.offer == search.offer)
            .flat_map(|window| slots(window.slot, minutes).map(|slot| proposal(slot, window)))
            .filter(|proposal| suits(proposal.place.slot, constraints))
            .collect();
        proposals.sort_by_key(|proposal| proposal.place.slot);
        proposals.dedup_by_key(|proposal| proposal.place.slot);
        Found::Proposals(proposals)
    }

    async fn check(&self, _: &Booking, _: &Place, _deadline: Timestamp) -> Checked {
        Checked::Free
    }
}

/// Nobody lists slots.
#[async_trait]
impl Slots for ListedWindows {
    async fn slots(&self, _: &SlotQuery, _: Timestamp) -> Result<Listing, ListingFailed> {
        Ok(Listing {
            slots: Vec::new(),
            guest_side: GuestSide::Unchecked,
        })
    }

    fn chosen(&self, _: &str, _: &Did, _: &Did) -> Result<Chosen, InvalidSlotToken> {
        Err(InvalidSlotToken::from(InvalidToken::Malformed))
    }
}

fn suits(slot: Interval, constraints: &Constraints) -> bool {
    let days = &constraints.days;
    constraints.earliest.is_none_or(|it| it <= slot.start())
        && constraints.latest.is_none_or(|it| slot.end() <= it)
        && (days.is_empty() || days.contains(&weekday(slot.start())))
}

/// The day of the week in UTC, Monday being 0.
fn weekday(moment: Timestamp) -> u8 {
    // 1970 began on a Thursday.
    let days = moment.as_secs().div_euclid(24 * 60 * 60) + 3;
    u8::try_from(days.rem_euclid(7)).expect("a remainder of 7 is less than 7")
}

fn slots(window: Interval, minutes: u32) -> impl Iterator<Item = Interval> {
    let length = Duration::from_secs(u64::from(minutes) * 60);
    let step = Duration::from_secs(u64::from(STEP_MINUTES) * 60);
    std::iter::successors(Some(window.start()), move |start| Some(*start + step))
        .map_while(move |start| Interval::new(start, start + length))
        .take_while(move |slot| slot.end() <= window.end())
}

fn proposal(slot: Interval, window: &Window) -> Proposal {
    let terms = Terms {
        offer: window.offer.clone(),
        tz: "UTC".to_owned(),
        mode: Mode::Auto,
        guest_side: GuestSide::Unchecked,
    };
    Proposal {
        place: Place { slot, terms },
        host: Margins::default(),
        guest: Margins::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use huddle_core::host_match::Role;

    const MINUTE: i64 = 60_000;

    fn did(text: &str) -> Did {
        text.parse().unwrap()
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * MINUTE)
    }

    fn host() -> Did {
        did("did:web:ada.example.com")
    }

    fn search(
        listed: &ListedWindows,
        constraints: Constraints,
        offer: Option<&str>,
    ) -> Vec<Interval> {
        let search = Search {
            host: host(),
            guest: did("did:web:bob.example.com"),
            constraints,
            offer: offer.map(|uri| uri.parse().unwrap()),
            approved: false,
            acquainted: false,
            strangers_wait: None,
            confirms: false,
            by: Role::Guest,
            booking: None,
        };
        let found = listed
            .search(&search, Timestamp::MAX)
            .now_or_never()
            .unwrap();
        let Found::Proposals(proposals) = found else {
            panic!("{found:?}");
        };
        proposals.iter().map(|it| it.place.slot).collect()
    }

    /// Start and end of what is found, in minutes.
    fn found(windows: &[(i64, i64)], constraints: Constraints) -> Vec<(i64, i64)> {
        let mut listed = ListedWindows::default();
        for (start, end) in windows {
            listed.add(&host(), at(*start), at(*end)).unwrap();
        }
        let minute = |moment: Timestamp| moment.as_millis() / MINUTE;
        let slots = search(&listed, constraints, None);
        slots
            .iter()
            .map(|slot| (minute(slot.start()), minute(slot.end())))
            .collect()
    }

    #[test]
    fn windows_are_cut_into_slots_the_earliest_first() {
        assert_eq!(
            found(&[(120, 180), (0, 45)], Constraints::default()),
            [(0, 30), (120, 150), (150, 180)]
        );
    }

    #[test]
    fn slots_are_as_long_as_asked_and_between_earliest_and_latest() {
        let constraints = Constraints {
            duration_min: Some(60),
            earliest: Some(at(20)),
            latest: Some(at(125)),
            ..Constraints::default()
        };
        assert_eq!(found(&[(0, 240)], constraints), [(30, 90), (60, 120)]);
    }

    #[test]
    fn a_host_who_is_not_listed_has_no_time() {
        assert_eq!(found(&[], Constraints::default()), []);
    }

    #[test]
    fn slots_begin_on_the_days_that_would_do() {
        // 1970-01-01 was a Thursday.
        let day = 24 * 60;
        let windows: Vec<(i64, i64)> = (0..7).map(|n| (n * day, n * day + 30)).collect();
        let days = |days: &[u8]| Constraints {
            days: days.to_vec(),
            ..Constraints::default()
        };
        let starts = |days| found(&windows, days).into_iter().map(|it| it.0 / day);
        assert!(starts(days(&[3])).eq([0]));
        assert!(starts(days(&[0, 6])).eq([3, 4]));
        assert!(starts(days(&[])).eq(0..7));
    }

    #[test]
    fn a_search_in_one_offer_finds_the_windows_of_no_other() {
        let uri = |key| format!("at://did:web:ada.example.com/com.huddle.slotOffer/{key}");
        let listed = ["a", "b"].into_iter().zip([0, 60]).map(|(key, start)| {
            let window = Interval::new(at(start), at(start + 30)).unwrap();
            HostWindows {
                host: host(),
                windows: vec![window],
                offer: Some(uri(key).parse().unwrap()),
            }
        });
        let listed = ListedWindows::new(listed.collect());
        let found = |offer: Option<&str>| {
            let slots = search(&listed, Constraints::default(), offer);
            slots.len()
        };
        assert_eq!(found(None), 2);
        assert_eq!(found(Some(&uri("a"))), 1);
        assert_eq!(found(Some(&uri("c"))), 0);
    }
}
