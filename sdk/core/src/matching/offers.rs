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
