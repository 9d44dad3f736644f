//! For tests of whatever embeds Huddle, and of Huddle itself: nothing here looks at the machine it
//! runs on, and all of it runs on every runtime.
//!
//! - [`SteppingClock`] tells the time that it was given.
//! - [`CountingRandom`] is random to nobody.
//! - [`ScriptedFetch`] answers requests as a test has written down, and keeps what it was asked.
//! - [`ListedWindows`] knows hosts and when they have time, and nothing else.
//! - [`ListedPeople`] knows how people stand to each other and when they are busy.
//! - [`Network`] is a directory, a host of signed repositories and its firehose, all in memory.
//! - [`CalendarServer`] has people's calendars, and speaks CalDAV.
//! - [`MailServer`] takes mail for everybody, and speaks SMTP.
//! - [`contract`] is what every adapter of a port has to keep to, wherever it runs.
//!
//! Stores are not among them: what keeps rows belongs to a runtime. A native test takes those of `huddle-native`, in
//! memory (`ActorStore::in_memory`, `SqliteIndex::in_memory`) or in a temporary folder (`open`); in the runtime of Workers
//! a test has the storage of objects, and D1, as the harness of that runtime sets them up.

mod availability;
mod calendar_server;
mod clock;
pub mod contract;
mod mail_server;
pub mod network;
mod people;
mod random;
mod scripted_fetch;

pub use availability::{HostWindows, ListedWindows};
pub use calendar_server::{CalendarServer, CalendarServerError};
pub use clock::SteppingClock;
pub use mail_server::{MAX_LINE_BYTES, MailServer, ReceivedMail, SmtpReply, SmtpSession};
pub use network::Network;
pub use people::ListedPeople;
pub use random::CountingRandom;
pub use scripted_fetch::{ScriptedAnswer, ScriptedFetch};
