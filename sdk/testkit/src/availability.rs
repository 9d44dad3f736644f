//! Hosts whose windows are listed.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::availability::{Availability, Checked, Found, Proposal, Search};
use huddle_core::booking::{Booking, GuestSide, Mode, Place, Terms};
use huddle_core::host_match::Margins;
use huddle_core::slot::{EmptySlot, Slot};
use huddle_ports::Timestamp;
use huddle_syntax::Did;
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
    pub windows: Vec<Slot>,
}

/// Stands in for offers and calendars: a list of hosts and windows. Anyone may book them, nobody has a
/// calendar, and the earliest slot comes first.
#[derive(Clone, Debug, Default)]
pub struct ListedWindows {
    windows: HashMap<Did, Vec<Slot>>,
}

impl ListedWindows {
    /// These hosts.
    pub fn new(hosts: Vec<HostWindows>) -> Self {
        let mut windows = HashMap::new();
        for listed in hosts {
            let of_host: &mut Vec<Slot> = windows.entry(listed.host).or_default();
            of_host.extend(listed.windows);
        }
        Self { windows }
    }

    /// One more window of a host.
    pub fn add(&mut self, host: &Did, start: Timestamp, end: Timestamp) -> Result<(), EmptySlot> {
        let window = Slot::try_from((start, end))?;
        self.windows.entry(host.clone()).or_default().push(window);
        Ok(())
    }
}

#[async_trait]
impl Availability for ListedWindows {
    async fn search(&self, search: &Search) -> Found {
        let minutes = search
            .constraints
            .duration_min
            .or(search.constraints.duration_max)
            .unwrap_or(STEP_MINUTES);
        let windows = self.windows.get(&search.host).into_iter().flatten();
        let mut slots: Vec<Slot> = windows
            .flat_map(|window| slots(*window, minutes))
            .filter(|slot| {
                let constraints = &search.constraints;
                constraints.earliest.is_none_or(|it| it <= slot.start())
                    && constraints.latest.is_none_or(|it| slot.end() <= it)
            })
            .collect();
        slots.sort_unstable();
        slots.dedup();
        Found::Proposals(slots.into_iter().map(proposal).collect())
    }

    async fn check(&self, _booking: &Booking, _place: &Place) -> Checked {
        Checked::Free
    }
}

fn slots(window: Slot, minutes: u32) -> impl Iterator<Item = Slot> {
    let length = Duration::from_secs(u64::from(minutes) * 60);
    let step = Duration::from_secs(u64::from(STEP_MINUTES) * 60);
    std::iter::successors(Some(window.start()), move |start| Some(*start + step))
        .map_while(move |start| Slot::new(start, start + length))
        .take_while(move |slot| slot.end() <= window.end())
}

fn proposal(slot: Slot) -> Proposal {
    let terms = Terms {
        offer: None,
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
    use futures_util::FutureExt as _;
    use huddle_core::booking::Constraints;

    use super::*;

    const MINUTE: i64 = 60_000;

    fn did(text: &str) -> Did {
        text.parse().unwrap()
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * MINUTE)
    }

    /// Start and end of what is found, in minutes.
    fn found(windows: &[(i64, i64)], constraints: Constraints) -> Vec<(i64, i64)> {
        let host = did("did:web:ada.example.com");
        let mut listed = ListedWindows::default();
        for (start, end) in windows {
            listed.add(&host, at(*start), at(*end)).unwrap();
        }
        let search = Search {
            host,
            guest: did("did:web:bob.example.com"),
            constraints,
            offer: None,
            approved: false,
            booking: None,
        };
        let found = listed.search(&search).now_or_never().unwrap();
        let Found::Proposals(proposals) = found else {
            panic!("{found:?}");
        };
        proposals
            .iter()
            .map(|proposal| proposal.place.slot)
            .map(|slot| {
                (
                    slot.start().as_millis() / MINUTE,
                    slot.end().as_millis() / MINUTE,
                )
            })
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
}
