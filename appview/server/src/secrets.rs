//! Secrets of an installation, made at the first start and kept beside its data.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use data_encoding::HEXLOWER;
use huddle_ports::Random;
use zeroize::Zeroizing;

use crate::calendars;

/// A secret, which is a file in the folder of the installation.
#[derive(Debug)]
pub(crate) struct Secret {
    /// The name of its file.
    pub(crate) file: &'static str,
    /// What it is for, and what happens without it.
    pub(crate) purpose: &'static str,
    /// Whether the file at a path holds one.
    holds_one: fn(&Path) -> bool,
}

/// What bookings are named with.
pub(crate) const BOOKING_IDS: Secret = Secret {
    file: "booking-ids.secret",
    purpose: "names bookings: with another one, a request that is sent again does not find its booking",
    holds_one: holds_32_bytes,
};

/// What chooses the starts that strangers see.
pub(crate) const DISCLOSURE: Secret = Secret {
    file: "disclosure.secret",
    purpose: "chooses what strangers see: with another one, they see other starts than before, and so more of them",
    holds_one: holds_32_bytes,
};

/// What credentials of calendars and addresses are sealed with.
pub(crate) const CALENDAR_KEYS: Secret = Secret {
    file: calendars::KEYS,
    purpose: "seals credentials of calendars, and addresses: without it, people have to connect them again",
    holds_one: holds_keys,
};

/// Every secret that an installation has.
pub(crate) const ALL: [&Secret; 3] = [&BOOKING_IDS, &DISCLOSURE, &CALENDAR_KEYS];

impl Secret {
    /// The secret of the installation in `folder`, which is made if there is none.
    pub(crate) fn load_or_make(
        &self,
        folder: &Path,
        random: &dyn Random,
    ) -> Result<Zeroizing<[u8; 32]>> {
        load_or_make(&folder.join(self.file), random)
    }

    /// What is wrong with its file, if anything.
    pub(crate) fn examine(&self, folder: &Path) -> Result<(), Unsound> {
        let path = folder.join(self.file);
        let Ok(metadata) = fs::metadata(&path) else {
            return Err(Unsound::Missing);
        };
        if !(self.holds_one)(&path) {
            return Err(Unsound::NoSecret);
        }
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Unsound::Readable(mode));
        }
        Ok(())
    }
}

fn holds_32_bytes(path: &Path) -> bool {
    load(path).is_ok()
}

fn holds_keys(path: &Path) -> bool {
    calendars::load_keys(path).is_ok()
}

/// What may be wrong with the file of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsound {
    /// There is none.
    Missing,
    /// It cannot be read, or holds no secret.
    NoSecret,
    /// Others on this machine may read it; these are its permissions.
    Readable(u32),
}

/// The 32 bytes in the file at `path`, which is made with random ones if there is none, and can be
/// read by this user only.
fn load_or_make(path: &Path, random: &dyn Random) -> Result<Zeroizing<[u8; 32]>> {
    if path.exists() {
        return load(path);
    }
    match make(path, random) {
        // Another process was faster: there is one secret, and that is it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => load(path),
        made => made.with_context(|| format!("cannot make {}", path.display())),
    }
}

fn make(path: &Path, random: &dyn Random) -> io::Result<Zeroizing<[u8; 32]>> {
    let mut secret = Zeroizing::new([0; 32]);
    random.fill(&mut *secret);
    let digits = Zeroizing::new(HEXLOWER.encode(&*secret));
    write_once(path, digits.as_bytes())?;
    Ok(secret)
}

/// Writes a file where there is none, for this user alone: beside its place, and then links it there, so that nobody
/// ever meets half of it.
pub(crate) fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = write_beside(path, bytes, None)?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    linked?;
    sync_folder_of(path)
}

/// Writes a file in the place of the one that is there, for whoever that was for: a server need not be of the same user
/// as the command beside it, and has to go on reading it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = fs::metadata(path)?;
    fs::rename(write_beside(path, bytes, Some(&before))?, path)?;
    sync_folder_of(path)
}

/// Writes a file beside its place, for this user alone, or for those whom another file was for.
fn write_beside(path: &Path, bytes: &[u8], like: Option<&Metadata>) -> io::Result<PathBuf> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = write_new(&beside, bytes, like);
    if written.is_err() {
        // What went wrong is told already, and secrets are not left about.
        let _ = fs::remove_file(&beside);
    }
    written.map(|()| beside)
}

fn write_new(path: &Path, bytes: &[u8], like: Option<&Metadata>) -> io::Result<()> {
    // Of a process that had this number and was killed. It is not opened: in the folder of another user, it may be a
    // link to what is none of theirs.
    if let Err(error) = fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    if let Some(like) = like {
        fchown(&file, Some(like.uid()), Some(like.gid()))?;
        file.set_permissions(like.permissions())?;
    }
    file.sync_all()
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The most bytes of a line that is a secret.
const LONGEST: usize = 1024;

/// The line that a file holds.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>> {
    let text =
        read_whole(path, LONGEST).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// What a file holds, of at most so many bytes.
pub(crate) fn read_whole(path: &Path, longest: usize) -> io::Result<Zeroizing<String>> {
    // As long as it may be, so that it never moves and leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(longest + 1));
    let read = File::open(path)?
        .take(longest as u64 + 1)
        .read_to_string(&mut text)?;
    if read > longest {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it has more than {longest} bytes"),
        ));
    }
    Ok(text)
}

/// The 32 bytes in a file that is there.
fn load(path: &Path) -> Result<Zeroizing<[u8; 32]>> {
    let text = read_text(path)?;
    let bytes = Zeroizing::new(HEXLOWER.decode(text.as_bytes()).unwrap_or_default());
    let Ok(secret) = bytes[..].try_into() else {
        bail!(
            "{} does not hold 64 hexadecimal digits: restore it from a backup, because with another one \
             repeated requests do not find their bookings, or strangers get to know more than they should",
            path.display()
        );
    };
    Ok(Zeroizing::new(secret))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

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
    fn what_takes_the_place_of_a_secret_is_for_whoever_that_was_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        make(&path, &CountingRandom::default()).unwrap();
        // In the way is what a process has left that was killed, or a link to what is none of theirs.
        let other = folder.path().join("other");
        fs::write(&other, "untouched").unwrap();
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        symlink(&other, &beside).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"another").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"another");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read(&other).unwrap(), b"untouched");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        if !rustix::process::geteuid().is_root() {
            huddle_testdata::skip("only root gives files to others");
            return;
        }
        chown(&path, Some(65534), Some(65533)).unwrap();
        replace(&path, b"once more").unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (65534, 65533));
        assert_eq!(metadata.mode() & 0o777, 0o640);
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

    #[test]
    fn of_a_file_that_is_too_long_nothing_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (bytes, expect) in [(0, true), (8, true), (9, false), (1000, false)] {
            fs::write(&path, "a".repeat(bytes)).unwrap();
            let read = read_whole(&path, 8);
            assert_eq!(read.is_ok_and(|it| it.len() == bytes), expect, "{bytes}");
        }
    }
}
