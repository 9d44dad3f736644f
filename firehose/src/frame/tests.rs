use super::{AccountStatus, Frame, FrameError, MAX_FRAME_LEN};
use crate::Cid;
use crate::cbor::{CborProblem, write};

/// A frame with this header and body, each a list of keys and canonical values.
fn frame(header: &[(&str, &[u8])], body: &[(&str, &[u8])]) -> Vec<u8> {
    let mut to = Vec::new();
    for map in [header, body] {
        write::map(map.len() as u64, &mut to);
        for (key, value) in map {
            write::text(key, &mut to);
            to.extend_from_slice(value);
        }
    }
    to
}

fn text(value: &str) -> Vec<u8> {
    let mut to = Vec::new();
    write::text(value, &mut to);
    to
}

fn event(name: &str, body: &[(&str, &[u8])]) -> Vec<u8> {
    frame(&[("t", &text(name)), ("op", b"\x01")], body)
}

const DID: &str = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";

#[test]
fn each_event_is_decoded_field_by_field() {
    let (did, time) = (text(DID), text("now"));
    let identity = event(
        "#identity",
        &[("did", &did), ("seq", b"\x05"), ("time", &time)],
    );
    let Frame::Identity(identity) = Frame::decode(&identity).unwrap() else {
        panic!("not an identity");
    };
    assert_eq!(
        (identity.seq, identity.did, identity.handle),
        (5, DID, None)
    );

    let fields: [(&str, &[u8]); 5] = [
        ("did", &did),
        ("seq", b"\x06"),
        ("time", &time),
        ("active", b"\xf4"),
        ("status", &text("frozen")),
    ];
    let bytes = event("#account", &fields);
    let Frame::Account(account) = Frame::decode(&bytes).unwrap() else {
        panic!("not an account");
    };
    assert!(!account.active);
    assert_eq!(account.status, Some(AccountStatus::Other("frozen")));

    let bytes = event("#info", &[("name", &text("OutdatedCursor"))]);
    assert!(
        matches!(Frame::decode(&bytes), Ok(Frame::Info(info)) if info.name == "OutdatedCursor")
    );
}

#[test]
fn the_place_in_the_stream_is_known_also_of_what_is_not() {
    #[track_caller]
    fn check(bytes: &[u8], expect: Option<i64>) {
        let frame = Frame::decode(bytes).unwrap();
        assert!(matches!(frame, Frame::Unknown(_)));
        assert_eq!(frame.seq(), expect);
    }
    check(
        &event("#new", &[("seq", b"\x18\x2a"), ("zeta", b"\xf6")]),
        Some(42),
    );
    check(&event("#new", &[("seq", b"\x60")]), None);
    check(&event("#new", &[]), None);
    check(b"\xa2\x61t\x64#new\x62op\x01\x80", None);
    check(
        &frame(&[("t", &text("#commit")), ("op", b"\x02")], &[]),
        None,
    );
    check(&frame(&[("op", b"\x21")], &[]), None);
}

#[test]
fn an_error_is_one_also_without_a_name() {
    #[track_caller]
    fn check(bytes: &[u8], expect: &str) {
        let frame = Frame::decode(bytes);
        assert!(matches!(frame, Ok(Frame::Error(error)) if error.error == expect));
    }
    check(b"\xa1\x62op\x20", "");
    check(b"\xa1\x62op\x20\xa0", "");
    check(
        &frame(&[("op", b"\x20")], &[("error", &text("FutureCursor"))]),
        "FutureCursor",
    );
    assert!(Frame::decode(b"\xa1\x62op\x20\x80").is_err());
}

