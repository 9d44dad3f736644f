//! A folder of lexicons to a [`Catalog`].

use crate::diagnostic::{Diagnostic, Diagnostics, Rule, on_one_line};
use crate::model::{Catalog, Document};
use crate::parse;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most bytes that a lexicon file may have; the largest that `com.atproto` to `tools.ozone` have has 40 KB.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

/// What a folder holds: what could be read as a lexicon, and what is wrong with the rest.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The lexicons that could be read.
    pub catalog: Catalog,
    /// What is wrong with the others, in the order of file names.
    pub problems: Vec<Diagnostic>,
}

/// A file or folder that could not be read at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", on_one_line(&path.to_string_lossy()))]
pub struct Unreadable {
    /// What was to be read.
    pub path: PathBuf,
    /// Why it could not be.
    pub source: io::Error,
}

/// Why a folder of lexicons could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Something could not be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Something that could be read is no lexicon.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
}

/// Loads every `*.json` below a folder, or one file; all of them must be lexicons, and distinct.
pub fn load(path: &Path) -> Result<Catalog, LoadError> {
    let Loaded { catalog, problems } = read(path)?;
    if problems.is_empty() {
        Ok(catalog)
    } else {
        Err(Diagnostics(problems).into())
    }
}

/// Reads every `*.json` below a folder, or one file, whatever is in it.
///
/// Links are followed; a folder that is reached twice is read once. Names that start with a dot are
/// left alone.
pub fn read(path: &Path) -> Result<Loaded, Unreadable> {
    let mut files = Vec::new();
    collect(path, &mut HashSet::new(), &mut files)?;
    let root = source_root(path)?;
    let mut loaded = Loaded::default();
    for file in files {
        let text = read_file(&file)?;
        match parse::document(&file, &source(path, &root, &file), &text) {
            Ok(document) => insert(&mut loaded, document),
            Err(Diagnostics(problems)) => loaded.problems.extend(problems),
        }
    }
    Ok(loaded)
}

fn insert(loaded: &mut Loaded, document: Document) {
    let Err(second) = loaded.catalog.insert(document) else {
        return;
    };
    let first = loaded.catalog.get(&second.id);
    let first = first.map_or_else(String::new, |first| first.file.display().to_string());
    loaded.problems.push(Diagnostic {
        message: format!("{} is defined in {first} already", second.id),
        file: second.file,
        path: "id".to_owned(),
        rule: Rule::DuplicateNsid,
    });
}

/// Finds the files below a path. `seen` has the folders that have been read, by their true names: a
/// link may lead back up.
fn collect(
    path: &Path,
    seen: &mut HashSet<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> Result<(), Unreadable> {
    let unreadable = |source| Unreadable {
        path: path.to_owned(),
        source,
    };
    let true_path = path.canonicalize().map_err(unreadable)?;
    if !true_path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if !seen.insert(true_path) {
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(unreadable)?;
    let mut entries: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    // Of two ways to a folder, names decide which is taken, not how the file system lists them.
    entries.sort();
    for entry in entries {
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let lexicon = entry.extension() == Some(OsStr::new("json"));
        if !hidden && (lexicon || entry.is_dir()) {
            collect(&entry, seen, files)?;
        }
    }
    Ok(())
}

fn read_file(file: &Path) -> Result<Vec<u8>, Unreadable> {
    let unreadable = |source| Unreadable {
        path: file.to_owned(),
        source,
    };
    let mut text = Vec::new();
    // One byte more than allowed tells a file that is too long from one that is just as long.
    File::open(file)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text))
        .map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        let reason = format!("it has more than {MAX_FILE_BYTES} bytes");
        return Err(unreadable(io::Error::other(reason)));
    }
    Ok(text)
}

/// The name of the folder (or of the file's folder), as it was written: what a link leads to may be
/// called otherwise on every machine. Where no name was written, as in `..`, it is the true one.
fn source_root(path: &Path) -> Result<String, Unreadable> {
    let folder = match path.parent() {
        Some(parent) if !path.is_dir() => Path::new(".").join(parent),
        _ => path.to_owned(),
    };
    if let Some(written) = folder.file_name() {
        return Ok(written.to_string_lossy().into_owned());
    }
    let folder = folder.canonicalize().map_err(|source| Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let name = folder.file_name().unwrap_or(OsStr::new("lexicons"));
    Ok(name.to_string_lossy().into_owned())
}

/// [`Document::source`]: the path from the folder's own name on, with `/` on every system.
fn source(path: &Path, root: &str, file: &Path) -> String {
    let below = file.strip_prefix(path).unwrap_or(file);
    let below = if below.as_os_str().is_empty() {
        file.file_name().map(Path::new)
    } else {
        Some(below)
    };
    let names = below.into_iter().flat_map(Path::components);
    let names = names.map(|name| name.as_os_str().to_string_lossy().into_owned());
    std::iter::once(root.to_owned())
        .chain(names)
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests;
