//! Secrets of an installation, made at the first start and kept beside its data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use data_encoding::HEXLOWER;
use huddle_ports::Random;

/// The 32 bytes in the file at `path`, which is made with random ones if there is none, and can be
/// read by this user only.
pub(crate) fn load_or_make(path: &Path, random: &dyn Random) -> Result<[u8; 32]> {
    if path.exists() {
        return load(path);
    }
    match make(path, random) {
        // Another process was faster: there is one secret, and that is it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => load(path),
        made => made.with_context(|| format!("cannot make {}", path.display())),
    }
}

/// Writes it beside its place and then links it there, so that nobody ever meets half of it.
fn make(path: &Path, random: &dyn Random) -> io::Result<[u8; 32]> {
    let mut secret = [0; 32];
    random.fill(&mut secret);
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(HEXLOWER.encode(&secret).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    linked?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(secret)
}

fn load(path: &Path) -> Result<[u8; 32]> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(1024).read_to_string(&mut text))
        .with_context(|| format!("cannot read {}", path.display()))?;
    let bytes = HEXLOWER.decode(text.trim().as_bytes()).unwrap_or_default();
    let Ok(secret) = bytes.try_into() else {
        bail!(
            "{} does not hold 64 hexadecimal digits: restore it from a backup, because with another one \
             repeated requests do not find their bookings, or strangers get to know more than they should",
            path.display()
        );
    };
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use huddle_testkit::CountingRandom;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let random = CountingRandom::default();
        let made = load_or_make(&path, &random).unwrap();
        assert_eq!(load_or_make(&path, &random).unwrap(), made);
        assert_eq!(
            make(&path, &random).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let permissions = fs::metadata(&path).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_holds_no_secret_is_left_alone_and_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for text in ["", "abc", "ZZ", &"0".repeat(66)] {
            fs::write(&path, text).unwrap();
            let error = load_or_make(&path, &CountingRandom::default()).unwrap_err();
            assert!(
                error.to_string().contains("64 hexadecimal digits"),
                "{error}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
