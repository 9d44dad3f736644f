//! What every adapter of a port has to keep to, on whatever runtime.
//!
//! Each contract is a function that says what is broken first, so that it runs under any test harness
//! and inside a Durable Object alike.

mod actors;
mod cache;
mod clock;
mod dns;
mod fetch;
mod index;
mod random;
mod sql;

pub use actors::actors;
pub use cache::cache;
pub use clock::clock;
pub use dns::{dns, zone};
pub use fetch::{Asked, IDLE, PAUSE_MILLIS, Play, Then, echo, fetch};
pub use index::index;
pub use random::random;
pub use sql::sql;

/// What is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// Whether what came is what should come.
#[expect(
    clippy::needless_pass_by_value,
    reason = "what is compared is made on the spot"
)]
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, came: T, should: T) -> Result<(), Broken> {
    if came == should {
        Ok(())
    } else {
        Err(Broken(format!(
            "{what}: expected {should:?}, and got {came:?}"
        )))
    }
}

fn broken(what: &str, error: impl std::fmt::Display) -> Broken {
    Broken(format!("{what}: {error}"))
}
