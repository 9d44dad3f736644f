//! A day of frames, as the reference implementation made and decoded them.

use crate::{input, json};
use flate2::read::GzDecoder;
use huddle_firehose::Frame;
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
    for line in json::lines(&frames) {
        assert_eq!(Some(line), expected.next().transpose().unwrap());
    }
    assert!(expected.next().is_none(), "there are lines without a frame");
}

#[test]
fn of_a_frame_that_cannot_be_decoded_a_line_says_why_and_the_next_one_is_decoded() {
    let account = b"\xa2\x61t\x68#account\x62op\x01\xa4\x63did\x67did:a:b\x63seq\x07\x64time\x61t\x66active\xf5";
    let frames = [
        b"\xff".to_vec(),
        b"\xa1\x62op\x02\xa0".to_vec(),
        account.to_vec(),
    ];
    let [refused, decoded] = &json::lines(&frames).collect::<Vec<_>>()[..] else {
        panic!("two of the frames have a line each");
    };
    let refused: serde_json::Value = serde_json::from_str(refused).unwrap();
    assert_eq!(refused["i"], 0);
    let why = Frame::decode(&frames[0]).unwrap_err().to_string();
    assert_eq!(refused["error"], why);
    let expect = r##"{"i":2,"t":"#account","seq":7,"time":"t","did":"did:a:b","active":true}"##;
    assert_eq!(decoded, expect);
}
