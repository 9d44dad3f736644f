//! What people type on pages, and what stands in their links, is in no line of the log.

use std::io;
use std::sync::{Arc, Mutex};

use huddle_appview::loopback;
use huddle_core::Limits;
use huddle_core::mail::Letter;
use huddle_lexicon::com::huddle::get_connect_url::{GetConnectUrl, Params, ParamsProvider};
use huddle_lexicon::com::huddle::get_settings_url::GetSettingsUrl;
use huddle_lexicon::com::huddle::request_email_confirmation::{self, RequestEmailConfirmation};
use huddle_ports::{FetchLimits, HeaderValue, Request, Url, header};
use huddle_testkit::ListedWindows;
use tracing::Level;

use crate::server::{Server, did, network};

const PASSWORD: &str = "a-word-of-passing";

/// Where everything is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a browser does with the form at `page`; the status of the answer.
async fn submit(page: &Url, fields: &[(&str, &str)]) -> u16 {
    let mut form = Url::parse("form:").unwrap();
    form.query_pairs_mut()
        .extend_pairs(page.query_pairs())
        .extend_pairs(fields);
    let mut url = page.clone();
    url.set_query(None);
    let request = Request::post(url, form.query().unwrap().to_owned()).header(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    let limits = FetchLimits {
        max_redirects: 1,
        ..FetchLimits::default()
    };
    let answer = network().fetch(request.limits(limits)).await.unwrap();
    answer.status.as_u16()
}

/// The value of a parameter in the address of a page.
fn parameter(page: &Url, name: &str) -> String {
    let mut pairs = page.query_pairs();
    let (_, value) = pairs.find(|(key, _)| key == name).unwrap();
    value.into_owned()
}

#[tokio::test]
async fn nothing_that_is_typed_or_linked_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let logging = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // Everything here runs on this thread.
    let _logging = tracing::subscriber::set_default(logging);
    let mut server = Server::start(ListedWindows::default(), Limits::default()).await;
    let others = loopback::start().await.unwrap();
    others.calendars.open("ada-of-the-calendar", PASSWORD);
    let ada = did("ada");

    let client = server.as_caller::<GetConnectUrl>(&ada);
    let params = Params::new(ParamsProvider::Caldav);
    let page = client.query::<GetConnectUrl>(&params).await.unwrap();
    let page = Url::parse(page.output.url.as_str()).unwrap();
    let account = |password| {
        [
            ("address", others.calendars.place().as_str()),
            ("user", "ada-of-the-calendar"),
            ("password", password),
        ]
    };
    let wrong = submit(&page, &account("another-word")).await;
    assert_eq!(wrong, 422);
    assert_eq!(submit(&page, &account(PASSWORD)).await, 200);

    let mut input = request_email_confirmation::Input::new("ada@mail.example".to_owned());
    input.idempotency_key = Some(server.fresh_key());
    let asked = server.call::<RequestEmailConfirmation>(&ada, &input);
    asked.await.unwrap();
    let Some(Letter::ConfirmAddress(letter)) = server.letters.recv().await else {
        panic!("a letter asks for confirmation");
    };
    let confirmation = Url::parse(&letter.page.unwrap()).unwrap();
    assert_eq!(submit(&confirmation, &[]).await, 200);

    let client = server.as_caller::<GetSettingsUrl>(&ada);
    let settings = client.query::<GetSettingsUrl>(&()).await.unwrap();
    let mut settings = Url::parse(settings.output.url.as_str()).unwrap();
    settings.set_path("/settings/webhook");
    let app = [
        ("once", "1"),
        ("url", "https://app.example/?token=of-the-app"),
    ];
    assert_eq!(submit(&settings, &app).await, 200);

    let logged = log.0.lock().unwrap().clone();
    let logged = String::from_utf8(logged).unwrap();
    assert!(logged.contains("com.huddle.getConnectUrl"), "{logged}");
    for secret in [
        PASSWORD,
        "another-word",
        "ada-of-the-calendar",
        &parameter(&page, "ticket"),
        &parameter(&settings, "ticket"),
        "of-the-app",
        &letter.token,
        "ada@mail.example",
    ] {
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
