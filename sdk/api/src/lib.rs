//! The `com.huddle` methods as a server sees them: a trait for each to implement, and its route.
//!
//! Each is in the module that its NSID names, and made from its lexicon: a request reaches its handler only if it is
//! valid, and an answer that is not, or an error that the lexicon does not declare, does not leave (it is a fault, or does
//! not compile). Whoever serves them all implements every trait and adds [`handlers::routes`] to a
//! [`Router`](huddle_xrpc::server::Router); whoever serves some adds the routes of those:
//!
//! ```
//! use std::sync::Arc;
//! use huddle_api::com::huddle::list_offers::{self, ListOffers};
//! use huddle_lexicon::com::huddle::list_offers as lexicon;
//! use huddle_syntax::AtIdentifier;
//! use huddle_xrpc::server::{Failure, Reply, Request, Router};
//!
//! struct App;
//!
//! impl ListOffers for App {
//!     async fn list_offers(
//!         &self,
//!         request: Request<lexicon::ListOffers>,
//!     ) -> Reply<lexicon::ListOffers> {
//!         match request.params.host {
//!             AtIdentifier::Did(_) => Ok(lexicon::Output::new(Vec::new()).into()),
//!             AtIdentifier::Handle(_) => Err(Failure::refused(
//!                 lexicon::Error::HostNotFound,
//!                 "The handle does not resolve to an account",
//!             )),
//!         }
//!     }
//! }
//!
//! let router = list_offers::route(Router::new(Arc::new(App))).into_axum();
//! # let _ = router;
//! ```
//!
//! `cargo run -p huddle-api --example contract` shows it at work. [`Huddle`] is how Huddle itself answers.

#[rustfmt::skip]
mod generated;
mod huddle;

pub use self::generated::*;
pub use self::huddle::{Arrived, Huddle, Pages};
