//! Requests that name themselves, so that sending them again does nothing twice.

use data_encoding::HEXLOWER;
use huddle_core::booking::Refused;
use huddle_core::idempotency::Key;
use huddle_ports::HeaderMap;
use huddle_syntax::Did;
use huddle_syntax::schema::{Call, Data, ErrorName};
use huddle_xrpc::server::{Failure, OrFault as _, Refusal};
use sha2::{Digest as _, Sha256};

use super::Huddle;

const HEADER: &str = "idempotency-key";
/// Bytes; the same as in the lexicons.
const LONGEST: usize = 128;

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
    delete_offer
);

/// The errors of methods that are about one booking.
pub(super) trait OfBooking: Keyed {
    const NOT_FOUND: Self;
}

macro_rules! of_booking {
    ($($method:ident),+) => {
        $(impl OfBooking for huddle_lexicon::com::huddle::$method::Error {
            const NOT_FOUND: Self = Self::BookingNotFound;
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

/// The key of a request: `in_body`, or else the header's. A body that says another than the header is
/// what counts, because a PDS that passes the request on drops the header.
pub(super) fn key<M>(
    headers: &HeaderMap,
    caller: &Did,
    in_body: Option<String>,
    without_key: &M::Input,
) -> Result<Key, Failure<M::Error>>
where
    M: Call,
    M::Input: Data,
    M::Error: Keyed,
{
    let in_header = || {
        let value = headers.get(HEADER)?.to_str().ok()?;
        (1..=LONGEST)
            .contains(&value.len())
            .then(|| value.to_owned())
    };
    let key = in_body.or_else(in_header).ok_or(Failure::refused(
        M::Error::REQUIRED,
        "name the request with idempotencyKey, e.g. a fresh UUID",
    ))?;
    Ok(Key {
        caller: caller.clone(),
        method: M::NSID.to_owned(),
        key,
        body_hash: HEXLOWER.encode(&Sha256::digest(without_key.to_cbor().or_fault()?)),
    })
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
