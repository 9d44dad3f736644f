//! What somebody may take with them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures_util::StreamExt as _;
use huddle_core::booking::{BookingIds, Read};
use huddle_core::index::{Index as _, audit, bookings};
use huddle_core::transport::ask;
use huddle_core::{ActorName, Limits};
use huddle_lexicon::com::huddle::export_data::ExportData;
use huddle_lexicon::com::huddle::r#match::{Input, Match};
use huddle_lexicon::schema::Method as _;
use huddle_native::SystemClock;
use huddle_ports::Clock as _;
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::server::{Server, did, tomorrow};

const BOOKINGS: u64 = 350;

/// The pieces in which an export is sent, each of which is whole lines.
async fn pieces(server: &Server, person: &Did) -> Vec<Vec<Value>> {
    let token = server.token::<ExportData>(person);
    let request = Request::get(format!("/xrpc/{}", ExportData::NSID))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty());
    let answer = server.router.clone().oneshot(request.unwrap()).await;
    let pieces = answer.unwrap().into_body().into_data_stream();
    let lines = |piece: Result<axum::body::Bytes, axum::Error>| {
        let text = String::from_utf8(piece.unwrap().to_vec()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    };
    pieces.map(lines).collect().await
}

#[tokio::test]
async fn an_export_is_all_there_is_and_is_made_a_few_bookings_at_a_time() {
    let (ada, bob) = (did("ada"), did("bob"));
    let mut windows = ListedWindows::default();
    windows.add(&ada, tomorrow(0), tomorrow(60)).unwrap();
    let server = Server::start(windows, Limits::default()).await;
    let mut input = Input::new(ada);
    input.idempotency_key = Some(server.fresh_key());
    let held = server.call::<Match>(&bob, &input).await.unwrap().booking;
    let held = ActorName::booking(&held.unwrap().id.parse().unwrap());
    let booking = ask(&*server.actors, &held, Read { by: None }).await;
    let booking = *booking.unwrap().unwrap();
    let ids = BookingIds::new(&[8; 32]);
    for number in 0..BOOKINGS {
        let mut another = booking.clone();
        another.id = ids.of_request(&bob, "another", &number.to_string());
        another.created_at = booking.created_at - Duration::from_mins(1 + number);
        bookings::project(&*server.index, &another).await.unwrap();
    }
    let now = SystemClock.now();
    let note = audit::note(bob.as_str(), now, "requestIgnored", "latestHasPassed");
    server.index.batch(vec![note]).await.unwrap();

    let pieces = pieces(&server, &bob).await;
    for piece in &pieces {
        assert!(piece.len() <= 101, "{} lines at once", piece.len());
    }
    let lines = pieces.concat();
    let of = |name: &str| {
        let name = format!("com.huddle.exportData#{name}");
        let lines = lines.iter().filter(|line| line["$type"] == name);
        lines.collect::<Vec<_>>()
    };
    let ids: std::collections::BTreeSet<_> = of("booking")
        .iter()
        .map(|line| line["booking"]["id"].to_string())
        .collect();
    // The one that was asked for may not be in lists yet.
    assert!(ids.len() as u64 >= BOOKINGS, "{}", ids.len());
    assert_eq!(ids.len(), of("booking").len());
    let [exported, ignored] = &of("auditEvent")[..] else {
        panic!("{:?}", of("auditEvent"));
    };
    assert_eq!(exported["kind"], "dataExported");
    assert_eq!(ignored["kind"], "requestIgnored");
    assert_eq!(ignored["detail"], "latestHasPassed");
    let first = of("booking").last().unwrap()["booking"]["createdAt"].clone();
    assert_eq!(of("account")[0]["createdAt"], first);
    let last = lines.last().unwrap();
    assert_eq!(last["$type"], "com.huddle.exportData#end");
    assert_eq!(last["lines"], lines.len() - 1);
}
