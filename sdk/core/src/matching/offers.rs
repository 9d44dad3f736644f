//! What a record offers.
//!
//! Whatever of a record cannot be read offers nothing, rather than something that the host did not mean. A zone or a
//! date that is unknown takes all of the offer with it, because what was to be closed would be open.

use std::num::NonZeroU16;

use huddle_lexicon::com::huddle::defs;
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_ports::Timestamp;
use huddle_schedule::{Circle, Interval, Mode, Offer, Times, Zone};
use huddle_syntax::Datetime;
use huddle_syntax::schema::Data as _;

use crate::index::offers::{self, Kind};

/// What a record of the index offers; `None` is nothing.
pub(super) fn stored(stored: &offers::Offer) -> Option<Offer> {
    let record = stored.record.as_bytes();
    match stored.kind {
        Kind::SlotOffer => slot_offer(&SlotOffer::from_json(record).ok()?),
        Kind::OfficeHours => office_hours(&OfficeHours::from_json(record).ok()?),
    }
}

/// What a `com.huddle.slotOffer` offers; `None` is nothing.
pub fn slot_offer(record: &SlotOffer) -> Option<Offer> {
    let moment = |datetime: &Datetime| Timestamp::from_millis(datetime.timestamp_millis());
    let window = Interval::new(moment(&record.start), moment(&record.end))?;
    let zone = match &record.tz {
        Some(name) => name.parse().ok()?,
        None => Zone::UTC,
    };
    Some(Offer {
        times: Times::Once { window, zone },
        policy: policy(&record.policy),
        mode: mode(record.mode.as_ref()),
        durations: durations(record.durations.as_deref())?,
    })
}

/// What a `com.huddle.officeHours` offers; `None` is nothing.
pub fn office_hours(record: &OfficeHours) -> Option<Offer> {
    // The schedule reads of the record itself what tells times.
    let hours = serde_json::from_slice(&record.to_json().ok()?).ok()?;
    Some(Offer {
        times: Times::Weekly(hours),
        policy: policy(&record.policy),
        mode: mode(record.mode.as_ref()),
        durations: durations(record.durations.as_deref())?,
    })
}

fn policy(policy: &defs::Policy) -> Option<Circle> {
    policy.as_str().parse().ok()
}

fn mode(mode: Option<&defs::Mode>) -> Option<Mode> {
    match mode {
        None | Some(defs::Mode::Auto) => Some(Mode::Auto),
        Some(defs::Mode::Pick) => Some(Mode::Pick),
        Some(defs::Mode::Approve) => Some(Mode::Approve),
        Some(defs::Mode::Other(_)) => None,
    }
}

