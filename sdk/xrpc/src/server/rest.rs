//! Bodies that would take too much memory as a whole: their rest is made while it is sent.

use std::fmt;
use std::future::ready;
use std::io;
use std::pin::Pin;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt as _, once};

use super::{BoxError, FaultCause};

/// What comes after the beginning of a body, piece by piece.
pub(crate) struct Rest(Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>);

impl Rest {
    pub(crate) fn new(
        pieces: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(pieces))
    }

    /// The whole body. One that fails is cut off, and `report` hears why.
    pub(super) fn after(
        self,
        beginning: Vec<u8>,
        report: impl Fn(FaultCause) + Send + 'static,
    ) -> Body {
        let rest = self.0.map(move |piece| {
            piece.map_err(|error| {
                report(FaultCause::Error(error));
                io::Error::other("the rest of the body failed")
            })
        });
        Body::from_stream(once(ready(Ok(Bytes::from(beginning)))).chain(rest))
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").finish_non_exhaustive()
    }
}