#[test]
fn null_is_as_good_as_absent_where_a_change_is_too_big() {
    let mut link = Vec::new();
    write::cid(&Cid::of_cbor(b""), &mut link);
    let commit = |blocks: &'static [u8], too_big: &'static [u8]| {
        let (rev, did) = (text("3ke6kg3wk2222"), text(DID));
        let fields: [(&str, &[u8]); 8] = [
            ("ops", b"\x80"),
            ("rev", &rev),
            ("seq", b"\x01"),
            ("repo", &did),
            ("time", b"\x60"),
            ("blocks", blocks),
            ("commit", &link),
            ("tooBig", too_big),
        ];
        event("#commit", &fields)
    };
    let is_too_big = |bytes: &[u8]| match Frame::decode(bytes) {
        Ok(Frame::Commit(commit)) => Ok(commit.too_big),
        Ok(_) => panic!("not a commit"),
        Err(error) => Err(error),
    };
    assert_eq!(is_too_big(&commit(b"\x40", b"\xf6")), Ok(false));
    assert_eq!(is_too_big(&commit(b"\xf6", b"\xf5")), Ok(true));
    let missing = super::missing("#commit", "blocks");
    assert_eq!(is_too_big(&commit(b"\xf6", b"\xf6")), Err(missing));
}

#[test]
fn what_is_no_frame_says_why() {
    #[track_caller]
    fn check(bytes: &[u8], expect: &str) {
        assert_eq!(Frame::decode(bytes).unwrap_err().to_string(), expect);
    }
    check(b"", "the end comes too early at byte 0");
    check(
        &vec![0; MAX_FRAME_LEN + 1],
        "5000001 bytes; the most is 5000000",
    );
    check(&frame(&[], &[]), "the header without `op`");
    check(
        &frame(&[("op", b"\x01")], &[]),
        "the header of a message without `t`",
    );
    check(&event("#info", &[]), "#info without `name`");
    check(&event("#identity", &[]), "#identity without `seq`");
    check(
        &event("#account", &[("did", &text("me"))]),
        "`did` of #account is not a DID",
    );
    check(
        &event("#identity", &[("seq", b"\x20")]),
        "not a place in a stream at byte 22",
    );
    let fields: [(&str, &[u8]); 3] = [("did", &text(DID)), ("seq", b"\x06"), ("time", b"\x60")];
    check(&event("#account", &fields), "#account without `active`");
    check(&event("#sync", &fields), "#sync without `rev`");
    check(&event("#commit", &[]), "#commit without `seq`");
    let mut long = event("#new", &[]);
    long.push(0);
    check(&long, "there are bytes after the end at byte 13");
    check(
        b"\xa2\x62op\x01\x61t\x60\xa0",
        "keys are not in order at byte 5",
    );
}

#[test]
fn every_cut_of_a_frame_is_refused() {
    let cid = Cid::of_cbor(b"");
    let mut link = Vec::new();
    write::cid(&cid, &mut link);
    let op: [(&str, &[u8]); 3] = [
        ("cid", &link),
        ("path", &text("a/b")),
        ("action", &text("create")),
    ];
    let op = frame(&op, &[]);
    let ops = [&[0x81], &op[..op.len() - 1]].concat();
    let fields: [(&str, &[u8]); 9] = [
        ("ops", &ops),
        ("rev", &text("3ke6kg3wk2222")),
        ("seq", b"\x01"),
        ("repo", &text(DID)),
        ("time", &text("now")),
        ("blobs", b"\xf6"),
        ("since", b"\xf6"),
        ("blocks", b"\x40"),
        ("commit", &link),
    ];
    let bytes = event("#commit", &fields);
    let Ok(Frame::Commit(commit)) = Frame::decode(&bytes) else {
        panic!("not a commit");
    };
    let op = commit.ops.iter().next().unwrap();
    assert_eq!((op.path, op.cid, op.prev), ("a/b", Some(cid), None));
    assert_eq!((commit.commit, commit.prev_data), (cid, None));
    for cut in 0..bytes.len() {
        assert!(
            matches!(
                Frame::decode(&bytes[..cut]),
                Err(FrameError::Cbor(error)) if error.problem == CborProblem::Truncated
            ),
            "{cut}"
        );
    }
}
