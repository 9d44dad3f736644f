//! How long reading, checking and generating takes: for our lexicons, and for the official set where it
//! is at hand. `peers` beside this file compares what comes out with another generator's.

use divan::{Bencher, counter::ItemsCount};
use huddle_codegen::emit::{Options, Output, generate};
use huddle_codegen::load::load;
use huddle_codegen::resolve::Externals;
use huddle_testdata::{shared, workspace_root};
use std::path::Path;

fn main() {
    divan::main();
}

fn bench(bencher: Bencher<'_, '_>, lexicons: &Path) {
    let options = Options {
        output: Output::Module,
        selection: Vec::new(),
        externals: Externals::default(),
        runtime: None,
    };
    let files = load(lexicons).expect("readable").len();
    bencher.counter(ItemsCount::new(files)).bench(|| {
        let catalog = load(lexicons).expect("readable");
        generate(&catalog, &options).expect("valid")
    });
}

#[divan::bench(sample_count = 20)]
fn our_lexicons(bencher: Bencher<'_, '_>) {
    bench(bencher, &workspace_root().join("lexicons"));
}

#[divan::bench(sample_count = 5)]
fn official_lexicons(bencher: Bencher<'_, '_>) {
    if let Some(lexicons) = shared("conformance/lexicons") {
        bench(bencher, &lexicons);
    }
}
