//! What letters look like to whoever gets them.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use huddle_core::mail::{ConfirmAddress, Delivery, Disconnected, Letter, Mail as _};
use huddle_core::user_connector::connector::{ConnectorId, Provider};
use huddle_mail::{Letters, Mailer, Message, Sender};
use huddle_ports::Timestamp;

/// Is never asked to send anything.
struct Unused;

#[async_trait]
impl Mailer for Unused {
    async fn send(&self, _: &Message) -> Delivery {
        Delivery::Sent
    }
}

fn letters() -> Letters {
    let sender = "Huddle <bookings@huddle.example>".parse().unwrap();
    Letters::new(Arc::new(Unused), sender)
}

/// 2026-06-01T12:00Z.
const NOON: Timestamp = Timestamp::from_millis(1_780_315_200_000);

fn question(name: &str, page: Option<&str>) -> Letter {
    Letter::ConfirmAddress(ConfirmAddress {
        name: name.into(),
        to: "bob@mail.example".parse().unwrap(),
        mark: "abcdefgh23456723".into(),
        token: "k.TOKEN".into(),
        page: page.map(str::to_owned),
        asked: NOON,
        expires: NOON + std::time::Duration::from_hours(24),
        zone: "Europe/Madrid".parse().unwrap(),
    })
}

fn written(letter: &Letter) -> String {
    let message = letters().write(letter).unwrap();
    String::from_utf8(message.bytes).unwrap()
}

#[test]
fn a_question_says_who_asks_until_when_and_what_to_do() {
    let page = "https://huddle.example/confirm-email?token=k.TOKEN";
    let text = written(&question("@bob.test", Some(page)));
    let (headers, body) = text.split_once("\r\n\r\n").unwrap();
    for header in [
        "Message-ID: <abcdefgh23456723.confirm@huddle.example>",
        "Date: Mon, 1 Jun 2026 12:00:00 +0000",
        "From: \"Huddle\" <bookings@huddle.example>",
        "To: \"@bob.test\" <bob@mail.example>",
        "Subject: Is this your address?",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(
            headers.lines().any(|line| line == header),
            "{header}: {headers}"
        );
    }
    assert!(headers.contains("Content-Type: multipart/alternative;"));
    assert!(body.contains("Content-Type: text/plain"));
    assert!(body.contains("Content-Type: text/html"));
    assert!(body.contains("until Tuesday, 2 June 2026, 14:00 (Europe/Madrid)."));
    assert!(body.contains("If it was not you, do nothing"));
    // The same letter is the same message, to the byte.
    assert_eq!(text, written(&question("@bob.test", Some(page))));
}

#[test]
fn without_a_page_the_token_is_all_there_is() {
    let text = written(&question("@bob.test", None));
    assert!(text.contains("k.TOKEN"));
    assert!(!text.contains("Open this page") && !text.contains("href"));
}

#[test]
fn a_name_is_text_and_adds_neither_a_header_nor_an_element() {
    let name = "Eve\r\nBcc: all@mail.example\r\n\r\n<script src=https://evil.example>";
    let text = written(&question(name, None));
    let (headers, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(
        headers.lines().all(|line| !line.starts_with("Bcc")),
        "{headers}"
    );
    let (_, html) = body.split_once("Content-Type: text/html").unwrap();
    assert!(!html.contains("<script"), "{html}");
}

fn lost(label: Option<&str>) -> Letter {
    Letter::Disconnected(Disconnected {
        name: "Bob".into(),
        to: "bob@mail.example".parse().unwrap(),
        connector: ConnectorId::from("c7m2p4".to_owned()),
        provider: Provider::Ics,
        label: label.map(str::to_owned),
        at: NOON,
        zone: "Europe/Madrid".parse().unwrap(),
    })
}

#[test]
fn of_a_lost_calendar_it_is_said_which_since_when_and_what_to_do() {
    // Lines that are broken so that they are short enough (RFC 2045 §6.7).
    let whole = |text: String| text.replace("=\r\n", "");
    let text = whole(written(&lost(Some("Work"))));
    assert!(text.contains("Message-ID: <c7m2p4.1780315200000.disconnected@huddle.example>"));
    assert!(text.contains("Subject: Your calendar is not connected any more"));
    let says = r#"Bob, your calendar feed "Work" has not let Huddle in since Monday, 1 June 2026, 14:00 (Europe/Madrid)"#;
    assert_eq!(text.matches(says).count(), 2, "{text}");
    assert_eq!(text, whole(written(&lost(Some("Work")))));
    let unnamed = whole(written(&lost(None)));
    assert!(
        unnamed.contains("your calendar feed has not let"),
        "{unnamed}"
    );
    let hostile = written(&lost(Some("<script>\r\nBcc: x")));
    let (_, html) = hostile.split_once("Content-Type: text/html").unwrap();
    assert!(!html.contains("<script"), "{html}");
    assert!(hostile.lines().all(|line| !line.starts_with("Bcc")));
}

#[test]
fn html_fetches_nothing() {
    let text = written(&question("@bob.test", Some("https://huddle.example/x")));
    for fetched in ["src=", "url(", "<link", "<img", "@import", "<script"] {
        assert!(!text.contains(fetched), "{fetched}");
    }
}

#[test]
fn a_letter_is_handed_to_the_mailer() {
    let sent = letters().send(&question("@bob.test", None)).now_or_never();
    assert_eq!(sent, Some(Delivery::Sent));
}

#[test]
fn a_sender_is_an_address_with_or_without_a_name() {
    let sender = |text: &str| text.parse::<Sender>();
    let plain = sender(" bookings@huddle.example ").unwrap();
    assert_eq!(plain.name, "Huddle");
    let named = sender("Our  Meetings <bookings@huddle.example>").unwrap();
    assert_eq!(named.name, "Our Meetings");
    assert_eq!(named.address.as_str(), "bookings@huddle.example");
    for text in ["", "Huddle", "Huddle <>", "Huddle <a@b", "<a@b.example> x"] {
        assert!(sender(text).is_err(), "{text:?}");
    }
}
