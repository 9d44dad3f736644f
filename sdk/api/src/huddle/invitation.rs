//! A booking as a party downloads it for their calendar.

use huddle_core::booking::Booking;
use huddle_core::host_match::Role;
use huddle_core::invitation;
use huddle_schedule::icalendar::WriteError;
use huddle_syntax::Did;

use super::Called;

/// The invitation to a booking, or its cancellation, as `reader` has it; `None` if it was never confirmed.
pub(super) fn write(
    booking: &Booking,
    reader: &Did,
    called: &Called,
) -> Result<Option<String>, WriteError> {
    let reader = booking.role(reader).unwrap_or(Role::Guest);
    let invitation = invitation::of(booking, reader, called)?;
    invitation.map(|invitation| invitation.write()).transpose()
}
