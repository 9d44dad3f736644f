//! Sealing: what is secret or private is stored so that a stolen store shows nothing of it.
//!
//! Keys are in a ring. The newest seals, and every one of them opens, so that a new key can be put in front, everything
//! sealed anew, and the old key taken away, while the service runs.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use huddle_ports::Random;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How many bytes make a nonce (NIST SP 800-38D §8.2.2): random, so that a key is good for 2³² of them.
const NONCE_BYTES: usize = 12;

/// How many keys a ring holds at most.
const MAX_KEYS: usize = 16;

/// Something sealed: the id of a key, a dot, and nonce and ciphertext in Base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the key that it was sealed with; empty of what was never sealed.
    pub fn key_id(&self) -> &str {
        self.0.split_once('.').map_or("", |(id, _)| id)
    }
}

impl From<String> for Sealed {
    fn from(stored: String) -> Self {
        Self(stored)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sealed").field(&self.key_id()).finish()
    }
}

/// The keys of an installation, the newest first. Its clones have the same keys for ever.
#[derive(Clone)]
pub struct KeyRing {
    keys: Arc<RwLock<Arc<Keys>>>,
    source: Option<Arc<dyn KeySource>>,
}

/// Where keys come from, which may become others while a service is at work.
pub trait KeySource: Send + Sync {
    /// The keys, if they are not those that were told last.
    fn changed(&self) -> Option<KeyRing>;
}

struct Keys {
    newest: Key,
    older: Vec<Key>,
}

struct Key {
    id: String,
    cipher: Aes256Gcm,
}

/// A text that is no ring of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyRing {
    /// There is none in it.
    #[error("there is no key: write one as id:digits, with 64 hexadecimal digits")]
    Empty,
    /// More than any rotation needs.
    #[error("there are more than {MAX_KEYS} keys: take away those that nothing is sealed with")]
    TooMany,
    /// One of them is not as keys are written. Which one is not said, since it may be a key all the same.
    #[error(
        "key {0} is not written as id:digits, with an id of at most 32 letters, digits, '-' or '_' and 64 \
         hexadecimal digits"
    )]
    NotAKey(usize),
    /// Two keys have the same id.
    #[error("key {0} has the id of one before it: give each its own")]
    Twice(usize),
}

/// What cannot be opened: it was sealed with a key that is not in the ring, for something else, or is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened with the keys at hand: it was sealed with {key_id:?}, or is damaged")]
pub struct CannotOpen {
    /// The id of the key that it names.
    pub key_id: String,
}

impl KeyRing {
    /// Reads keys, each written `id:digits` with 64 hexadecimal digits, apart by white space or commas, the newest
    /// first.
    ///
    /// ```
    /// use huddle_core::user_connector::sealing::KeyRing;
    ///
    /// let ring = KeyRing::parse(&format!("2026-11:{:064x}\n2025-11:{:064x}\n", 2, 1))?;
    /// assert_eq!(ring.newest(), "2026-11");
    /// # Ok::<(), huddle_core::user_connector::sealing::InvalidKeyRing>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, InvalidKeyRing> {
        let mut keys: Vec<Key> = Vec::new();
        let words = text.split(|it: char| it.is_whitespace() || it == ',');
        for (index, word) in words.filter(|word| !word.is_empty()).enumerate() {
            if index == MAX_KEYS {
                return Err(InvalidKeyRing::TooMany);
            }
            let key = Key::parse(word).ok_or(InvalidKeyRing::NotAKey(index + 1))?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(InvalidKeyRing::Twice(index + 1));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let keys = Keys {
            newest: keys.next().ok_or(InvalidKeyRing::Empty)?,
            older: keys.collect(),
        };
        Ok(Self {
            keys: Arc::new(RwLock::new(Arc::new(keys))),
            source: None,
        })
    }

