//! Calendars that people connect: the keys that their credentials are sealed with, and the page where it is done.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use huddle_appview_router::ConnectPage;
use huddle_appview_web::CONNECT_PATH;
use huddle_calendars::{CalendarPorts, ConnectedCalendars};
use huddle_core::user_connector::sealing::KeyRing;
use huddle_ports::{Random, Url};

use crate::secrets;

/// The file of the keys, the newest first.
pub(crate) const KEYS: &str = "calendar-keys.secret";

/// The calendars of an installation, and where they are connected.
#[derive(Clone, Debug)]
pub struct Connecting {
    /// The calendars.
    pub calendars: ConnectedCalendars,
    /// The page.
    pub page: ConnectPage,
}

impl Connecting {
    /// The calendars whose credentials are sealed with the keys in `folder`, which are made if there are none, for an
    /// AppView that is reached at `address`.
    pub(crate) fn new(
        folder: &Path,
        ports: CalendarPorts,
        keep: Duration,
        address: &Url,
    ) -> Result<Self> {
        let keys = load_or_make_keys(folder, &*ports.random)?;
        let page = ConnectPage {
            address: address.join(CONNECT_PATH)?,
            keys: keys.clone(),
            random: Arc::clone(&ports.random),
        };
        let calendars = ConnectedCalendars::new(ports, keys, keep);
        Ok(Self { calendars, page })
    }

    /// Whether the page is reached by HTTPS.
    pub(crate) fn is_https(&self) -> bool {
        self.page.address.scheme() == "https"
    }
}

/// The keys of the installation in `folder`, which are made if there are none.
pub(crate) fn load_or_make_keys(folder: &Path, random: &dyn Random) -> Result<KeyRing> {
    let path = folder.join(KEYS);
    if !path.exists() {
        let line = KeyRing::new_key("1", random);
        secrets::write_once(&path, line.as_bytes())
            .with_context(|| format!("cannot make {}", path.display()))?;
    }
    load_keys(&path)
}

/// The keys in a file that is there.
pub(crate) fn load_keys(path: &Path) -> Result<KeyRing> {
    let read = || -> Result<KeyRing> { Ok(KeyRing::parse(&fs::read_to_string(path)?)?) };
    read().with_context(|| format!("the keys of calendars in {}", path.display()))
}

#[cfg(test)]
mod tests {
    use huddle_testkit::CountingRandom;

    use super::*;

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
