//! How an address is entered, confirmed, and found again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use huddle_ports::{Random, Timestamp};
use huddle_syntax::Did;
use sha2::{Digest as _, Sha256};

use super::EmailAddress;
use crate::actor::ActorName;
use crate::idempotency::Key;
use crate::rate_limiter::{Nonce, Rate, Spend, Verdict};
use crate::transport::{ActorTransport, Unreachable, ask};
use crate::user_connector::addresses::{
    ConfirmAddress, ConfirmAddressRefused, ReadAddress, SetAddress, SetAddressRefused,
    StoredAddress, about,
};
use crate::user_connector::sealing::{KeyRing, Sealed};

/// How long a token is good for.
pub(crate) const TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// Letters that one account may have sent to addresses that nobody has confirmed yet.
const A_DAY_BY_ACCOUNT: u32 = 5;
/// Letters that one mailbox may get before it is confirmed, whoever asks for them.
const A_DAY_TO_MAILBOX: u32 = 3;
/// A bucket gains so many times what comes in a minute.
const MINUTES_A_DAY: u32 = 24 * 60;

/// The addresses of people, which are stored sealed, and the tokens that confirm them.
#[derive(Clone)]
pub struct Addresses {
    keys: KeyRing,
    random: Arc<dyn Random>,
}

/// Why an address is not asked for confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskRefused {
    /// The key came with another body before.
    Mismatch,
    /// This account, or this mailbox, has had enough of it for now.
    TooOften {
        /// When it may be asked for again.
        retry_at: Timestamp,
    },
}

/// Why an address is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmRefused {
    /// The key came with another body before.
    Mismatch,
    /// The token is not one of this person's, or was used or replaced.
    Invalid,
    /// The token came too late.
    Expired,
}

impl Addresses {
    /// Addresses that are sealed with these keys.
    pub fn new(keys: KeyRing, random: Arc<dyn Random>) -> Self {
        Self { keys, random }
    }

    /// Sets the address of whoever asks, and has a token sent there. Says until when the token can be used.
    ///
    /// Nobody gets more than a few such letters a day, whoever asks for them.
    pub async fn ask_to_confirm(
        &self,
        actors: &dyn ActorTransport,
        key: Key,
        address: &EmailAddress,
        now: Timestamp,
    ) -> Result<Result<Timestamp, AskRefused>, Unreachable> {
        if let Some(retry_at) = self.spend(actors, &key, address, now).await? {
            return Ok(Err(AskRefused::TooOften { retry_at }));
        }
        let person = key.caller.clone();
        let mut mark = [0; 10];
        self.random.fill(&mut mark);
        let plain = address.as_str().as_bytes();
        let actor = ActorName::user_connector(&person);
        let set = SetAddress {
            sealed: self.keys.seal(&*self.random, &about(&actor), plain),
            mark: BASE32_NOPAD.encode(&mark).to_ascii_lowercase(),
            expires: now + TOKEN_LIFETIME,
            key,
        };
        let set = ask(actors, &actor, set).await?;
        Ok(set.map_err(|SetAddressRefused::Mismatch| AskRefused::Mismatch))
    }

