use super::{CommitObjectError, RepoCommit, UnsignedCommit};
use crate::Cid;
use crate::cbor::write;

fn unsigned() -> UnsignedCommit<'static> {
    UnsignedCommit {
        did: "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
        rev: "3ke6kg3wk2222".parse().unwrap(),
        data: Cid::of_cbor(b"data"),
        prev: None,
    }
}

#[test]
fn what_is_signed_is_the_commit_without_its_signature() {
    for prev in [None, Some(Cid::of_cbor(b"prev"))] {
        let unsigned = UnsignedCommit { prev, ..unsigned() };
        let block = unsigned.signed(&[7; 64]);
        let commit = RepoCommit::read(&block).unwrap();
        assert_eq!((commit.did, commit.rev, commit.data, commit.prev), {
            (unsigned.did, unsigned.rev, unsigned.data, prev)
        });
        assert_eq!(commit.signature, [7; 64]);
        let digest = *Cid::of_cbor(&unsigned.to_bytes()).digest();
        assert_eq!(commit.unsigned_digest(), digest);
    }
}

#[test]
fn what_is_not_known_is_signed_too() {
    let block = unsigned().signed(&[7; 64]);
    let longer = [&[0xa7], &block[1..], b"\x68zzzzzzzz\x01"].concat();
    let signed = [&[0xa6], &unsigned().to_bytes()[1..], b"\x68zzzzzzzz\x01"].concat();
    let commit = RepoCommit::read(&longer).unwrap();
    assert_eq!(commit.unsigned_digest(), *Cid::of_cbor(&signed).digest());
}

#[test]
fn what_is_no_commit_says_why() {
    #[track_caller]
    fn check(from: &[u8], to: &[u8], expect: &str) {
        let block = unsigned().signed(&[7; 64]);
        let place = block
            .windows(from.len())
            .position(|part| part == from)
            .unwrap();
        let block = [&block[..place], to, &block[place + from.len()..]].concat();
        assert_eq!(RepoCommit::read(&block).unwrap_err().to_string(), expect);
    }
    check(b"\x67version\x03", b"\x67version\x02", "of version 2");
    check(b"\x67version\x03", b"\x67version\x04", "of version 4");
    check(b"did:plc", b"cat:plc", "`did` is not a DID");
    check(b"3ke6kg3wk2222", b"3ke6kg3wk222!", "`rev` is not a TID");
    check(b"\x63rev", b"\x63rew", "without `rev`");
    check(b"\x67version\x03", b"\x67versiom\x03", "without `version`");
    check(
        b"\x63sig\x58\x40",
        b"\x63sig\x78\x40",
        "not bytes at byte 61",
    );
    check(b"\x64prev\xf6", b"\x64prew\xf6", "without `prev`");
    check(
        b"\x67version\x03",
        b"\x67version\x03\x00",
        "there are bytes after the end at byte 188",
    );
}

#[test]
fn a_commit_has_few_entries() {
    let mut block = Vec::new();
    write::map(24, &mut block);
    for number in 0..24 {
        write::text(&"k".repeat(number + 1), &mut block);
        block.push(0);
    }
    let error = RepoCommit::read(&block).unwrap_err();
    assert_eq!(error, CommitObjectError::TooManyEntries(24));
}
