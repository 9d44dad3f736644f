//! Addresses: entered and confirmed by methods, and told to nobody else.

use std::time::Duration;

use huddle_core::Limits;
use huddle_core::mail::{ConfirmAddress, Letter};
use huddle_lexicon::com::huddle::confirm_email::{self, ConfirmEmail};
use huddle_lexicon::com::huddle::export_data::ExportData;
use huddle_lexicon::com::huddle::get_preferences::{GetPreferences, OutputEmailStatus};
use huddle_lexicon::com::huddle::request_email_confirmation::{
    self, Output, RequestEmailConfirmation,
};
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;
use huddle_xrpc::client::ClientError;

use crate::server::{Server, declared, did};

async fn server() -> Server {
    Server::start(ListedWindows::default(), Limits::default()).await
}

async fn ask(
    server: &Server,
    person: &Did,
    email: &str,
) -> Result<Output, ClientError<request_email_confirmation::Error>> {
    let mut input = request_email_confirmation::Input::new(email.to_owned());
    input.idempotency_key = Some(server.fresh_key());
    server
        .call::<RequestEmailConfirmation>(person, &input)
        .await
}

async fn confirm(
    server: &Server,
    person: &Did,
    token: &str,
) -> Result<confirm_email::Output, ClientError<confirm_email::Error>> {
    let mut input = confirm_email::Input::new(token.to_owned());
    input.idempotency_key = Some(server.fresh_key());
    server.call::<ConfirmEmail>(person, &input).await
}

async fn status(server: &Server, person: &Did) -> OutputEmailStatus {
    let client = server.as_caller::<GetPreferences>(person);
    let preferences = client.query::<GetPreferences>(&()).await;
    preferences.unwrap().output.email_status
}

async fn export(server: &Server, person: &Did) -> String {
    let client = server.as_caller::<ExportData>(person);
    let export = client.query::<ExportData>(&()).await.unwrap().output;
    String::from_utf8(export.bytes).unwrap()
}

/// The next letter that asks for a token.
async fn question(server: &mut Server) -> ConfirmAddress {
    match server.letters.recv().await.unwrap() {
        Letter::ConfirmAddress(question) => question,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_address_is_confirmed_with_the_token_that_was_mailed_there() {
    let (mut server, ada, bob) = (server().await, did("ada"), did("bob"));
    assert_eq!(status(&server, &ada).await, OutputEmailStatus::None);
    ask(&server, &ada, "ada@mail.example").await.unwrap();
    assert_eq!(status(&server, &ada).await, OutputEmailStatus::Unconfirmed);
    let question = question(&mut server).await;
    assert_eq!(question.to.as_str(), "ada@mail.example");
    let page = question.page.unwrap();
    assert!(page.contains("/confirm-email?person=did%3Aweb%3Aada.example.com&token="));

    let not_hers = confirm(&server, &bob, &question.token).await;
    assert_eq!(declared(not_hers), confirm_email::Error::InvalidToken);
    let none = confirm(&server, &ada, "x").await;
    assert_eq!(declared(none), confirm_email::Error::InvalidToken);
    confirm(&server, &ada, &question.token).await.unwrap();
    assert_eq!(status(&server, &ada).await, OutputEmailStatus::Confirmed);
    let again = confirm(&server, &ada, &question.token).await;
    assert_eq!(declared(again), confirm_email::Error::InvalidToken);
}

#[tokio::test]
async fn a_token_is_good_for_a_day() {
    let (mut server, ada) = (server().await, did("ada"));
    ask(&server, &ada, "ada@mail.example").await.unwrap();
    let question = question(&mut server).await;
    server.clock.step(Duration::from_hours(24));
    let late = confirm(&server, &ada, &question.token).await;
    assert_eq!(declared(late), confirm_email::Error::ExpiredToken);
    assert_eq!(status(&server, &ada).await, OutputEmailStatus::Unconfirmed);
}

#[tokio::test]
async fn an_address_is_exported_to_its_owner_alone() {
    let (mut server, ada, bob) = (server().await, did("ada"), did("bob"));
    ask(&server, &ada, "ada@mail.example").await.unwrap();
    question(&mut server).await;
    let email = "ada@mail.example";
    assert!(export(&server, &ada).await.contains(email));
    assert!(!export(&server, &bob).await.contains(email));
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_so_is_who_asks_too_often() {
    let (server, ada) = (server().await, did("ada"));
    let refused = ask(&server, &ada, "ada at mail.example").await;
    assert_eq!(
        declared(refused),
        request_email_confirmation::Error::InvalidEmail
    );
    for _ in 0..3 {
        ask(&server, &ada, "ada@mail.example").await.unwrap();
    }
    let error = ask(&server, &ada, "ada@mail.example").await.unwrap_err();
    let ClientError::Undeclared(response) = error else {
        panic!("{error:?}");
    };
    assert_eq!(response.error, "RateLimitExceeded");
    assert!(response.retry_after_secs.is_some_and(|secs| secs > 3600));
}
