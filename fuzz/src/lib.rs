//! What each fuzz target does with its input, and where its inputs come from.
//!
//! All of it is here and not in `fuzz_targets`, so that the tests of the workspace can run it on a stable
//! compiler: over every input that has ever failed, which are in `regressions`, a folder a target, and over
//! the seeds and some mutations of them.
#![forbid(unsafe_code)]

mod account;
pub mod availability;
pub mod calendar_server;
pub mod data;
pub mod firehose;
pub mod icalendar;
pub mod identifiers;
pub mod ingest;
pub mod jetstream;
pub mod lexicon;
pub mod mutate;
pub mod records;
pub mod recurrence;
mod repository;
pub mod service_auth;

use mutate::Mutator;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its program, and of the folders of its files.
    pub name: &'static str,
    /// What it does with an input: it passes if it returns.
    pub check: fn(&[u8]),
    /// Makes more inputs of an input.
    pub mutate: Mutator,
    /// The inputs to begin with: what there is in the repository and in the conformance data, if that is
    /// there.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    availability::TARGET,
    calendar_server::TARGET,
    data::CBOR,
    data::JSON,
    firehose::CAR,
    firehose::FRAME,
    ingest::TARGET,
    jetstream::TARGET,
    firehose::MST,
    icalendar::TARGET,
    identifiers::TARGET,
    lexicon::TARGET,
    records::TARGET,
    recurrence::TARGET,
    service_auth::TARGET,
];

/// The program of a target.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! program {
    ($target:path) => {
        libfuzzer_sys::fuzz_target!(|input: &[u8]| ($target.check)(input));

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate::mutate(
                data,
                size,
                max_size,
                seed,
                $target.mutate,
                libfuzzer_sys::fuzzer_mutate,
            )
        });
    };
}
