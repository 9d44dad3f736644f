//! What the library allocates: nothing for what is passed over, and no more than it should for anything.

#[path = "../examples/support/input.rs"]
#[expect(dead_code, reason = "the keys are for others")]
mod input;

use huddle_firehose::car::write;
use huddle_firehose::{Cid, Filter, Frame, Level, Verifier, mst};
use huddle_testdata::shared;
use std::time::Duration;

/// After every revision in any file.
const NOW: Duration = Duration::from_secs(10_000_000_000);

fn corpus() -> Vec<Vec<u8>> {
    let folder = shared("firehose/corpus");
    folder.map_or_else(Vec::new, |folder| {
        input::frames(&folder.join("frames.bin")).expect("the frames can be read")
    })
}

#[test]
fn decoding_a_frame_allocates_nothing() {
    let frames = corpus();
    let measured = allocation_counter::measure(|| {
        for frame in &frames {
            std::hint::black_box(Frame::decode(frame).unwrap());
        }
    });
    assert_eq!(measured.count_total, 0);
}

#[test]
fn filtering_and_hashing_what_is_wanted_allocates_nothing_once_warm() {
    let frames = corpus();
    let filter = Filter::new(["com.huddle."]);
    let mut verifier = Verifier::new();
    let mut pass = || {
        for frame in &frames {
            if let Frame::Commit(event) = Frame::decode(frame).unwrap()
                && filter.wants(&event)
            {
                let commit = verifier.verify(&event, Level::Hashes, NOW).unwrap();
                assert!(commit.changes().len() > 0);
            }
        }
    };
    pass();
    assert_eq!(allocation_counter::measure(pass).count_total, 0);
}

/// A node of nothing but keys that share all they can: the most that a few bytes can unfold to.
#[test]
fn a_tree_unfolds_to_a_bounded_size() {
    let mut node = vec![0xa2, 0x61, b'e', 0x99];
    let entries = 44_000_u16;
    node.extend_from_slice(&entries.to_be_bytes());
    let record = Cid::of_cbor(b"\xa0").to_bytes();
    for number in 0..entries {
        let shared = if number == 0 { 0_u16 } else { 828 };
        let rest = match number {
            0 => [vec![b'a'; 828], number.to_be_bytes().to_vec()].concat(),
            _ => number.to_be_bytes().to_vec(),
        };
        node.extend_from_slice(b"\xa4\x61k");
        match rest.len() {
            2 => node.push(0x42),
            _ => node.extend_from_slice(&[0x59, 0x03, 0x3e]),
        }
        node.extend_from_slice(&rest);
        node.extend_from_slice(b"\x61p");
        match shared {
            0 => node.push(0),
            _ => node.extend_from_slice(&[0x19, 0x03, 0x3c]),
        }
        node.extend_from_slice(b"\x61t\xf6\x61v\xd8\x2a\x58\x25\x00");
        node.extend_from_slice(&record);
    }
    node.extend_from_slice(b"\x61l\xf6");
    let root = Cid::of_cbor(&node);
    let car = write(&root, [(&root, &node[..])]);
    let measured = allocation_counter::measure(|| {
        let car = huddle_firehose::car::Car::read(&car).unwrap();
        assert!(mst::find(&car, root, b"b").is_err());
    });
    println!(
        "{} bytes of a tree took {} bytes",
        car.len(),
        measured.bytes_max
    );
    assert!(measured.bytes_max < 64 << 20);
}
