//! A day of frames, as the reference implementation made and decoded them.

use crate::{input, json};
use flate2::read::GzDecoder;
use huddle_testdata::shared;
use std::fs::File;
use std::io::{BufRead as _, BufReader};

#[test]
fn every_frame_is_decoded_to_what_the_reference_decodes() {
    let Some(folder) = shared("firehose/corpus") else {
        return;
    };
    let frames = input::frames(&folder.join("frames.bin")).unwrap();
    let expected = File::open(folder.join("expected.jsonl.gz")).unwrap();
    let mut expected = BufReader::new(GzDecoder::new(expected)).lines();
    for (i, frame) in frames.iter().enumerate() {
        let line = json::line(i, frame).unwrap();
        assert_eq!(line, expected.next().transpose().unwrap(), "frame {i}");
    }
    assert!(expected.next().is_none(), "there are lines without a frame");
}
