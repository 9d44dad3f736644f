//! Calendars over a scripted network: what each fault comes to, and what is asked of a server that works.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

#[path = "../shared/booking.rs"]
mod booking;
mod caldav;
mod connected;
mod connected_faults;
mod digest;
mod discovery;
mod faults;
mod feed;
mod locating;
mod script;
mod server;

/// Runs a test that waits for nothing but the script.
fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(test)
}