    /// Spends what one such letter costs; `Some` says when there is enough for it.
    async fn spend(
        &self,
        actors: &dyn ActorTransport,
        key: &Key,
        address: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Unreachable> {
        let mailbox = BASE64URL_NOPAD.encode(&Sha256::digest(address.mailbox()));
        for (allowance, a_day) in [
            (format!("mail-by/{}", key.caller), A_DAY_BY_ACCOUNT),
            (format!("mail-to/{mailbox}"), A_DAY_TO_MAILBOX),
        ] {
            let spend = Spend {
                rate: Rate {
                    per_minute: a_day,
                    burst: a_day * MINUTES_A_DAY,
                },
                cost: MINUTES_A_DAY,
                // A request that is sent again costs nothing more.
                nonce: Some(Nonce {
                    text: format!("{} {}", key.caller, key.key),
                    forget: now + TOKEN_LIFETIME,
                }),
            };
            let allowance = ActorName::rate_limiter(&allowance);
            match ask(actors, &allowance, spend).await? {
                Verdict::Allowed { .. } | Verdict::Replayed => {}
                Verdict::Limited { retry_at, .. } => return Ok(Some(retry_at)),
            }
        }
        Ok(None)
    }

    /// Takes the token that was mailed to somebody.
    pub async fn confirm(
        &self,
        actors: &dyn ActorTransport,
        key: Key,
        token: &str,
    ) -> Result<Result<(), ConfirmRefused>, Unreachable> {
        let person = key.caller.clone();
        let Some(mark) = self.mark(&person, token) else {
            return Ok(Err(ConfirmRefused::Invalid));
        };
        let confirm = ConfirmAddress { key, mark };
        let confirmed = ask(actors, &ActorName::user_connector(&person), confirm).await?;
        Ok(confirmed.map_err(|why| match why {
            ConfirmAddressRefused::Mismatch => ConfirmRefused::Mismatch,
            ConfirmAddressRefused::Used => ConfirmRefused::Invalid,
            ConfirmAddressRefused::Expired => ConfirmRefused::Expired,
        }))
    }

    /// The address of somebody as it stands, and whether it is confirmed. What cannot be opened, say because its key was
    /// taken away, is none.
    pub async fn of(
        &self,
        actors: &dyn ActorTransport,
        person: &Did,
    ) -> Result<Option<(EmailAddress, bool)>, Unreachable> {
        let stored = stored(actors, person).await?;
        Ok(stored.and_then(|stored| Some((self.open(person, &stored)?, stored.confirmed))))
    }

    /// Where mail to somebody goes: an address that they have confirmed.
    pub(crate) async fn confirmed(
        &self,
        actors: &dyn ActorTransport,
        person: &Did,
    ) -> Result<Option<EmailAddress>, Unreachable> {
        let address = self.of(actors, person).await?;
        Ok(address.and_then(|(address, confirmed)| confirmed.then_some(address)))
    }

    /// The address that waits for the token of this mark, if it still does, and until when.
    pub(crate) async fn waiting(
        &self,
        actors: &dyn ActorTransport,
        person: &Did,
        mark: &str,
        now: Timestamp,
    ) -> Result<Option<(EmailAddress, Timestamp)>, Unreachable> {
        let stored = stored(actors, person).await?;
        let waiting =
            stored.filter(|stored| stored.mark.as_deref() == Some(mark) && now < stored.expires);
        Ok(waiting.and_then(|stored| Some((self.open(person, &stored)?, stored.expires))))
    }

    /// What shows that a letter was read: it opens as this person's, and as nothing else. Two of one mark are good for the
    /// same, and once.
    pub(crate) fn token(&self, person: &Did, mark: &str) -> String {
        let about = token_about(person);
        let token = self.keys.seal(&*self.random, &about, mark.as_bytes());
        token.as_str().to_owned()
    }

    fn mark(&self, person: &Did, token: &str) -> Option<String> {
        let token = Sealed::from(token.to_owned());
        let mark = self.keys.open(&token_about(person), &token).ok()?;
        String::from_utf8(mark.to_vec()).ok()
    }

    fn open(&self, person: &Did, stored: &StoredAddress) -> Option<EmailAddress> {
        let plain = self
            .keys
            .open(&about(&ActorName::user_connector(person)), &stored.sealed)
            .ok()?;
        std::str::from_utf8(&plain).ok()?.parse().ok()
    }
}

async fn stored(
    actors: &dyn ActorTransport,
    person: &Did,
) -> Result<Option<StoredAddress>, Unreachable> {
    ask(actors, &ActorName::user_connector(person), ReadAddress {}).await
}

fn token_about(person: &Did) -> String {
    format!("mail address confirmed by {person}")
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").finish_non_exhaustive()
    }
}
