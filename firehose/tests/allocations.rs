//! What the library does without allocating: all that is done with what is passed over.

#[path = "../examples/support/filter.rs"]
mod filter;
#[path = "../examples/support/input.rs"]
#[expect(dead_code, reason = "the keys are for others")]
mod input;

use huddle_firehose::{Frame, Level, Verifier};
use huddle_testdata::shared;
use std::time::Duration;

/// After every revision in any file.
const NOW: Duration = Duration::from_secs(10_000_000_000);

fn corpus() -> Option<Vec<Vec<u8>>> {
    let folder = shared("firehose/corpus")?;
    Some(input::frames(&folder.join("frames.bin")).expect("the frames can be read"))
}

#[test]
fn decoding_a_frame_allocates_nothing() {
    let Some(frames) = corpus() else {
        return;
    };
    let measured = allocation_counter::measure(|| {
        for frame in &frames {
            std::hint::black_box(Frame::decode(frame).unwrap());
        }
    });
    assert_eq!(measured.count_total, 0);
}

#[test]
fn filtering_hashing_and_reading_what_is_wanted_allocates_nothing_once_warm() {
    let Some(frames) = corpus() else {
        return;
    };
    let filter = filter::filter();
    let mut verifier = Verifier::new();
    let mut pass = || {
        let mut wanted = 0;
        for frame in &frames {
            if let Frame::Commit(event) = Frame::decode(frame).unwrap()
                && filter.wants(&event)
            {
                let commit = verifier.verify(&event, Level::Hashes, NOW).unwrap();
                for record in commit.changes().filter_map(|change| change.record) {
                    wanted += usize::from(record.bytes().is_ok());
                }
            }
        }
        assert!(wanted > 0, "no record is wanted");
    };
    pass();
    assert_eq!(allocation_counter::measure(pass).count_total, 0);
}
