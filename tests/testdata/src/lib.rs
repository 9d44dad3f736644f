//! Finds the conformance data that tests read from beside the checkout, and says how much time they have.
//!
//! The data is not part of the repository. Where it is absent a test says so and skips, unless
//! `HUDDLE_REQUIRE_SHARED=1` is set, as in CI: there absence fails.

use std::path::{Path, PathBuf};

/// The path of `relative` below the shared data folder, or `None` with a printed note if the data is absent.
///
/// # Panics
/// When the data is absent and `HUDDLE_REQUIRE_SHARED=1`.
#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
#[track_caller]
pub fn shared(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HUDDLE_SHARED")
        .map_or_else(|| workspace_root().join("../shared"), PathBuf::from);
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    skip(&format!(
        "{} is missing (set HUDDLE_SHARED to the folder that holds it)",
        path.display()
    ));
    None
}

/// Whether there is time for what takes long: `HUDDLE_FULL=1`, as `scripts/test --full` says.
#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
pub fn is_full() -> bool {
    std::env::var_os("HUDDLE_FULL").is_some_and(|value| value == "1")
}

/// Says why a test that cannot run here is skipped.
///
/// # Panics
/// When `HUDDLE_REQUIRE_SHARED=1`: then nothing may be skipped.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test's own settings and its word to the person running it"
)]
#[track_caller]
pub fn skip(reason: &str) {
    let required = std::env::var_os("HUDDLE_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(!required, "{reason}, and HUDDLE_REQUIRE_SHARED=1");
    eprintln!("skipped: {reason}");
}

/// Reads a shared file as text; `None` as for [`shared`].
///
/// # Panics
/// As [`shared`], and when the file cannot be read.
#[track_caller]
pub fn shared_text(relative: &str) -> Option<String> {
    let path = shared(relative)?;
    Some(std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// The root of this workspace.
///
/// # Panics
/// Never in a checkout: this crate lies two folders below the root.
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/testdata lies two folders below the root")
}
