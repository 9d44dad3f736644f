//! XRPC for methods that are generated from lexicons: a [`client`] over any transport, and a [`server`] on axum.
//!
//! The server is the feature `server`, which is on unless `default-features` are off: that is for projects that only
//! call methods, and saves them axum and the crates of service auth.
//!
//! This crate and `huddle-syntax` are all that a project needs beside its own generated types; neither knows a runtime.
//! A whole project of one query and one procedure, where `notes` is what `huddle-codegen` made of its lexicons:
//!
//! ```
//! # // What the generator would write for com.example.listNotes and com.example.putNote.
//! # mod notes {
//! #     use huddle_syntax::{Map, schema};
//! #     pub struct ListNotes;
//! #     impl schema::Method for ListNotes {
//! #         const NSID: &'static str = "com.example.listNotes";
//! #         type Params = Params;
//! #         type Error = std::convert::Infallible;
//! #     }
//! #     impl schema::Call for ListNotes {
//! #         type Input = ();
//! #         type Output = Notes;
//! #         const OUTPUT: &'static str = "application/json";
//! #     }
//! #     impl schema::Query for ListNotes {}
//! #     #[derive(Debug)]
//! #     pub struct Params { pub limit: Option<i64> }
//! #     impl Params { pub fn limit_or_default(&self) -> i64 { self.limit.unwrap_or(50) } }
//! #     impl schema::Constraints for Params {
//! #         fn check_fields(&self) -> Result<(), schema::Invalid> {
//! #             use schema::At as _;
//! #             self.limit.map_or(Ok(()), |limit| schema::check::maximum(limit, 100).at("limit"))
//! #         }
//! #     }
//! #     huddle_syntax::params!(Params { limit: optional "limit" });
//! #     #[derive(Clone, Debug, PartialEq)]
//! #     pub struct Notes { pub notes: Vec<String>, pub extra: Map }
//! #     impl Notes { pub fn new(notes: Vec<String>) -> Self { Self { notes, extra: Map::new() } } }
//! #     impl schema::Constraints for Notes {}
//! #     huddle_syntax::object!(Notes = "" { notes: required "notes" } ..extra);
//! #     pub struct PutNote;
//! #     impl schema::Method for PutNote {
//! #         const NSID: &'static str = "com.example.putNote";
//! #         type Params = ();
//! #         type Error = PutNoteError;
//! #     }
//! #     impl schema::Call for PutNote {
//! #         type Input = Note;
//! #         type Output = ();
//! #         const INPUT: &'static str = "application/json";
//! #     }
//! #     impl schema::Procedure for PutNote {}
//! #     #[derive(Clone, Debug, PartialEq)]
//! #     pub struct Note { pub text: String, pub extra: Map }
//! #     impl Note { pub fn new(text: String) -> Self { Self { text, extra: Map::new() } } }
//! #     impl schema::Constraints for Note {}
//! #     huddle_syntax::object!(Note = "" { text: required "text" } ..extra);
//! #     #[derive(Clone, Copy, Debug, PartialEq)]
//! #     pub enum PutNoteError { Full }
//! #     huddle_syntax::error_names!(PutNoteError { Full = "Full" });
//! # }
//! use std::sync::{Arc, Mutex};
//! use huddle_xrpc::client::{Client, ClientError};
//! use huddle_xrpc::server::{Failure, Reply, Request, Router};
//! use notes::{ListNotes, Note, Notes, Params, PutNote, PutNoteError};
//!
//! type Board = Mutex<Vec<String>>;
//!
//! async fn list(board: Arc<Board>, request: Request<ListNotes>) -> Reply<ListNotes> {
//!     let limit = usize::try_from(request.params.limit_or_default()).unwrap_or(0);
//!     let notes = board.lock().unwrap().iter().take(limit).cloned().collect();
//!     Ok(Notes::new(notes).into())
//! }
//!
//! async fn put(board: Arc<Board>, request: Request<PutNote>) -> Reply<PutNote> {
//!     let mut notes = board.lock().unwrap();
//!     if notes.len() == 2 {
//!         return Err(Failure::refused(PutNoteError::Full, "Two notes are enough"));
//!     }
//!     notes.push(request.input.text);
//!     Ok(().into())
//! }
//!
//! # struct InProcess(axum::Router);
//! # #[async_trait::async_trait]
//! # impl huddle_ports::Fetch for InProcess {
//! #     async fn fetch(
//! #         &self,
//! #         request: huddle_ports::Request,
//! #     ) -> Result<huddle_ports::Response, huddle_ports::FetchError> {
//! #         use {http_body_util::BodyExt as _, tower::ServiceExt as _};
//! #         let mut carried = http::Request::new(axum::body::Body::from(request.body));
//! #         *carried.method_mut() = request.method;
//! #         *carried.uri_mut() = request.url.as_str().parse().unwrap();
//! #         *carried.headers_mut() = request.headers;
//! #         let (parts, body) = self.0.clone().oneshot(carried).await.unwrap().into_parts();
//! #         Ok(huddle_ports::Response {
//! #             status: parts.status,
//! #             headers: parts.headers,
//! #             body: body.collect().await.unwrap().to_bytes(),
//! #             final_url: request.url,
//! #         })
//! #     }
//! # }
//! # async fn project() -> Result<(), Box<dyn std::error::Error>> {
//! let router = Router::new(Arc::new(Board::default())).query(list).procedure(put).into_axum();
//! # let fetch = Arc::new(InProcess(router));
//! // … served by any runtime, and called over any `Fetch`:
//! let client = Client::new(fetch, "https://notes.example".parse()?);
//! client.procedure::<PutNote>(&(), &Note::new("one".to_owned())).await?;
//! client.procedure::<PutNote>(&(), &Note::new("two".to_owned())).await?;
//! let full = client.procedure::<PutNote>(&(), &Note::new("three".to_owned())).await;
//! assert!(matches!(full, Err(ClientError::Declared(e)) if e.error == PutNoteError::Full));
//! let one = client.query::<ListNotes>(&Params { limit: Some(1) }).await?;
//! assert_eq!(one.output.notes, ["one"]);
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(project()).unwrap();
//! ```

pub mod client;
mod error;
mod mime;
mod response;
#[cfg(feature = "server")]
pub mod server;
pub mod subscription;

pub use self::error::Generic;
pub use self::response::{RateLimit, Response};
