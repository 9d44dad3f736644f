//! A message as it travels (RFC 5322, RFC 2045).

use std::fmt;

use data_encoding::HEXLOWER;
use huddle_core::mail::EmailAddress;
use huddle_ports::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;
use sha2::{Digest as _, Sha256};

use crate::letters::Sender;

/// A message, and the envelope that it travels in.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Whom mail servers tell if it cannot be delivered.
    pub from: EmailAddress,
    /// Whom it is for.
    pub to: EmailAddress,
    /// Headers and body, its lines ended by CR LF.
    pub bytes: Vec<u8>,
}

/// What a message is made of.
pub(crate) struct Draft {
    /// What stands before the `@` of its Message-ID. The same letter has the same.
    pub(crate) id: String,
    pub(crate) to: EmailAddress,
    /// What the reader is called.
    pub(crate) name: String,
    pub(crate) date: Timestamp,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) calendar: Option<CalendarPart>,
}

/// A file for the reader's calendar.
pub(crate) struct CalendarPart {
    /// As in the file (RFC 6047 §2.4).
    pub(crate) method: &'static str,
    pub(crate) file: String,
}

impl Message {
    /// Everything in it follows from the draft: the same twice is the same to the byte.
    pub(crate) fn new(sender: &Sender, draft: Draft) -> Self {
        let id = format!("{}@{}", draft.id, sender.address.domain());
        let mut parts = vec![
            MimePart::new("text/plain", draft.text),
            MimePart::new("text/html", draft.html),
        ];
        // Of alternatives the last one that a program understands is shown (RFC 2046 §5.1.4).
        if let Some(CalendarPart { method, file }) = draft.calendar {
            let kind = ContentType::new("text/calendar")
                .attribute("charset", "utf-8")
                .attribute("method", method);
            parts.push(MimePart::new(kind, file));
        }
        let boundary = format!("=_{}", HEXLOWER.encode(&Sha256::digest(&id)[..16]));
        let kind = ContentType::new("multipart/alternative").attribute("boundary", boundary);
        let name = |name: &str| Some(name.to_owned());
        let (from, to) = (sender.address.as_str(), draft.to.as_str());
        let bytes = MessageBuilder::new()
            .message_id(id)
            .date(draft.date.as_secs())
            .from(Address::new_address(name(&sender.name), from))
            .to(Address::new_address(name(&draft.name), to))
            .subject(draft.subject)
            // Nobody's answering machine is to answer (RFC 3834 §5).
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .body(MimePart::new(kind, parts))
            .write_to_vec()
            .expect("memory takes all that is written to it");
        Self {
            from: sender.address.clone(),
            to: draft.to,
            bytes,
        }
    }
}

impl fmt::Debug for Message {
    /// Shows nothing of what is in it, nor whom it is for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
