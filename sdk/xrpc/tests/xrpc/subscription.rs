//! Event streams: addresses and frames.

use std::sync::Arc;

use crate::support::{Note, Notes, canned};
use http::StatusCode;
use huddle_syntax::schema::{self, ErrorName as _, Invalid};
use huddle_xrpc::client::Client;
use huddle_xrpc::subscription::{self, Frame};

/// `com.example.watchNotes`: a stream of notes.
struct WatchNotes;

impl schema::Method for WatchNotes {
    const NSID: &'static str = "com.example.watchNotes";
    type Params = WatchParams;
    type Error = WatchError;
}

impl schema::Subscription for WatchNotes {
    type Message = Event;
}

#[derive(Debug)]
struct WatchParams {
    cursor: Option<i64>,
}

impl schema::Constraints for WatchParams {
    fn check_fields(&self) -> Result<(), Invalid> {
        self.cursor
            .map_or(Ok(()), |cursor| schema::check::minimum(cursor, 0))
    }
}

huddle_syntax::params!(WatchParams { cursor: optional "cursor" });

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WatchError {
    FutureCursor,
}

huddle_syntax::error_names!(WatchError { FutureCursor = "FutureCursor" });

#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Put(Box<Notes>),
    Cleared(Box<Note>),
}

huddle_syntax::message!(Event { Put = "#put", Cleared = "#cleared" });

fn url(service: &str, cursor: Option<i64>) -> Result<String, Invalid> {
    let client = Client::new(
        Arc::new(crate::support::InProcess::new(canned(
            StatusCode::OK,
            None,
            "",
        ))),
        service.parse().unwrap(),
    );
    client
        .subscription_url::<WatchNotes>(&WatchParams { cursor })
        .map(String::from)
}

#[test]
fn the_address_is_a_websocket_with_the_parameters() {
    for (service, cursor, expect) in [
        (
            "https://notes.example",
            None,
            "wss://notes.example/xrpc/com.example.watchNotes",
        ),
        (
            "https://notes.example/",
            Some(7),
            "wss://notes.example/xrpc/com.example.watchNotes?cursor=7",
        ),
        (
            "http://localhost:2583/a/#b",
            Some(0),
            "ws://localhost:2583/a/xrpc/com.example.watchNotes?cursor=0",
        ),
    ] {
        assert_eq!(url(service, cursor).as_deref(), Ok(expect));
    }
    assert!(url("https://notes.example", Some(-1)).is_err());
}

#[test]
fn messages_and_errors_come_back_as_they_were_sent() {
    for frame in [
        Frame::Message(Event::Put(Box::new(Notes::of(["a", "b"])))),
        Frame::Message(Event::Cleared(Box::new(Note::new("c")))),
        Frame::Error {
            error: "FutureCursor".to_owned(),
            message: None,
        },
        Frame::Error {
            error: "Other".to_owned(),
            message: Some("why".to_owned()),
        },
    ] {
        let bytes = frame.encode().unwrap();
        assert_eq!(subscription::decode::<WatchNotes>(&bytes), Ok(frame));
    }
    assert_eq!(
        WatchError::from_name("FutureCursor"),
        Some(WatchError::FutureCursor)
    );
    assert!(subscription::decode::<WatchNotes>(b"").is_err());
}
