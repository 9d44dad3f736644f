//! Slot tokens: a slot that was told to one guest, signed, so that nobody can ask for one that was not.

use data_encoding::BASE64URL_NOPAD;
use hmac::Mac as _;
use huddle_ports::Timestamp;

use super::DisclosureKey;
use crate::interval::Interval;

/// The most characters of a token, as `com.huddle.defs#slotView` has it.
pub const MAX_TOKEN: usize = 2048;

/// Tells this use of the key, and this form of the token, from any other.
const PURPOSE: &[u8] = b"huddle slot token 1";

/// The bytes of the code that ends a token.
const CODE: usize = 32;

/// The bytes of a moment.
const MOMENT: usize = size_of::<i64>();

/// A slot that was told to a guest.
///
/// ```
/// use huddle_ports::Timestamp;
/// use huddle_schedule::Interval;
/// use huddle_schedule::disclosure::{DisclosureKey, Sides, ToldSlot};
///
/// let at = Timestamp::from_millis;
/// let told = ToldSlot {
///     offer: "at://did:plc:host/com.huddle.slotOffer/3k".to_owned(),
///     slot: Interval::new(at(1_000), at(2_000)).expect("a second"),
///     expires: at(500),
/// };
/// let key = DisclosureKey::new(&[7; 32]);
/// let sides = Sides { host: "did:plc:host", guest: "did:plc:guest" };
/// let token = told.sign(&key, sides)?;
/// assert_eq!(ToldSlot::verify(&key, &token, sides, at(499))?, told);
///
/// let somebody = Sides { guest: "did:plc:somebody", ..sides };
/// assert!(ToldSlot::verify(&key, &token, somebody, at(499)).is_err());
/// # Ok::<(), huddle_schedule::disclosure::InvalidToken>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToldSlot {
    /// The name of the offer that it belongs to.
    pub offer: String,
    /// The slot.
    pub slot: Interval,
    /// The first moment at which the token is no longer good.
    pub expires: Timestamp,
}

/// Whose slot was told to whom. It is not in the token, which is good only for these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sides<'a> {
    /// The host's DID.
    pub host: &'a str,
    /// The guest's DID.
    pub guest: &'a str,
}

/// A token that is not good. Its bearer need not know why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It is not what [`ToldSlot::sign`] makes.
    #[error("the slot token is malformed; list the slots again")]
    Malformed,
    /// It was not made for this host and guest, or not with this key.
    #[error("the slot token was not made for this host and guest; list the slots again")]
    Forged,
    /// Its time is over.
    #[error("the slot token has expired; list the slots again")]
    Expired,
    /// The name of the offer leaves no room in [`MAX_TOKEN`].
    #[error("the name of the offer is too long for a slot token")]
    TooLong,
}

impl ToldSlot {
    /// The token for this slot.
    pub fn sign(&self, key: &DisclosureKey, sides: Sides<'_>) -> Result<String, InvalidToken> {
        let mut bytes = Vec::with_capacity(3 * MOMENT + self.offer.len() + CODE);
        for moment in [self.slot.start(), self.slot.end(), self.expires] {
            bytes.extend_from_slice(&moment.as_millis().to_be_bytes());
        }
        bytes.extend_from_slice(self.offer.as_bytes());
        let code = key.code(
            PURPOSE,
            &[sides.host.as_bytes(), sides.guest.as_bytes(), &bytes],
        );
        bytes.extend_from_slice(&code.finalize().into_bytes());
        let token = BASE64URL_NOPAD.encode(&bytes);
        (token.len() <= MAX_TOKEN)
            .then_some(token)
            .ok_or(InvalidToken::TooLong)
    }

