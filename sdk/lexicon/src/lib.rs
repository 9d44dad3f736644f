//! Typed `com.huddle.*` records and methods, generated from `lexicons/`, along with those of
//! `com.atproto.*` and `app.bsky.*` that they refer to or that the AppView calls.
//!
//! Each lexicon is the module that its NSID names; a record is a struct, a method is a marker type
//! with its parameters, bodies and errors beside it. Decoding checks every constraint of the lexicon,
//! encoding does too, and what a lexicon does not name is kept:
//!
//! ```
//! use huddle_lexicon::com::huddle::defs::Policy;
//! use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
//! use huddle_lexicon::schema::Data;
//!
//! let mut offer = SlotOffer::new(
//!     "2026-12-01T10:00:00Z".parse()?,
//!     "2026-12-01T12:00:00Z".parse()?,
//!     Policy::Connected,
//!     "2026-11-20T08:30:00.000Z".parse()?,
//! );
//! offer.durations = Some(vec![30, 60]);
//! let record = offer.to_cbor()?;
//! assert_eq!(SlotOffer::from_cbor(&record)?, offer);
//!
//! offer.durations = Some(vec![30, 3]);
//! let error = offer.valid().unwrap_err();
//! assert_eq!(error.to_string(), "durations/1: is 3, and must be at least 5");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[rustfmt::skip]
mod generated;

pub use self::generated::*;
pub use huddle_syntax::schema;

/// The authority of Huddle's own lexicons: each of their NSIDs starts with it and a dot.
pub const NSID_AUTHORITY: &str = "com.huddle";
