use super::{BlockStore as _, Car, CarError, CarProblem, HEADER, Index, LINEAR, write};
use crate::cbor::{CborError, CborProblem};
use crate::{Cid, varint};

fn blocks(count: usize) -> Vec<(Cid, Vec<u8>)> {
    let block = |number: usize| number.to_be_bytes().to_vec();
    (0..count)
        .map(|number| (Cid::of_cbor(&block(number)), block(number)))
        .collect()
}

fn car(blocks: &[(Cid, Vec<u8>)]) -> Vec<u8> {
    let pairs = blocks.iter().map(|(cid, block)| (cid, &block[..]));
    write(&Cid::of_cbor(b"root"), pairs)
}

#[test]
fn blocks_are_found_however_many_there_are() {
    for count in [0, 1, LINEAR, LINEAR + 1, 1000] {
        let blocks = blocks(count);
        let bytes = car(&blocks);
        let car = Car::read(&bytes).unwrap();
        assert_eq!((car.root(), car.len()), (Cid::of_cbor(b"root"), count));
        for (cid, block) in &blocks {
            assert_eq!(car.block(cid), Some(&block[..]));
        }
        assert_eq!(car.block(&Cid::of_cbor(b"none")), None);
        let mut found: Vec<_> = car
            .iter()
            .map(|(cid, block)| (cid, block.to_vec()))
            .collect();
        found.sort();
        let mut blocks = blocks;
        blocks.sort();
        assert_eq!(found, blocks);
    }
}

/// What is sorted by no more than how CIDs begin takes as long as there are blocks for each that is looked for.
#[test]
fn blocks_are_in_order_however_their_cids_begin() {
    let alike = (0..2_000_u16).map(|number| {
        let mut digest = [0; 32];
        digest[30..].copy_from_slice(&(number % 500).wrapping_mul(7_919).to_be_bytes());
        (Cid::from_digest(digest), number.to_be_bytes().to_vec())
    });
    let alike: Vec<_> = alike.collect();
    let mut bytes = car(&alike);
    // Every other one of another codec.
    for section in bytes[59..].chunks_exact_mut(1 + Cid::LEN + 2).step_by(2) {
        assert_eq!(section[2], 0x71);
        section[2] = 0x55;
    }
    let mut index = Index::default();
    index.fill(&bytes, false).unwrap();
    let cids = index.entries.iter().map(|entry| entry.cid(&bytes));
    assert!(cids.is_sorted());
    for entry in &index.entries {
        let found = index.find(&bytes, &entry.cid(&bytes)).unwrap();
        let number = |block: &[u8]| u16::from_be_bytes(*block.as_array().unwrap()) % 500;
        assert_eq!(number(found), number(entry.block(&bytes)));
    }
    assert_eq!(index.find(&bytes, &Cid::from_digest([0xff; 32])), None);
}

#[test]
fn the_same_block_may_be_there_twice_and_empty() {
    let twice = [
        (Cid::of_cbor(b""), Vec::new()),
        (Cid::of_cbor(b""), Vec::new()),
    ];
    let bytes = car(&twice);
    assert_eq!(
        Car::read(&bytes).unwrap().block(&Cid::of_cbor(b"")),
        Some(&b""[..])
    );
}

#[test]
fn every_byte_counts() {
    let bytes = car(&blocks(2));
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let same = Car::read(&changed).is_ok_and(|car| car.root() == Cid::of_cbor(b"root"));
        assert!(!same, "byte {place}");
        assert!(
            Index::default().fill(&bytes[..place], true).is_err() || place == 59 || place == 104
        );
    }
}

#[test]
fn what_is_no_car_says_why() {
    #[track_caller]
    fn check(header: &[u8], sections: &[u8], problem: CarProblem) {
        let mut bytes = Vec::new();
        varint::write(header.len() as u64, &mut bytes);
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(sections);
        assert_eq!(Car::read(&bytes).unwrap_err().problem, problem);
    }
    let bytes = car(&[]);
    let header = &bytes[1..];
    check(header, &[0], CarProblem::Length);
    check(header, &[0x80, 0], CarProblem::Length);
    check(header, &[2, 1], CarProblem::Length);
    check(header, &[2, 1, 1], CarProblem::Cid);
    let section = [&[37][..], &Cid::of_cbor(b"b").to_bytes(), b"c"].concat();
    check(header, &section, CarProblem::Hash);
    check(b"\xa2\x65roots\x80\x67version\x01", &[], CarProblem::NoRoot);
    check(b"\xa1\x67version\x01", &[], CarProblem::HeaderFields);
    check(b"\xa1\x65roots\x80", &[], CarProblem::HeaderFields);
    check(
        b"\xa3\x61x\x00\x65roots\x80\x67version\x01",
        &[],
        CarProblem::HeaderFields,
    );
    let mut second = header.to_vec();
    *second.last_mut().unwrap() = 2;
    check(&second, &[], CarProblem::Version(2));
    let mut raw = header.to_vec();
    raw[HEADER.len() + 1] = 0x55;
    let link = CborError {
        problem: CborProblem::Link,
        offset: 8,
    };
    check(&raw, &[], CarProblem::Header(link));
    assert!(Car::read(b"").is_err());
}

/// They are hashed at once, so that a short one is known to be wrong before a long one in front of it.
#[test]
fn of_several_faults_the_first_is_told() {
    let blocks: Vec<_> = (0..6_usize)
        .map(|number| vec![7; 500 - 80 * number])
        .map(|block| (Cid::of_cbor(&block), block))
        .collect();
    let whole = car(&blocks);
    let starts: Vec<_> = (0..blocks.len())
        .map(|count| car(&blocks[..count]).len())
        .collect();
    for (first, start) in starts.iter().enumerate() {
        let mut changed = whole.clone();
        for (other, (_, block)) in starts[first..].iter().zip(&blocks[first..]) {
            changed[other + 2 + Cid::LEN + block.len() - 1] ^= 1;
        }
        // And then a section that does not fit.
        changed.push(9);
        let wrong = CarError {
            problem: CarProblem::Hash,
            offset: *start,
        };
        assert_eq!(Car::read(&changed).unwrap_err(), wrong, "{first}");
    }
    let cut = [&whole[..], &[9]].concat();
    let unfit = CarError {
        problem: CarProblem::Length,
        offset: whole.len(),
    };
    assert_eq!(Car::read(&cut).unwrap_err(), unfit);
}

#[test]
fn of_several_roots_the_first_counts() {
    let roots = [Cid::of_cbor(b"1"), Cid::of_cbor(b"2")];
    let link = |cid: &Cid| [b"\xd8\x2a\x58\x25\x00", &cid.to_bytes()[..]].concat();
    let header = [
        b"\xa2\x65roots\x82",
        &link(&roots[0])[..],
        &link(&roots[1]),
        b"\x67version\x01",
    ]
    .concat();
    let bytes = [&[u8::try_from(header.len()).unwrap()][..], &header].concat();
    assert_eq!(Car::read(&bytes).unwrap().root(), roots[0]);
}