    /// The slot of a token that was made with this key for these sides, and is still good. Codes are compared in
    /// constant time, and nothing of the token is looked at before.
    pub fn verify(
        key: &DisclosureKey,
        token: &str,
        sides: Sides<'_>,
        now: Timestamp,
    ) -> Result<Self, InvalidToken> {
        use InvalidToken::{Expired, Forged, Malformed};
        if token.len() > MAX_TOKEN {
            return Err(Malformed);
        }
        let bytes = BASE64URL_NOPAD
            .decode(token.as_bytes())
            .map_err(|_| Malformed)?;
        let (signed, code) = bytes.split_last_chunk::<CODE>().ok_or(Malformed)?;
        key.code(
            PURPOSE,
            &[sides.host.as_bytes(), sides.guest.as_bytes(), signed],
        )
        .verify_slice(code)
        .map_err(|_| Forged)?;
        let (start, rest) = moment(signed).ok_or(Malformed)?;
        let (end, rest) = moment(rest).ok_or(Malformed)?;
        let (expires, offer) = moment(rest).ok_or(Malformed)?;
        if expires <= now {
            return Err(Expired);
        }
        Ok(Self {
            offer: String::from_utf8(offer.to_vec()).map_err(|_| Malformed)?,
            slot: Interval::new(start, end).ok_or(Malformed)?,
            expires,
        })
    }
}

fn moment(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (millis, rest) = bytes.split_first_chunk::<MOMENT>()?;
    Some((Timestamp::from_millis(i64::from_be_bytes(*millis)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: Sides<'_> = Sides {
        host: "did:plc:ana",
        guest: "did:plc:ben",
    };

    fn key(byte: u8) -> DisclosureKey {
        DisclosureKey::new(&[byte; 32])
    }

    fn told(offer: &str) -> ToldSlot {
        let at = Timestamp::from_millis;
        ToldSlot {
            offer: offer.to_owned(),
            slot: Interval::new(at(10_000), at(20_000)).unwrap(),
            expires: at(5_000),
        }
    }

    fn verify(byte: u8, token: &str, sides: Sides<'_>, now: i64) -> Result<ToldSlot, InvalidToken> {
        ToldSlot::verify(&key(byte), token, sides, Timestamp::from_millis(now))
    }

    #[test]
    fn a_token_is_good_until_its_end_and_no_longer() {
        let token = told("offer").sign(&key(1), SIDES).unwrap();
        assert_eq!(verify(1, &token, SIDES, 4_999), Ok(told("offer")));
        assert_eq!(verify(1, &token, SIDES, 5_000), Err(InvalidToken::Expired));
    }

    #[test]
    fn a_token_is_good_for_its_sides_and_key_only() {
        let token = told("offer").sign(&key(1), SIDES).unwrap();
        let Sides { host, guest } = SIDES;
        for sides in [
            Sides {
                host: guest,
                guest: host,
            },
            Sides {
                guest: "did:plc:bo",
                ..SIDES
            },
            // The same bytes, one after the other.
            Sides {
                host: "did:plc:anad",
                guest: "id:plc:ben",
            },
        ] {
            assert_eq!(
                verify(1, &token, sides, 0),
                Err(InvalidToken::Forged),
                "{sides:?}"
            );
        }
        assert_eq!(verify(2, &token, SIDES, 0), Err(InvalidToken::Forged));
    }

    #[test]
    fn no_character_of_a_token_can_be_changed() {
        let token = told("offer").sign(&key(1), SIDES).unwrap();
        for position in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[position] = if changed[position] == b'A' {
                b'B'
            } else {
                b'A'
            };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(1, &changed, SIDES, 0).is_err(), "{position}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "",
            "A",
            "====",
            "not a token",
            &"A".repeat(43),
            &"A".repeat(5000),
        ] {
            assert!(verify(1, text, SIDES, 0).is_err(), "{text}");
        }
        let longest = told(&"x".repeat(1480)).sign(&key(1), SIDES).unwrap();
        assert_eq!(longest.len(), MAX_TOKEN);
        assert!(verify(1, &longest, SIDES, 0).is_ok());
        let longer = told(&"x".repeat(1481)).sign(&key(1), SIDES);
        assert_eq!(longer, Err(InvalidToken::TooLong));
    }
}
