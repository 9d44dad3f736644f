//! Calendars that people connect: the keys that their credentials are sealed with, and the page where it is done.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use huddle_appview_router::Pages;
use huddle_appview_web::{CONNECT_PATH, SETTINGS_PATH};
use huddle_calendars::{CalendarPorts, ConnectedCalendars};
use huddle_core::Limits;
use huddle_core::effects::WebhookPost;
use huddle_core::user_connector::sealing::{KeyRing, KeySource};
use huddle_native::SystemDns;
use huddle_ports::{Metrics, Random, Url};
use tracing::{info, warn};
use zeroize::Zeroizing;

use crate::secrets;

/// The file of the keys, the newest first.
pub(crate) const KEYS: &str = "calendar-keys.secret";

/// The calendars of an installation, and the pages on which they are connected and settings made.
#[derive(Clone, Debug)]
pub struct Connecting {
    /// The calendars.
    pub calendars: ConnectedCalendars,
    /// The pages.
    pub pages: Pages,
}

impl Connecting {
    /// The calendars whose credentials are sealed with the keys in `folder`, which are made if there are none, for an
    /// AppView that is reached at `address`.
    pub(crate) fn new(
        folder: &Path,
        ports: CalendarPorts,
        limits: &Limits,
        address: &Url,
    ) -> Result<Self> {
        let keys = load_or_make_keys(folder, &*ports.random)?;
        let pages = Pages {
            connect: address.join(CONNECT_PATH)?,
            settings: address.join(SETTINGS_PATH)?,
            keys: keys.clone(),
            random: Arc::clone(&ports.random),
        };
        let calendars = ConnectedCalendars::new(ports, keys, limits);
        let calendars = calendars.located_by(Arc::new(SystemDns::new()?));
        Ok(Self { calendars, pages })
    }

    /// The way to the apps that people have their news posted to.
    pub(crate) fn webhooks(&self) -> WebhookPost {
        WebhookPost {
            fetch: self.calendars.network(),
            webhooks: self.pages.webhooks(),
        }
    }

    /// The same, and what providers take is measured.
    pub(crate) fn measured(self, metrics: Arc<dyn Metrics>) -> Self {
        Self {
            calendars: self.calendars.measured(metrics),
            ..self
        }
    }

    /// Whether the pages are reached by HTTPS.
    pub(crate) fn is_https(&self) -> bool {
        self.pages.connect.scheme() == "https"
    }
}

/// The keys of the installation in `folder`, which are made if there are none, and become others when the file does.
pub(crate) fn load_or_make_keys(folder: &Path, random: &dyn Random) -> Result<KeyRing> {
    let path = folder.join(KEYS);
    if !path.exists() {
        let line = KeyRing::new_key("1", random);
        secrets::write_once(&path, line.as_bytes())
            .with_context(|| format!("cannot make {}", path.display()))?;
    }
    let file = KeyFile {
        seen: Mutex::new(Version::of(&path)),
        path,
    };
    let keys = load_keys(&file.path)?;
    Ok(keys.following(Arc::new(file)))
}

/// The most bytes of a file of keys: more than a ring has room for.
const LONGEST: usize = 8 * 1024;

/// The text of the keys in a file that is there.
pub(crate) fn read_keys(path: &Path) -> io::Result<Zeroizing<String>> {
    secrets::read_whole(path, LONGEST)
}

/// The ids of the keys in a text.
pub(crate) fn key_ids(keys: &str) -> impl Iterator<Item = &str> {
    let words = keys.split(|it: char| it.is_whitespace() || it == ',');
    words.filter_map(|word| Some(word.split_once(':')?.0))
}

/// The ids of the keys that something in `folder` is sealed with and that are not in its file.
pub(crate) fn lost_keys(folder: &Path) -> Result<Vec<String>> {
    // The file is read last: what is sealed meanwhile may be so with a key that was not in it before.
    let in_use = huddle_native::keys_in_use(folder)?;
    let path = folder.join(KEYS);
    let text = match read_keys(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Zeroizing::default(),
        read => read.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let is_lost = |id: &String| key_ids(&text).all(|known| known != id);
    Ok(in_use.into_iter().filter(is_lost).collect())
}

/// The keys in a file that is there.
pub(crate) fn load_keys(path: &Path) -> Result<KeyRing> {
    let read = || -> Result<KeyRing> { Ok(KeyRing::parse(&read_keys(path)?)?) };
    read().with_context(|| format!("the keys of calendars in {}", path.display()))
}

/// The file of the keys, in whose place another one may be put.
struct KeyFile {
    path: PathBuf,
    /// What it was when it was read.
    seen: Mutex<Option<Version>>,
}

/// Tells a file from others that were in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    inode: u64,
    changed: (i64, i64),
}

impl Version {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

impl KeySource for KeyFile {
    fn changed(&self) -> Option<KeyRing> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let version = Version::of(&self.path);
        if version.is_none() || version == *seen {
            return None;
        }
        let loaded = load_keys(&self.path);
        // A file that could not be read just now is looked at again, and one that is no good is not until it changes.
        let was_read = |error: &anyhow::Error| error.downcast_ref::<io::Error>().is_none();
        if loaded.as_ref().err().is_none_or(was_read) {
            *seen = version;
        }
        match loaded {
            Ok(keys) => {
                info!(newest = keys.newest(), "there are other keys");
                Some(keys)
            }
            Err(error) => {
                warn!(
                    error = format!("{error:#}"),
                    "the keys are used that were there before"
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use huddle_testkit::CountingRandom;

    use super::*;

    #[test]
    fn keys_that_take_the_place_of_others_are_used_at_once_unless_they_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEYS);
        let random = CountingRandom::default();
        let keys = load_or_make_keys(folder.path(), &random).unwrap();
        let sealed = keys.seal(&random, "it", b"secret");
        let before = fs::read_to_string(&path).unwrap();
        let both = format!("{}{before}", *KeyRing::new_key("2", &random));
        for (text, newest) in [(both.as_str(), "2"), ("nothing", "2"), (&before, "1")] {
            secrets::replace(&path, text.as_bytes()).unwrap();
            assert_eq!(keys.seal(&random, "it", b"more").key_id(), newest, "{text}");
            assert!(keys.open("it", &sealed).is_ok());
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(keys.newest(), "1");
    }

    #[test]
    fn keys_are_made_once_and_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let random = CountingRandom::default();
        let load = || load_or_make_keys(folder.path(), &random);
        let sealed = load().unwrap().seal(&random, "it", b"secret");
        assert!(load().unwrap().open("it", &sealed).is_ok());
        let path = folder.path().join(KEYS);
        fs::write(&path, "nothing").unwrap();
        assert!(load().is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "nothing");
    }
}
