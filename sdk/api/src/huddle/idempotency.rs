//! Requests that name themselves, so that sending them again does nothing twice.

use data_encoding::HEXLOWER;
use huddle_core::booking::{BookingId, Refused};
use huddle_core::idempotency::Key;
use huddle_syntax::schema::{Call, Data, ErrorName};
use huddle_xrpc::server::{Failure, OrFault as _, Refusal, Request};
use sha2::{Digest as _, Sha256};

use super::Huddle;

const HEADER: &str = "idempotency-key";
/// Bytes; the same as in the lexicons.
const LONGEST: usize = 128;

/// What every method with an idempotency key takes.
pub(super) trait KeyedInput: Data {
    /// Takes the key out of the body, of which the rest is hashed.
    fn take_key(&mut self) -> Option<String>;
}

/// The errors that every method with an idempotency key declares.
pub(super) trait Keyed: ErrorName {
    const REQUIRED: Self;
    const MISMATCH: Self;
    const IN_FLIGHT: Self;
}

macro_rules! keyed {
    ($($method:ident),+) => {
        $(impl Keyed for huddle_lexicon::com::huddle::$method::Error {
            const REQUIRED: Self = Self::IdempotencyKeyRequired;
            const MISMATCH: Self = Self::IdempotencyMismatch;
            const IN_FLIGHT: Self = Self::IdempotencyInFlight;
        }

        impl KeyedInput for huddle_lexicon::com::huddle::$method::Input {
            fn take_key(&mut self) -> Option<String> {
                self.idempotency_key.take()
            }
        })+
    };
}

keyed!(
    r#match,
    finalize,
    approve_booking,
    decline_booking,
    cancel_booking,
    reschedule_booking,
    put_preferences,
    create_offer,
    delete_offer,
    delete_connector,
    request_email_confirmation,
    confirm_email,
    put_webhook,
    delete_webhook
);

/// What methods that are about one booking take.
pub(super) trait BookingInput: KeyedInput {
    fn booking_id(&self) -> &str;
}

/// The errors of methods that are about one booking.
pub(super) trait OfBooking: Keyed {
    const NOT_FOUND: Self;
}

macro_rules! of_booking {
    ($($method:ident),+) => {
        $(impl OfBooking for huddle_lexicon::com::huddle::$method::Error {
            const NOT_FOUND: Self = Self::BookingNotFound;
        }

        impl BookingInput for huddle_lexicon::com::huddle::$method::Input {
            fn booking_id(&self) -> &str {
                &self.booking_id
            }
        })+
    };
}

of_booking!(
    finalize,
    approve_booking,
    decline_booking,
    cancel_booking,
    reschedule_booking
);

/// A request of its key's caller.
pub(super) struct Named<I> {
    /// What names it.
    pub(super) key: Key,
    /// What it asks, without the key.
    pub(super) input: I,
}

/// Names a request: by its body, or else by its header. A body that says another than the header is what counts, because
/// a PDS that passes the request on drops the header.
pub(super) fn named<M>(request: Request<M>) -> Result<Named<M::Input>, Failure<M::Error>>
where
    M: Call,
    M::Input: KeyedInput,
    M::Error: Keyed,
{
    let caller = request.caller()?.did.clone();
    let mut input = request.input;
    let in_header = || {
        let value = request.headers.get(HEADER)?.to_str().ok()?;
        (1..=LONGEST)
            .contains(&value.len())
            .then(|| value.to_owned())
    };
    let key = input.take_key().or_else(in_header).ok_or(Failure::refused(
        M::Error::REQUIRED,
        "name the request with idempotencyKey, e.g. a fresh UUID",
    ))?;
    let key = Key {
        caller,
        method: M::NSID.to_owned(),
        key,
        body_hash: HEXLOWER.encode(&Sha256::digest(input.to_cbor().or_fault()?)),
    };
    Ok(Named { key, input })
}

/// The booking that a request is about.
pub(super) fn booking_id<E: OfBooking>(input: &impl BookingInput) -> Result<BookingId, E> {
    input.booking_id().parse().map_err(|_| E::NOT_FOUND)
}

impl Huddle {
    pub(super) fn mismatch<E: Keyed>() -> Failure<E> {
        Failure::refused(
            E::MISMATCH,
            "this idempotency key came with another body before",
        )
    }

    pub(super) fn in_flight<E: Keyed>(&self, retry_at: huddle_ports::Timestamp) -> Failure<E> {
        let refusal = Refusal::new(E::IN_FLIGHT, "the first request with this key still runs");
        refusal
            .with_retry_after(self.seconds_until(retry_at))
            .into()
    }

    /// What a refusal is called in the lexicon.
    pub(super) fn refused<E: OfBooking, R>(
        &self,
        refused: Refused<R>,
        because: impl FnOnce(R) -> E,
    ) -> Failure<E> {
        match refused {
            Refused::NotFound => E::NOT_FOUND.into(),
            Refused::Mismatch => Self::mismatch(),
            Refused::InFlight { retry_at } => self.in_flight(retry_at),
            Refused::Because(why) => because(why).into(),
        }
    }
}
