//! What targets take from the rest of the repository, and from the conformance data beside it.

use huddle_codegen::load::load;
use huddle_codegen::model::Catalog;
use huddle_codegen::sample::Sampler;
use huddle_testdata::{shared, shared_text, workspace_root};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The lexicons that the types of `huddle_lexicon` are generated from.
pub(crate) static LEXICONS: LazyLock<Catalog> = LazyLock::new(|| {
    load(&workspace_root().join("lexicons")).expect("the lexicons of the repository are lexicons")
});

/// Makes values of them.
pub(crate) static SAMPLER: LazyLock<Sampler<'static>> = LazyLock::new(|| Sampler::new(&LEXICONS));

/// The texts of all lexicons of the repository, those of the generator's cases included.
pub(crate) fn lexicon_texts() -> Vec<Vec<u8>> {
    ["lexicons", "codegen/golden/lexicons"]
        .into_iter()
        .flat_map(|folder| json_files(&workspace_root().join(folder)))
        .collect()
}

/// The texts of all lexicons that others have published.
pub(crate) fn published_lexicon_texts() -> Vec<Vec<u8>> {
    shared("conformance/lexicons").map_or_else(Vec::new, |folder| json_files(&folder))
}

/// The cases of a file of the interoperability vectors.
pub(crate) fn conformance(file: &str) -> Vec<Value> {
    let text = shared_text(&format!("conformance/interop/{file}"));
    text.map_or_else(Vec::new, |text| {
        serde_json::from_str(&text).expect("the file is a list of cases")
    })
}

/// The lines of a file of the interoperability vectors.
pub(crate) fn conformance_lines(file: &str) -> Vec<String> {
    let text = shared_text(&format!("conformance/interop/{file}")).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with("# "));
    lines.map(str::to_owned).collect()
}

/// The texts of all JSON files below a folder.
fn json_files(folder: &Path) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = folder.read_dir().expect("a folder of lexicons can be read");
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
                texts.push(std::fs::read(&path).expect("a lexicon can be read"));
            }
        }
    }
    texts
}
