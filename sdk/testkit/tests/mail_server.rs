//! What the mail server in memory says is what programs that send mail wait for.

use std::sync::Arc;

use huddle_testkit::{MailServer, SmtpSession};

/// What is answered to each line; an empty text where nothing is.
fn converse(server: &Arc<MailServer>, lines: &[&str]) -> Vec<&'static str> {
    let mut session = SmtpSession::new(server.clone());
    let answers = lines.iter().map(|line| session.line(line));
    answers
        .map(|reply| reply.map_or("", |reply| reply.text))
        .collect()
}

/// The codes that are answered.
#[track_caller]
fn check(lines: &[&str], codes: &[&str]) {
    let server = Arc::new(MailServer::default());
    let answers = converse(&server, lines);
    let answered: Vec<_> = answers.iter().filter_map(|it| it.get(..3)).collect();
    assert_eq!(answered, codes, "{lines:?}");
}

#[test]
fn mail_is_kept_for_whom_it_is() {
    let server = Arc::new(MailServer::default());
    let answers = converse(
        &server,
        &[
            "EHLO huddle.test",
            "MAIL FROM:<a@mail.test> BODY=8BITMIME",
            "RCPT TO:<b@mail.test>",
            "rcpt to:<c@mail.test>",
            "DATA",
            "Subject: Hello",
            "",
            "..dots are doubled",
            ".",
            "QUIT",
        ],
    );
    assert!(answers[0].contains("8BITMIME"), "{answers:?}");
    assert!(answers[4].starts_with("354"), "{answers:?}");
    assert!(answers[8].starts_with("250"), "{answers:?}");
    assert!(answers[9].starts_with("221"), "{answers:?}");
    for reader in ["b@mail.test", "c@mail.test"] {
        let [mail] = server.mail_for(reader).try_into().unwrap();
        assert_eq!(mail.from, "a@mail.test");
        assert_eq!(mail.text, "Subject: Hello\r\n\r\n.dots are doubled\r\n");
        assert_eq!(mail.part("text/plain").unwrap(), ".dots are doubled\r\n");
    }
    assert_eq!(server.mail_for("a@mail.test"), []);
}

#[test]
fn what_is_out_of_order_or_unreadable_is_refused() {
    check(&["DATA"], &["503"]);
    check(&["RCPT TO:<b@mail.test>"], &["503"]);
    check(&["MAIL FROM:<a@mail.test>", "DATA"], &["250", "503"]);
    check(&["MAIL TO:<a@mail.test>"], &["501"]);
    check(&["MAIL FROM:a@mail.test", ""], &["501", "500"]);
    check(&["MAIL", "é"], &["501", "500"]);
    check(&["NOOP", "RSET", "VRFY ana"], &["250", "250", "500"]);
}

#[test]
fn mail_that_is_too_long_is_refused_and_not_kept() {
    let server = Arc::new(MailServer::default());
    let line = "x".repeat(990);
    let mut lines = vec!["MAIL FROM:<a@mail.test>", "RCPT TO:<b@mail.test>", "DATA"];
    lines.extend(vec![&*line; 1100]);
    lines.push(".");
    let answers = converse(&server, &lines);
    assert!(answers.last().unwrap().starts_with("552"));
    assert_eq!(server.mail_for("b@mail.test"), []);
}
