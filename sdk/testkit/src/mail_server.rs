//! A stand-in for a mail server: it takes mail for everybody, and keeps it.
//!
//! What travels over the connection is given to a [`SmtpSession`] line by line, so that any runtime can put a socket
//! before it.

mod message;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Mail that has arrived.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// Whom it comes from, as the envelope says.
    pub from: String,
    /// Whom it is for, as the envelope says.
    pub to: Vec<String>,
    /// Headers and body, each line ended by CR LF.
    pub text: String,
}

impl ReceivedMail {
    /// The part of this type, such as `text/calendar`, as it was before it was encoded to travel (RFC 2045 §6).
    pub fn part(&self, content_type: &str) -> Option<String> {
        message::part(&self.text, content_type)
    }
}

impl fmt::Debug for ReceivedMail {
    /// Leaves out what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedMail")
            .field("to", &self.to)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// A server of mail in memory.
#[derive(Debug, Default)]
pub struct MailServer(Mutex<Vec<ReceivedMail>>);

impl MailServer {
    /// What has arrived for an address, the oldest first.
    pub fn mail_for(&self, address: &str) -> Vec<ReceivedMail> {
        let mail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_for = |mail: &&ReceivedMail| mail.to.iter().any(|to| to == address);
        mail.iter().filter(is_for).cloned().collect()
    }

    fn receive(&self, mail: ReceivedMail) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(mail);
    }
}

/// The longest mail that is taken, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The longest line that is to be given to a [`SmtpSession`], in bytes, its end included (RFC 5321 §4.5.3.1.6).
pub const MAX_LINE_BYTES: u64 = 1000;

/// One connection to a [`MailServer`], without the connection (RFC 5321).
#[derive(Debug)]
pub struct SmtpSession {
    server: Arc<MailServer>,
    /// Whom the next mail is from and for.
    envelope: Option<(String, Vec<String>)>,
    /// The mail as far as it has come.
    data: Option<String>,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmtpReply {
    /// One or more whole lines.
    pub text: &'static str,
    /// Whether the connection ends after it.
    pub is_last: bool,
}

impl SmtpSession {
    /// What the server says to whoever connects.
    pub const GREETING: &'static str = "220 mail.test takes it all\r\n";

    /// A connection that has just begun.
    pub fn new(server: Arc<MailServer>) -> Self {
        Self {
            server,
            envelope: None,
            data: None,
        }
    }

    /// Takes a line, without its end; what is to be answered, if anything.
    pub fn line(&mut self, line: &str) -> Option<SmtpReply> {
        if let Some(data) = &mut self.data {
            if line != "." {
                // A dot in front was doubled to travel (RFC 5321 §4.5.2).
                let line = line.strip_prefix('.').unwrap_or(line);
                if data.len() <= MAX_BYTES {
                    data.push_str(line);
                    data.push_str("\r\n");
                }
                return None;
            }
            return Some(self.end());
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match verb.to_ascii_uppercase().as_str() {
            "EHLO" => say("250-mail.test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"),
            "HELO" | "RSET" => {
                self.envelope = None;
                say(OK)
            }
            "NOOP" => say(OK),
            "MAIL" => self.from(rest),
            "RCPT" => self.to(rest),
            "DATA" => self.begin(),
            "QUIT" => SmtpReply {
                text: "221 bye\r\n",
                is_last: true,
            },
            _ => say("500 unknown\r\n"),
        })
    }

    fn from(&mut self, rest: &str) -> SmtpReply {
        match path(rest, "FROM:") {
            Some(address) => {
                self.envelope = Some((address, Vec::new()));
                say(OK)
            }
            None => say(UNREADABLE),
        }
    }

    fn to(&mut self, rest: &str) -> SmtpReply {
        match (path(rest, "TO:"), &mut self.envelope) {
            (Some(address), Some((_, to))) => {
                to.push(address);
                say(OK)
            }
            (None, _) => say(UNREADABLE),
            (_, None) => say(OUT_OF_ORDER),
        }
    }

    fn begin(&mut self) -> SmtpReply {
        if self.envelope.as_ref().is_none_or(|(_, to)| to.is_empty()) {
            return say(OUT_OF_ORDER);
        }
        self.data = Some(String::new());
        say("354 go on\r\n")
    }

    fn end(&mut self) -> SmtpReply {
        let (Some(text), Some((from, to))) = (self.data.take(), self.envelope.take()) else {
            return say(OUT_OF_ORDER);
        };
        if text.len() > MAX_BYTES {
            return say("552 too long\r\n");
        }
        self.server.receive(ReceivedMail { from, to, text });
        say(OK)
    }
}

const OK: &str = "250 ok\r\n";
const UNREADABLE: &str = "501 unreadable\r\n";
const OUT_OF_ORDER: &str = "503 out of order\r\n";

fn say(text: &'static str) -> SmtpReply {
    SmtpReply {
        text,
        is_last: false,
    }
}

/// The address in `FROM:<ana@mail.test> BODY=8BITMIME`.
fn path(rest: &str, word: &str) -> Option<String> {
    let named = rest.get(..word.len())?.eq_ignore_ascii_case(word);
    let (_, path) = rest.split_once('<').filter(|_| named)?;
    let (address, _) = path.split_once('>')?;
    Some(address.to_owned())
}
