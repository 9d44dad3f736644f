//! `huddle keys`

use std::fmt;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use huddle_core::Limits;
use huddle_core::user_connector::rotation::reseal;
use huddle_core::user_connector::sealing::KeyRing;
use huddle_native::{ActorStore, OsRandom, SystemClock};
use huddle_ports::Clock as _;
use huddle_schedule::Zone;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::calendars::{key_ids, load_keys, read_keys};
use crate::config::DataFolder;
use crate::installation::Installation;
use crate::output::Output;
use crate::secrets::{self, CALENDAR_KEYS, Unsound};

/// Keys and secrets of the installation.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List them: what each is for, and whether it is sound. None of them is shown.
    List {
        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        output: Output,
    },
    /// Put a new key in front of those that credentials of calendars and addresses are sealed with: a server at work
    /// seals with it from then on. The others still open what they have sealed; run `huddle keys reseal` next.
    Rotate {
        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        output: Output,
    },
    /// Seal with the newest key the credentials of calendars and addresses that are sealed with others, while the server
    /// is at work.
    Reseal {
        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        output: Output,
    },
}

/// How many people's credentials are looked for at a time.
const PAGE: u32 = 200;

#[derive(Serialize)]
struct Listed {
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    file: &'static str,
    purpose: &'static str,
    state: String,
}

#[derive(Serialize)]
struct Rotated {
    newest: String,
}

#[derive(Serialize)]
struct Resealed {
    newest: String,
    resealed: usize,
}

impl Keys {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::List { data, output } => output.print(&list(&Installation::find(&data)?)),
            Self::Rotate { data, output } => output.print(&rotate(&Installation::find(&data)?)?),
            Self::Reseal { data, output } => {
                let installation = Installation::find(&data)?;
                output.print(&reseal_all(&installation).await?)
            }
        }
    }
}

fn list(installation: &Installation<'_>) -> Listed {
    let keys = secrets::ALL.iter().map(|secret| Key {
        file: secret.file,
        purpose: secret.purpose,
        state: match secret.examine(installation.folder()) {
            Ok(()) => "sound".to_owned(),
            Err(Unsound::Missing) => "missing".to_owned(),
            Err(Unsound::NoSecret) => "holds no secret".to_owned(),
            Err(Unsound::Readable(mode)) => format!("others may read it ({mode:03o})"),
        },
    });
    Listed {
        keys: keys.collect(),
    }
}

fn rotate(installation: &Installation<'_>) -> Result<Rotated> {
    let path = installation.folder().join(CALENDAR_KEYS.file);
    load_keys(&path)?;
    let before = read_keys(&path)?;
    let newest = fresh_id(&before);
    let newest_key = KeyRing::new_key(&newest, &OsRandom);
    let keys = Zeroizing::new([newest_key.as_str(), before.as_str()].concat());
    KeyRing::parse(&keys).with_context(|| format!("no key can be added to {}", path.display()))?;
    secrets::replace(&path, keys.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Rotated { newest })
}

/// The day, and a number where there is a key of that day.
fn fresh_id(keys: &str) -> String {
    let today = Zone::UTC.date(SystemClock.now()).to_string();
    let is_taken = |id: &str| key_ids(keys).any(|known| known == id);
    let mut id = today.clone();
    let mut number = 2_u32;
    while is_taken(&id) {
        id = format!("{today}-{number}");
        number += 1;
    }
    id
}

async fn reseal_all(installation: &Installation<'_>) -> Result<Resealed> {
    let keys = load_keys(&installation.folder().join(CALENDAR_KEYS.file))?;
    let actors = installation.actors(Limits::default())?;
    let mut resealed = 0;
    // What a server had sealed before there was the newest key may be stored behind whoever goes through once.
    loop {
        let more = reseal_once(&actors, &keys).await?;
        resealed += more;
        if more == 0 {
            break;
        }
    }
    Ok(Resealed {
        newest: keys.newest(),
        resealed,
    })
}

/// Goes through everybody, and says how much was sealed anew.
async fn reseal_once(actors: &ActorStore, keys: &KeyRing) -> Result<usize> {
    let (mut resealed, mut after) = (0, String::new());
    loop {
        let people = actors
            .sealed_otherwise(&keys.newest(), &after, PAGE)
            .await?;
        for person in &people {
            resealed += reseal(actors, keys, &OsRandom, person).await?;
        }
        let Some(last) = people.last() else {
            return Ok(resealed);
        };
        last.as_str().clone_into(&mut after);
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, key) in self.keys.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            write!(f, "{}: {}; {}", key.file, key.state, key.purpose)?;
        }
        Ok(())
    }
}

impl fmt::Display for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { newest } = self;
        write!(
            f,
            "{newest} seals from now on: run `huddle keys reseal` for what others have sealed"
        )
    }
}

impl fmt::Display for Resealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { newest, resealed } = self;
        write!(
            f,
            "{resealed} sealed anew; credentials are all sealed with {newest}"
        )
    }
}
