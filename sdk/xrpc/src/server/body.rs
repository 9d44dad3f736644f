//! The body of a request: of the right type, and never longer than allowed.

use axum::body::{Body, HttpBody as _};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use huddle_syntax::schema::Payload;

use super::problem::Problem;
use crate::{Generic, mime};

/// The body that a method takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// The lexicon's MIME type, perhaps a pattern; empty if there must be no body.
    pub(super) encoding: &'static str,
    /// The most bytes.
    pub(super) limit: usize,
}

impl Expected {
    /// What the headers alone say against the body, before anything of it is read.
    pub(super) fn check(self, headers: &HeaderMap, body: &Body) -> Result<(), Problem> {
        // Of a length that is announced, only that it is too long is believed.
        if body.size_hint().lower() > self.limit() as u64 {
            return Err(self.too_long());
        }
        if self.encoding.is_empty() {
            return Ok(());
        }
        let refused = |message: String| Err(Generic::UnsupportedMediaType.because(message).into());
        let is_plain = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"identity");
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        if codings.any(|coding| !is_plain(coding.as_bytes())) {
            return refused("An encoded body is not understood".to_owned());
        }
        match headers.get(header::CONTENT_TYPE) {
            None if body.is_end_stream() => Err(self.missing()),
            Some(content_type)
                if content_type
                    .to_str()
                    .is_ok_and(|text| mime::matches(self.encoding, text)) =>
            {
                Ok(())
            }
            _ => refused(format!("The Content-Type must be {}", self.encoding)),
        }
    }

    /// Reads a body that [`check`](Self::check) has nothing against.
    pub(super) async fn read(self, headers: &HeaderMap, body: Body) -> Result<Payload, Problem> {
        let bytes = collect(body, self.limit())
            .await
            .map_err(|unread| match unread {
                Unread::TooLong => self.too_long(),
                Unread::Broken => Problem::invalid("The body could not be read to its end"),
            })?;
        if self.encoding.is_empty() {
            return Ok(Payload::default());
        }
        if bytes.is_empty() && mime::is_json(self.encoding) {
            return Err(self.missing());
        }
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Ok(Payload {
            content_type: content_type.trim().to_owned(),
            bytes,
        })
    }

    fn limit(self) -> usize {
        if self.encoding.is_empty() {
            0
        } else {
            self.limit
        }
    }

    fn too_long(self) -> Problem {
        if self.encoding.is_empty() {
            return Problem::invalid("A body is not expected");
        }
        let message = format!("A body may have {} bytes at most", self.limit);
        Generic::PayloadTooLarge.because(message).into()
    }

    fn missing(self) -> Problem {
        Problem::invalid(format!("A body of type {} is expected", self.encoding))
    }
}

enum Unread {
    TooLong,
    Broken,
}

async fn collect(mut body: Body, limit: usize) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::Broken)?;
        if let Some(data) = frame.data_ref() {
            if data.len() > limit - bytes.len() {
                return Err(Unread::TooLong);
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}
