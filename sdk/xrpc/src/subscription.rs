//! Event streams: where to open the WebSocket, and what its messages say.
//!
//! The socket itself belongs to a runtime and is not here. Whoever has one opens it at [`url()`], and gives each binary
//! message that comes to [`decode`]. A service adds a route at `/xrpc/` and the NSID beside its
//! [`Router`](crate::server::Router), which upgrades in its runtime's way, and writes messages with [`Frame::encode`].
//!
//! An error frame ends a stream; whether its lexicon declares the error,
//! [`ErrorName::from_name`](huddle_syntax::schema::ErrorName::from_name) of `M::Error` says.

use huddle_ports::Url;
use huddle_syntax::schema::{Invalid, Subscription};

pub use huddle_syntax::schema::{Frame, FrameError, UnknownFrame};

/// The address of a subscription: `wss://`, or `ws://` where the service is `http://`.
pub fn url<M: Subscription>(service: &Url, params: &M::Params) -> Result<Url, Invalid> {
    let mut url = crate::client::url::<M>(service, params)?;
    let scheme = if url.scheme() == "http" { "ws" } else { "wss" };
    // Of a URL that is neither http nor https the scheme stays, and whoever connects refuses it.
    let _ = url.set_scheme(scheme);
    Ok(url)
}

/// Reads one binary message of the stream.
pub fn decode<M: Subscription>(message: &[u8]) -> Result<Frame<M::Message>, FrameError> {
    Frame::decode(message)
}
