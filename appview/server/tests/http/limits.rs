//! How often people may ask.

use huddle_core::Limits;
use huddle_lexicon::com::huddle::get_booking::{GetBooking, Params};
use huddle_testkit::ListedWindows;
use huddle_xrpc::Generic;
use huddle_xrpc::client::ClientError;

use crate::server::{Server, did};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_asks_too_often_hears_when_to_come_again_and_others_are_answered() {
    let limits = Limits {
        account_per_minute: 1,
        account_burst: 2,
        ..Limits::default()
    };
    let server = Server::start(ListedWindows::default(), limits).await;
    let ask = async |name: &str| {
        let client = server.as_caller::<GetBooking>(&did(name));
        let params = Params::new("3hq7n2k5x4d6m7p2r5t7");
        client.query::<GetBooking>(&params).await.unwrap_err()
    };
    for _ in 0..2 {
        assert!(matches!(ask("bob").await, ClientError::Declared(_)));
    }
    match ask("bob").await {
        ClientError::Undeclared(response) => {
            assert_eq!(response.generic(), Some(Generic::RateLimitExceeded));
            let wait = response.retry_after_secs.unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
        }
        other => panic!("{other}"),
    }
    assert!(matches!(ask("eve").await, ClientError::Declared(_)));
}