    /// The same keys, for as long as there are no others. That is asked before anything is sealed, so that once a key has
    /// been put in front nothing more is sealed with an older one, and before something is said not to open.
    #[must_use]
    pub fn following(self, source: Arc<dyn KeySource>) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }

    /// A new key, as [`parse`](Self::parse) reads it: a line to be put before the others.
    pub fn new_key(id: &str, random: &dyn Random) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        let digits = Zeroizing::new(HEXLOWER.encode(&*bytes));
        Zeroizing::new([id, ":", &digits, "\n"].concat())
    }

    /// The id of the key that seals.
    pub fn newest(&self) -> String {
        self.up_to_date().newest.id.clone()
    }

    /// Seals something. It can be opened as what it is `about`, and as nothing else.
    pub fn seal(&self, random: &dyn Random, about: &str, plain: &[u8]) -> Sealed {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let keys = self.up_to_date();
        let Key { id, cipher } = &keys.newest;
        let ciphertext = encrypt(cipher, nonce, about, plain);
        let text = BASE64URL_NOPAD.encode(&[&nonce[..], &ciphertext].concat());
        Sealed(format!("{id}.{text}"))
    }

    /// Opens what was sealed with any key of the ring.
    pub fn open(&self, about: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let opened = self.known().open(about, sealed);
        let opened = opened.or_else(|| self.up_to_date().open(about, sealed));
        opened.ok_or_else(|| CannotOpen {
            key_id: sealed.key_id().to_owned(),
        })
    }

    fn known(&self) -> Arc<Keys> {
        let keys = self.keys.read();
        keys.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn up_to_date(&self) -> Arc<Keys> {
        let Some(source) = &self.source else {
            return self.known();
        };
        // The source tells only one of those who ask: the others wait until the keys are here.
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(changed) = source.changed() {
            *keys = changed.known();
        }
        keys.clone()
    }
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    fn open(&self, about: &str, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let (id, text) = sealed.0.split_once('.')?;
        let key = self.all().find(|key| key.id == id)?;
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let message = Payload {
            msg: ciphertext,
            aad: about.as_bytes(),
        };
        let opened = key.cipher.decrypt(&(*nonce).into(), message);
        opened.ok().map(Zeroizing::new)
    }
}

fn encrypt(cipher: &Aes256Gcm, nonce: [u8; NONCE_BYTES], about: &str, plain: &[u8]) -> Vec<u8> {
    let message = Payload {
        msg: plain,
        aad: about.as_bytes(),
    };
    let ciphertext = cipher.encrypt(&nonce.into(), message);
    ciphertext.expect("nothing that fits into memory is too long for AES-GCM")
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        let (id, digits) = text.split_once(':')?;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 32 || !id.bytes().all(known) {
            return None;
        }
        let digits = Zeroizing::new(digits.to_ascii_lowercase());
        let bytes = HEXLOWER.decode(digits.as_bytes());
        let bytes = Zeroizing::new(bytes.ok()?);
        Some(Self {
            id: id.to_owned(),
            cipher: Aes256Gcm::new_from_slice(&bytes).ok()?,
        })
    }
}

