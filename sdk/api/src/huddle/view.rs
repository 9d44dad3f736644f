//! A booking as its two parties see it.

use huddle_core::Interval;
use huddle_core::booking::{Booking, By, Event, EventKind, GuestSide, Mode, Phase, Place, Waiting};
use huddle_lexicon::com::huddle::defs;
use huddle_ports::Timestamp;
use huddle_syntax::schema::TextEnum;
use huddle_syntax::{Datetime, SyntaxError};

use super::{Called, constraints};

/// Seconds after which to look again at a booking that changes by itself.
const POLL_SECS: i64 = 2;

pub(super) fn booking(booking: &Booking) -> Result<defs::BookingView, SyntaxError> {
    let place = booking.phase.place();
    let terms = booking.terms();
    let mut view = defs::BookingView::new(
        booking.id.as_str(),
        status(&booking.phase),
        mode(terms.map_or(Mode::Auto, |terms| terms.mode)),
        booking.asked.host.clone(),
        booking.asked.guest.clone(),
        guest_side(terms.map_or(GuestSide::Unchecked, |terms| terms.guest_side)),
        booking.sequence.into(),
        datetime(booking.created_at)?,
        datetime(booking.updated_at)?,
    );
    if let Some(Place { slot, .. }) = place {
        view.start = Some(datetime(slot.start())?);
        view.end = Some(datetime(slot.end())?);
    }
    view.tz = terms.map(|terms| terms.tz.clone());
    view.offer_uri = terms
        .and_then(|terms| terms.offer.clone())
        .or_else(|| booking.asked.offer.clone());
    view.constraints = constraints::write(&booking.asked.constraints)?;
    view.request_uri.clone_from(&booking.asked.request);
    view.note.clone_from(&booking.asked.note);
    view.reason.clone_from(&booking.reason);
    view.poll_after_seconds = booking.lease.map(|_| POLL_SECS);
    match &booking.phase {
        Phase::Held { until, .. } => view.hold_expires_at = Some(datetime(*until)?),
        Phase::Pending {
            waiting: Waiting::Approval,
            until,
        } => {
            view.approve_by = Some(datetime(*until)?);
            view.waiting_for = Some(defs::BookingViewWaitingFor::Approval);
        }
        Phase::Pending {
            waiting: Waiting::Calendar,
            ..
        } => view.waiting_for = Some(defs::BookingViewWaitingFor::Calendar),
        _ => {}
    }
    Ok(view)
}

/// The same, with what the two are called.
pub(super) fn called(booking: &Booking, called: &Called) -> Result<defs::BookingView, SyntaxError> {
    let mut view = self::booking(booking)?;
    let handle = |did| called.get(did).and_then(|names| names.handle.clone());
    view.host_handle = handle(&view.host_did);
    view.guest_handle = handle(&view.guest_did);
    Ok(view)
}

pub(super) fn history(booking: &Booking) -> Result<Vec<defs::BookingEvent>, SyntaxError> {
    booking.history.iter().map(event).collect()
}

fn event(event: &Event) -> Result<defs::BookingEvent, SyntaxError> {
    use defs::BookingEventBy as Who;
    use defs::BookingEventEvent as What;

    let what = match event.kind {
        EventKind::Requested => What::Requested,
        EventKind::Held => What::Held,
        EventKind::Approved => What::Approved,
        EventKind::Confirmed => What::Confirmed,
        EventKind::Rescheduled => What::Rescheduled,
        EventKind::Declined => What::Declined,
        EventKind::Canceled => What::Canceled,
        EventKind::Expired => What::Expired,
    };
    let by = match event.by {
        By::Host => Who::Host,
        By::Guest => Who::Guest,
        By::Service => Who::Service,
    };
    let mut view = defs::BookingEvent::new(datetime(event.at)?, what, by);
    view.start = event.slot.map(Interval::start).map(datetime).transpose()?;
    view.end = event.slot.map(Interval::end).map(datetime).transpose()?;
    Ok(view)
}

/// The lexicon's words are those that lists know.
fn status(phase: &Phase) -> defs::BookingStatus {
    TextEnum::from_text(phase.word()).expect("an open set has a value for every text")
}

fn mode(mode: Mode) -> defs::Mode {
    match mode {
        Mode::Auto => defs::Mode::Auto,
        Mode::Pick => defs::Mode::Pick,
        Mode::Approve => defs::Mode::Approve,
    }
}

pub(super) fn guest_side(side: GuestSide) -> defs::GuestSide {
    match side {
        GuestSide::Checked => defs::GuestSide::Checked,
        GuestSide::Unchecked => defs::GuestSide::Unchecked,
    }
}

pub(super) fn datetime(moment: Timestamp) -> Result<Datetime, SyntaxError> {
    Datetime::from_timestamp_millis(moment.as_millis())
}

#[cfg(test)]
mod tests {
    use huddle_core::booking::{Attempt, Expiry, Terms};

    use super::*;

    #[test]
    fn every_phase_has_a_word_that_the_lexicon_names() {
        let until = Timestamp::UNIX_EPOCH;
        let place = || Place {
            slot: Interval::new(until, Timestamp::MAX).unwrap(),
            terms: Terms {
                offer: None,
                tz: "UTC".to_owned(),
                mode: Mode::Auto,
                guest_side: GuestSide::Checked,
            },
        };
        let waiting = Waiting::Search;
        for phase in [
            Phase::Pending { waiting, until },
            Phase::Held {
                place: place(),
                until,
                accepted: false,
            },
            Phase::Finalizing {
                place: place(),
                until,
            },
            Phase::Confirmed {
                attempt: Attempt::FIRST,
                place: place(),
                change: None,
            },
            Phase::Unmatched,
            Phase::Declined,
            Phase::Canceled {
                place: Some(place()),
            },
            Phase::Expired(Expiry::Hold),
        ] {
            let status = status(&phase);
            assert!(
                defs::BookingStatus::VALUES.contains(&status.as_str()),
                "{status}"
            );
        }
    }
}
