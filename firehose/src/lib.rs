//! Decodes and verifies the frames of `com.atproto.sync.subscribeRepos`: no I/O, no async, no panics.
//!
//! What comes out of the socket goes in, and what comes out has been checked as far as was asked for:
//!
//! 1. [`Frame::decode`] reads a frame where it lies, without allocating.
//! 2. [`Filter::wants`] says whether a commit is of interest, before anything costs time.
//! 3. [`Verifier::verify`] checks a commit up to a [`Level`]: hashes, operations, signature. What is wrong is a
//!    [`CommitError`], which says what to do: [`CommitError::remedy`].
//! 4. [`Account`] says whether a commit follows on what is held of an account, or whether its repository has to be
//!    fetched.
//! 5. [`Verified::changes`] yields the records: collection, record key, CID, bytes. What they are to say is a check that
//!    is passed in ([`Record::read`]). A record that is wrong is refused by itself.
//!
//! A whole repository, as `com.atproto.sync.getRepo` answers it, is a [`car::Car`] and a tree: [`mst::Cursor`] walks
//! over it, [`mst::diff`] tells what is different from another, [`mst::build`] makes one.
//!
//! ```
//! use huddle_firehose::{Filter, Frame, Level, Verifier};
//!
//! /// Prints the records of one domain, believing the sender for all but their hashes.
//! fn print(frame: &[u8], filter: &Filter, verifier: &mut Verifier, now: std::time::Duration) {
//!     let commit = match Frame::decode(frame) {
//!         Ok(Frame::Commit(commit)) if filter.wants(&commit) => commit,
//!         Ok(_) => return,
//!         Err(error) => return println!("not a frame: {error}"),
//!     };
//!     match verifier.verify(&commit, Level::Hashes, now) {
//!         Ok(verified) => {
//!             for change in verified.changes() {
//!                 println!("{}/{}: {:?}", change.collection, change.rkey, change.record);
//!             }
//!         }
//!         Err(error) => println!("{}: {error}", commit.repo),
//!     }
//! }
//! # print(b"", &Filter::default(), &mut Verifier::new(), std::time::Duration::ZERO);
//! ```
//!
//! # Limits
//!
//! A frame has at most 5,000,000 bytes ([`frame::MAX_FRAME_LEN`]), a commit 2,000,000 bytes of blocks
//! ([`MAX_BLOCKS_LEN`]; a `#sync` 10,000, [`MAX_SYNC_BLOCKS_LEN`]) and 200 operations ([`MAX_OPS`]); data is nested at most 64 deep ([`cbor::MAX_DEPTH`]), a
//! key of the tree has 830 bytes ([`mst::MAX_KEY_LEN`]), and all keys of a node 4 MiB
//! ([`mst::MAX_NODE_KEYS_LEN`]); a revision is at most five minutes ahead
//! ([`MAX_CLOCK_SKEW`]).
//!
//! # Memory
//!
//! [`Frame::decode`] and [`RepoCommit::read`] hold nothing, and a [`Filter`] the DIDs that it was given: some 100 bytes
//! an account, and no limit but that of who names them. A [`Verifier`], a [`car::Car`] and the functions of [`mst`]
//! hold at most 48 times the length of what they read, whatever is in it: 24 bytes a block, and the keys of the nodes
//! between the root and where they are, or of all nodes that operations fall into; a node's keys are up to fifteen
//! times as long as its block. What an account publishes comes to a few times the length. [`jetstream::decode`] holds
//! the values of its JSON: up to 32 times the length of a message, which has at most 2,000,000 bytes
//! ([`jetstream::MAX_MESSAGE_LEN`]), also once it is decompressed; a [`jetstream::Decompressor`] holds at most 16 MiB.
//! What [`ingest::Ingest`] holds is [limited](ingest::Limits), but for the filter, which has every account that is
//! followed. `tests/memory` measures all of this, and prints it.
//!
//! # Features
//!
//! `native-crypto` verifies signatures with libsecp256k1 and AWS-LC, which takes a C compiler. It is faster; nothing
//! else is different. `jetstream-zstd` reads the messages of a Jetstream that come compressed, in Rust alone.

mod account;
pub mod car;
pub mod cbor;
mod cid;
mod commit;
mod filter;
pub mod frame;
mod hash;
pub mod ingest;
pub mod jetstream;
mod key;
pub mod mst;
mod syntax;
mod tid;
mod varint;
mod verify;

pub use self::account::{
    Account, CommitStep, Hosting, InvalidAccount, Link, OutdatedRepository, Repository,
};
pub use self::cid::{Cid, InvalidCid};
pub use self::commit::{CommitObjectError, RepoCommit, UnsignedCommit};
pub use self::filter::Filter;
pub use self::frame::{Action, Frame, FrameError};
pub use self::key::{BadSignature, Curve, KeyError, VerifyingKey};
pub use self::tid::{InvalidTid, Tid};
pub use self::verify::{
    Change, CommitError, Head, Level, MAX_BLOCKS_LEN, MAX_CLOCK_SKEW, MAX_OPS, MAX_SYNC_BLOCKS_LEN,
    OpProblem, Record, RecordError, Remedy, Verified, Verifier,
};