impl fmt::Debug for KeyRing {
    /// Names the keys, and shows none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.known();
        let ids = keys.all().map(|key| &key.id);
        f.debug_list().entries(ids).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};
    use std::thread;
    use std::time::Duration;

    use huddle_testkit::CountingRandom;

    use super::*;

    fn ring(ids: &[&str]) -> KeyRing {
        let line = |id: &&str| format!("{id}:{:0>64}", HEXLOWER.encode(id.as_bytes()));
        KeyRing::parse(&ids.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap()
    }

    /// Keys that somebody puts others in the place of.
    #[derive(Default)]
    struct Put(Mutex<Option<KeyRing>>);

    impl KeySource for Put {
        fn changed(&self) -> Option<KeyRing> {
            self.0.lock().unwrap().take()
        }
    }

    #[test]
    fn a_ring_that_follows_seals_and_opens_with_keys_that_were_put_in_front_and_so_do_its_clones() {
        let random = CountingRandom::default();
        let source = Arc::new(Put::default());
        let put = |ids: &[&str]| *source.0.lock().unwrap() = Some(ring(ids));
        let keys = ring(&["old"]).following(source.clone());
        let clone = keys.clone();
        let old = keys.seal(&random, "it", b"secret");
        put(&["new", "old"]);
        let new = keys.seal(&random, "it", b"secret");
        assert_eq!((new.key_id(), clone.newest().as_str()), ("new", "new"));
        for sealed in [&old, &new] {
            assert!(clone.open("it", sealed).is_ok(), "{sealed:?}");
        }
        // Another process has sealed with a key that this one has not met.
        let newer = ring(&["newer"]).seal(&random, "it", b"secret");
        assert!(clone.open("it", &newer).is_err());
        put(&["newer", "new", "old"]);
        assert!(clone.open("it", &newer).is_ok());
    }

    /// Keys that become others, which takes a while to say.
    struct Slow(Mutex<Option<(mpsc::Sender<()>, KeyRing)>>);

    impl KeySource for Slow {
        fn changed(&self) -> Option<KeyRing> {
            let (telling, keys) = self.0.lock().unwrap().take()?;
            telling.send(()).unwrap();
            thread::sleep(Duration::from_millis(100));
            Some(keys)
        }
    }

    #[test]
    fn who_asks_while_another_is_told_of_keys_has_them_too() {
        let sealed = ring(&["new"]).seal(&CountingRandom::default(), "it", b"secret");
        let (telling, told) = mpsc::channel();
        let source = Slow(Mutex::new(Some((telling, ring(&["new", "old"])))));
        let keys = ring(&["old"]).following(Arc::new(source));
        thread::scope(|scope| {
            scope.spawn(|| assert!(keys.open("it", &sealed).is_ok()));
            told.recv().unwrap();
            assert!(keys.open("it", &sealed).is_ok());
        });
    }

    #[test]
    fn what_was_sealed_with_any_key_of_the_ring_is_opened() {
        let random = CountingRandom::default();
        let old = ring(&["old"]).seal(&random, "c1", b"secret");
        let both = ring(&["new", "old"]);
        let new = both.seal(&random, "c1", b"secret");
        assert_eq!((old.key_id(), new.key_id()), ("old", "new"));
        for sealed in [&old, &new] {
            assert_eq!(both.open("c1", sealed).unwrap().as_slice(), b"secret");
        }
        let error = ring(&["new"]).open("c1", &old).unwrap_err();
        assert_eq!(error.key_id, "old");
    }

    #[test]
    fn it_is_opened_as_what_it_is_about_and_only_undamaged() {
        let (ring, random) = (ring(&["k"]), CountingRandom::default());
        let sealed = ring.seal(&random, "c1", b"secret");
        assert!(ring.open("c2", &sealed).is_err());
        let text = sealed.as_str();
        for end in 0..text.len() {
            let cut = Sealed::from(text[..end].to_owned());
            assert!(ring.open("c1", &cut).is_err(), "{cut:?}");
        }
        for damaged in ["", "k", "k.", ".", "k.!", "other.AAAA", "k.é"] {
            let damaged = Sealed::from(damaged.to_owned());
            assert!(ring.open("c1", &damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn the_same_is_never_sealed_to_the_same() {
        let (ring, random) = (ring(&["k"]), CountingRandom::default());
        let seal = || ring.seal(&random, "c1", b"secret");
        assert_ne!(seal(), seal());
    }

    #[test]
    fn nothing_of_a_key_is_printed() {
        let made = KeyRing::new_key("2026-11", &CountingRandom::default());
        let ring = KeyRing::parse(&made).unwrap();
        assert_eq!(format!("{ring:?}"), r#"["2026-11"]"#);
    }

    #[test]
    fn a_text_that_is_no_ring_is_refused_with_what_to_write() {
        let key = "0".repeat(64);
        let many: Vec<String> = (0..17).map(|n| format!("k{n}:{key}")).collect();
        for (text, expect) in [
            (String::new(), InvalidKeyRing::Empty),
            (" \n".into(), InvalidKeyRing::Empty),
            (key.clone(), InvalidKeyRing::NotAKey(1)),
            (format!("a:{key} b:00"), InvalidKeyRing::NotAKey(2)),
            (format!(":{key}"), InvalidKeyRing::NotAKey(1)),
            (format!("a.b:{key}"), InvalidKeyRing::NotAKey(1)),
            (
                format!("{}:{key}", "a".repeat(33)),
                InvalidKeyRing::NotAKey(1),
            ),
            (format!("a:{}g", &key[1..]), InvalidKeyRing::NotAKey(1)),
            (format!("a:{key},a:{key}"), InvalidKeyRing::Twice(2)),
            (many.join(","), InvalidKeyRing::TooMany),
        ] {
            assert_eq!(KeyRing::parse(&text).unwrap_err(), expect, "{text}");
        }
    }
}
