//! What targets take from the rest of the repository: its lexicons.

use huddle_codegen::load::load;
use huddle_codegen::model::Catalog;
use huddle_codegen::sample::Sampler;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The lexicons that the types of `huddle_lexicon` are generated from.
pub(crate) static LEXICONS: LazyLock<Catalog> =
    LazyLock::new(|| load(&path("lexicons")).expect("the lexicons of the repository are lexicons"));

/// Makes values of them.
pub(crate) static SAMPLER: LazyLock<Sampler<'static>> = LazyLock::new(|| Sampler::new(&LEXICONS));

/// A path from the root of the repository on.
fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(relative)
}

/// The texts of all JSON files below a folder.
pub(crate) fn json_files(folder: &str) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let mut open = vec![path(folder)];
    while let Some(folder) = open.pop() {
        let entries = folder
            .read_dir()
            .expect("a folder of the repository can be read");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("a folder can be read to its end").path())
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                texts.push(std::fs::read(&path).expect("a file of the repository can be read"));
            }
        }
    }
    texts
}