/// The lengths that a record names; none where it leaves them to the host's preferences. Of a list those that can be
/// had stand, and where there are none of them there is no offer.
fn durations(minutes: Option<&[i64]>) -> Option<Vec<NonZeroU16>> {
    let Some(minutes) = minutes else {
        return Some(Vec::new());
    };
    let lengths: Vec<_> = minutes
        .iter()
        .filter_map(|minutes| u16::try_from(*minutes).ok().and_then(NonZeroU16::new))
        .collect();
    (!lengths.is_empty()).then_some(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT_OFFER: &str = r#"{"$type": "com.huddle.slotOffer", "createdAt": "2026-06-01T00:00:00Z",
        "start": "2026-06-02T09:00:00+02:00", "end": "2026-06-02T10:00:00Z", "policy": "anyone"}"#;

    const OFFICE_HOURS: &str = r#"{"$type": "com.huddle.officeHours", "createdAt": "2026-06-01T00:00:00Z",
        "tz": "UTC", "rules": [{"days": ["TU"], "start": "07:00", "end": "10:00"}], "policy": "anyone"}"#;

    /// The record with other fields, which are JSON without braces.
    fn with(record: &str, fields: &str) -> String {
        let mut json: serde_json::Value = serde_json::from_str(record).unwrap();
        let fields: serde_json::Value = serde_json::from_str(&format!("{{{fields}}}")).unwrap();
        let fields = fields.as_object().unwrap().clone();
        json.as_object_mut().unwrap().extend(fields);
        json.to_string()
    }

    fn read(json: &str) -> Option<Offer> {
        if json.contains("com.huddle.slotOffer") {
            slot_offer(&SlotOffer::from_json(json.as_bytes()).unwrap())
        } else {
            office_hours(&OfficeHours::from_json(json.as_bytes()).unwrap())
        }
    }

    /// When the offer is open on 2026-06-02, in hours of UTC.
    fn windows(offer: &Offer) -> Vec<(i64, i64)> {
        let day = Zone::UTC.day("2026-06-02".parse().unwrap()).unwrap();
        let windows = match &offer.times {
            Times::Once { window, .. } => (*window).into(),
            Times::Weekly(hours) => hours.windows(day),
        };
        let hour = |moment: Timestamp| (moment.as_secs() - day.start().as_secs()) / 3600;
        let hours = windows.iter().map(|it| (hour(it.start()), hour(it.end())));
        hours.collect()
    }

    #[track_caller]
    fn check(record: &str, fields: &str, expect: impl FnOnce(Option<Offer>) -> bool) {
        let json = with(record, fields);
        assert!(expect(read(&json)), "{json}");
    }

    #[track_caller]
    fn check_both(fields: &str, expect: impl Fn(Option<Offer>) -> bool) {
        check(SLOT_OFFER, fields, &expect);
        check(OFFICE_HOURS, fields, &expect);
    }

    #[test]
    fn an_offer_stands_as_it_is_written() {
        check_both("", |offer| {
            let offer = offer.unwrap();
            offer.policy == Some(Circle::Anyone)
                && offer.mode == Some(Mode::Auto)
                && offer.durations.is_empty()
                && offer.times.zone() == Zone::UTC
                && windows(&offer) == [(7, 10)]
        });
    }

    #[test]
    fn who_may_book_is_read_and_an_unknown_policy_admits_nobody() {
        for (policy, circle) in [
            ("mutual", Some(Circle::Mutual)),
            ("connected", Some(Circle::Connected)),
            ("follower", Some(Circle::Follower)),
            ("anyone", Some(Circle::Anyone)),
            ("Anyone", None),
            ("", None),
            ("vip", None),
        ] {
            let fields = format!(r#""policy": "{policy}""#);
            check_both(&fields, |offer| offer.unwrap().policy == circle);
        }
    }

    #[test]
    fn how_to_book_is_read_and_an_unknown_mode_cannot_be() {
        for (name, mode) in [
            ("auto", Some(Mode::Auto)),
            ("pick", Some(Mode::Pick)),
            ("approve", Some(Mode::Approve)),
            ("Auto", None),
            ("lottery", None),
        ] {
            let fields = format!(r#""mode": "{name}""#);
            check_both(&fields, |offer| offer.unwrap().mode == mode);
        }
    }

    #[test]
    fn lengths_are_read_in_their_order() {
        check_both(r#""durations": [60, 15]"#, |offer| {
            offer
                .unwrap()
                .durations
                .iter()
                .map(|it| it.get())
                .eq([60, 15])
        });
        // The lexicon lets none of these in; a record that was not read by it offers nothing with them.
        let at = || "2026-06-02T09:00:00Z".parse::<Datetime>().unwrap();
        let end = "2026-06-02T10:00:00Z".parse().unwrap();
        let mut record = SlotOffer::new(at(), end, defs::Policy::Anyone, at());
        for (durations, expect) in [
            (vec![], None),
            (vec![0, -5, 70_000], None),
            (vec![0, 30], Some(vec![30])),
        ] {
            record.durations = Some(durations);
            let read = slot_offer(&record);
            let lengths = read.map(|it| it.durations.iter().map(|it| it.get()).collect::<Vec<_>>());
            assert_eq!(lengths, expect);
        }
    }

    #[test]
    fn a_window_that_does_not_end_after_its_start_is_none() {
        for end in ["2026-06-02T09:00:00+02:00", "2026-06-02T08:00:00+02:00"] {
            check(SLOT_OFFER, &format!(r#""end": "{end}""#), |offer| {
                offer.is_none()
            });
        }
    }

    #[test]
    fn a_zone_that_is_unknown_takes_the_offer_with_it() {
        for zone in ["Mars/Olympus", "europe/berlin", "CEST", "+02:00"] {
            check_both(&format!(r#""tz": "{zone}""#), |offer| offer.is_none());
        }
        check_both(r#""tz": "Asia/Kathmandu""#, |offer| {
            offer.unwrap().times.zone().name() == "Asia/Kathmandu"
        });
    }

    #[test]
    fn a_time_of_another_form_makes_no_window_and_the_others_stand() {
        for (start, end) in [
            ("7:000", "10:00"),
            ("07.00", "10:00"),
            ("07:00", "25:00"),
            ("07:00", "10:60"),
            ("24:00", "10:00"),
            ("07:00", "07:00"),
        ] {
            let rule = |start: &str, end: &str| {
                format!(r#"{{"days": ["TU"], "start": "{start}", "end": "{end}"}}"#)
            };
            let rules = format!(
                r#""rules": [{}, {}]"#,
                rule(start, end),
                rule("12:00", "13:00")
            );
            check(OFFICE_HOURS, &rules, |offer| {
                windows(&offer.unwrap()) == [(12, 13)]
            });
        }
    }

    #[test]
    fn overrides_take_the_place_of_the_rules_on_their_dates() {
        let overrides = |date: &str, windows: &str| {
            format!(r#""overrides": [{{"date": "{date}", "windows": [{windows}]}}]"#)
        };
        let (noon, broken) = (
            r#"{"start": "12:00", "end": "13:00"}"#,
            r#"{"start": "12h00", "end": "13:00"}"#,
        );
        for (date, open, expect) in [
            ("2026-06-02", "", vec![]),
            ("2026-06-02", noon, vec![(12, 13)]),
            ("2026-06-02", broken, vec![]),
            ("2026-06-03", noon, vec![(7, 10)]),
        ] {
            let fields = overrides(date, open);
            check(OFFICE_HOURS, &fields, |offer| {
                windows(&offer.unwrap()) == expect
            });
        }
        // What was to be closed would be open.
        for date in ["2026-06-31", "2026/06/02", "02-06-2026"] {
            check(OFFICE_HOURS, &overrides(date, ""), |offer| offer.is_none());
        }
    }

    #[test]
    fn hours_hold_from_their_first_date_to_their_last() {
        for (fields, expect) in [
            (
                r#""validFrom": "2026-06-02", "validUntil": "2026-06-02""#,
                true,
            ),
            (r#""validFrom": "2026-06-03""#, false),
            (r#""validUntil": "2026-06-01""#, false),
        ] {
            check(OFFICE_HOURS, fields, |offer| {
                windows(&offer.unwrap()).is_empty() != expect
            });
        }
        for fields in [
            r#""validFrom": "2026-6-002""#,
            r#""validUntil": "tomorrow!!""#,
        ] {
            check(OFFICE_HOURS, fields, |offer| offer.is_none());
        }
    }

    #[test]
    fn a_record_of_the_index_is_read_by_its_kind() {
        let stored_as = |kind, record: &str| {
            stored(&offers::Offer {
                uri: "at://did:web:ada.example.com/com.huddle.slotOffer/a"
                    .parse()
                    .unwrap(),
                cid: "bafy".into(),
                host: "did:web:ada.example.com".parse().unwrap(),
                kind,
                record: record.into(),
                indexed: Timestamp::UNIX_EPOCH,
            })
        };
        assert_eq!(stored_as(Kind::SlotOffer, SLOT_OFFER), read(SLOT_OFFER));
        assert_eq!(
            stored_as(Kind::OfficeHours, OFFICE_HOURS),
            read(OFFICE_HOURS)
        );
        assert_eq!(stored_as(Kind::OfficeHours, SLOT_OFFER), None);
        assert_eq!(stored_as(Kind::SlotOffer, "{}"), None);
    }
}
