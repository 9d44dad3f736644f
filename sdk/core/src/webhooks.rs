//! Webhooks: where people have the news of their bookings posted, and how a receiver knows that they are from here.
//!
//! Messages are signed as Standard Webhooks 1.0.0 has it, with a secret that whoever sets an address is told once:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>. The address may lead
//! into an app by a token in it, so it is sealed as the secret is, and shown to nobody.

use std::fmt;
use std::sync::Arc;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use huddle_ports::{FetchPolicy, Random, Timestamp, Url};
use huddle_syntax::Did;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::actor::ActorName;
use crate::idempotency::Key;
use crate::transport::{ActorTransport, Unreachable, ask};
use crate::user_connector::sealing::{CannotOpen, KeyRing, Sealed};
use crate::user_connector::webhook::{
    NotePost, Posted, ReadWebhook, RemoveWebhook, SetWebhook, SetWebhookRefused, StoredWebhook,
    WebhookMismatch, about,
};

/// What stands before the Base64 of a secret, so that people and scanners know one when they see it.
const SECRET_PREFIX: &str = "whsec_";

/// The longest address, in bytes.
const MAX_URL: usize = 2048;

/// The addresses of people, which are stored sealed.
#[derive(Clone)]
pub struct Webhooks {
    keys: KeyRing,
    random: Arc<dyn Random>,
    policy: FetchPolicy,
}

/// Where somebody's news is posted, and how that goes.
pub struct Webhook {
    address: Address,
    stored: StoredWebhook,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Address {
    url: Zeroizing<String>,
    secret: Zeroizing<String>,
}

/// Why it is not known whether an address is set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSet {
    /// The actor gave no answer.
    #[error(transparent)]
    Actor(#[from] Unreachable),
    /// What the same request has set before is sealed with a key that is gone.
    #[error("what was set before {0}")]
    Sealed(#[from] CannotOpen),
}

/// Why an address is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetRefused {
    /// The key came with another body before.
    Mismatch,
    /// The same request has set it before, and it was removed or set anew since: its secret is told no more.
    Replaced,
    /// Nothing may be posted there, for all that can be said without looking its host up.
    Url,
}

impl Webhooks {
    /// Addresses that are sealed with these keys. None is taken that `policy` forbids: that of the network over which
    /// they are reached, which looks at each request once more.
    pub fn new(keys: KeyRing, random: Arc<dyn Random>, policy: FetchPolicy) -> Self {
        Self {
            keys,
            random,
            policy,
        }
    }

    /// Sets the address of whoever asks, and gives the secret that what comes there is signed with.
    pub async fn set(
        &self,
        actors: &dyn ActorTransport,
        key: Key,
        url: &str,
    ) -> Result<Result<Zeroizing<String>, SetRefused>, NotSet> {
        let allowed = Url::parse(url).ok().filter(|url| self.is_allowed(url));
        let Some(url) = allowed else {
            return Ok(Err(SetRefused::Url));
        };
        let mut secret = Zeroizing::new([0; 32]);
        self.random.fill(&mut *secret);
        let address = Address {
            url: Zeroizing::new(url.into()),
            secret: Zeroizing::new(format!("{SECRET_PREFIX}{}", BASE64.encode(&*secret))),
        };
        let actor = ActorName::user_connector(&key.caller);
        let sealed = self
            .keys
            .seal(&*self.random, &about(&actor), &address.write());
        let set = match ask(actors, &actor, SetWebhook { key, sealed }).await? {
            Ok(set) => set,
            Err(SetWebhookRefused::Mismatch) => return Ok(Err(SetRefused::Mismatch)),
            Err(SetWebhookRefused::Replaced) => return Ok(Err(SetRefused::Replaced)),
        };
        // Of the same requests the first one has set it.
        Ok(Ok(self.open(&actor, &set)?.secret))
    }

    /// Forgets the address of whoever asks.
    pub async fn remove(
        &self,
        actors: &dyn ActorTransport,
        key: Key,
    ) -> Result<Result<(), WebhookMismatch>, Unreachable> {
        let actor = ActorName::user_connector(&key.caller);
        ask(actors, &actor, RemoveWebhook { key }).await
    }

    /// Where somebody's news is posted. What cannot be opened, say because its key was taken away, is nowhere.
    pub async fn of(
        &self,
        actors: &dyn ActorTransport,
        person: &Did,
    ) -> Result<Option<Webhook>, Unreachable> {
        let actor = ActorName::user_connector(person);
        let stored = ask(actors, &actor, ReadWebhook {}).await?;
        Ok(stored.and_then(|stored| {
            let address = self.open(&actor, &stored.sealed).ok()?;
            Some(Webhook { address, stored })
        }))
    }

    /// Notes what came of a message to a webhook of somebody.
    pub(crate) async fn note(
        &self,
        actors: &dyn ActorTransport,
        person: &Did,
        webhook: &Webhook,
        came: Posted,
    ) -> Result<(), Unreachable> {
        let sealed = webhook.stored.sealed.clone();
        let actor = ActorName::user_connector(person);
        ask(actors, &actor, NotePost { sealed, came }).await
    }

    fn is_allowed(&self, url: &Url) -> bool {
        url.as_str().len() <= MAX_URL && self.policy.check_url(url).is_ok()
    }

    fn open(&self, actor: &ActorName, sealed: &Sealed) -> Result<Address, CannotOpen> {
        let plain = self.keys.open(&about(actor), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| CannotOpen {
            key_id: sealed.key_id().to_owned(),
        })
    }
}

impl Webhook {
    /// Its address.
    pub fn url(&self) -> &str {
        &self.address.url
    }

    /// When a message was last taken there.
    pub fn taken_at(&self) -> Option<Timestamp> {
        self.stored.taken_at
    }

    /// When a message was last not taken there.
    pub fn failed_at(&self) -> Option<Timestamp> {
        self.stored.failed_at
    }

    /// Until when nothing is posted there, because one message after the other was not answered in time.
    pub fn paused_until(&self) -> Option<Timestamp> {
        self.stored.paused_until
    }

    /// Whether the last message that was posted there was answered in time, and one was ever taken.
    pub(crate) fn is_proven(&self) -> bool {
        self.stored.taken_at.is_some() && self.stored.timeouts == 0
    }

    /// The value of `webhook-signature` of a message that is sent `at`; `id` has no full stop in it.
    pub(crate) fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        self.address.sign(id, at, body)
    }
}

impl Address {
    fn write(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).expect("two texts are JSON"))
    }

    fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let secret = self.secret.strip_prefix(SECRET_PREFIX).unwrap_or_default();
        let secret = Zeroizing::new(BASE64.decode(secret.as_bytes()).unwrap_or_default());
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&secret).expect("a key of HMAC may have any length");
        mac.update(format!("{id}.{}.", at.as_secs()).as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").finish_non_exhaustive()
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_specification_has_it() {
        // The secret, id, time and body of the example that the reference libraries test themselves with.
        let address = Address {
            url: Zeroizing::new("https://app.example.com/".into()),
            secret: Zeroizing::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()),
        };
        let stored = StoredWebhook {
            sealed: Sealed::from("k.AAAA".to_owned()),
            taken_at: None,
            failed_at: None,
            timeouts: 0,
            paused_until: None,
        };
        let webhook = Webhook { address, stored };
        let at = Timestamp::from_millis(1_614_265_330_000);
        let signature = webhook.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{webhook:?}"), "Webhook(…)");
    }
}
