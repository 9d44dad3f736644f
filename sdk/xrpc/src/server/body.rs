//! The body of a request: of the right type, and never longer than allowed.

use axum::body::{Body, HttpBody as _};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use huddle_syntax::schema::Payload;

use super::problem::Problem;
use crate::{Generic, mime};

/// What the headers alone say against the body, before anything of it is read. `encoding` is the lexicon's.
pub(super) fn check(encoding: &str, headers: &HeaderMap, body: &Body) -> Result<(), Problem> {
    let refused = |message: String| Err(Generic::UnsupportedMediaType.because(message).into());
    let is_plain = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"identity");
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    if codings.any(|coding| !is_plain(coding.as_bytes())) {
        return refused("An encoded body is not understood".to_owned());
    }
    if encoding.is_empty() {
        return Ok(());
    }
    match headers.get(header::CONTENT_TYPE) {
        None if body.is_end_stream() => Err(missing(encoding)),
        Some(content_type)
            if content_type
                .to_str()
                .is_ok_and(|text| mime::matches(encoding, text)) =>
        {
            Ok(())
        }
        _ => refused(format!("The Content-Type must be {encoding}")),
    }
}

/// Reads a body that [`check`] has nothing against.
pub(super) async fn read(
    encoding: &str,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Payload, Problem> {
    if encoding.is_empty() {
        return match collect(body, 0).await {
            Err(Unread::TooLong) => Err(Problem::invalid("A body is not expected")),
            Err(Unread::Broken) => Err(broken()),
            Ok(_) => Ok(Payload::default()),
        };
    }
    let bytes = collect(body, limit).await.map_err(|unread| match unread {
        Unread::TooLong => Generic::PayloadTooLarge
            .because(format!("A body may have {limit} bytes at most"))
            .into(),
        Unread::Broken => broken(),
    })?;
    if bytes.is_empty() && mime::is_json(encoding) {
        return Err(missing(encoding));
    }
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    Ok(Payload {
        content_type: content_type.unwrap_or_default().trim().to_owned(),
        bytes,
    })
}

enum Unread {
    TooLong,
    Broken,
}

async fn collect(mut body: Body, limit: usize) -> Result<Vec<u8>, Unread> {
    // Of a length that is announced, only that it is too long is believed.
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLong);
    }
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

fn missing(encoding: &str) -> Problem {
    Problem::invalid(format!("A body of type {encoding} is expected"))
}

fn broken() -> Problem {
    Problem::invalid("The body could not be read to its end")
}
