//! An end to waiting.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::Delay;

/// What was to be done has not come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not done after {0:?}")]
pub(crate) struct TooLong(Duration);

/// What comes of some work, unless it takes longer than that: then it is dropped where it is.
pub(crate) async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, TooLong> {
    match select(pin!(work), Delay::from(limit)).await {
        Either::Left((outcome, _)) => Ok(outcome),
        Either::Right(_) => Err(TooLong(limit)),
    }
}
