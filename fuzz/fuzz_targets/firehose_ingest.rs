//! See [`huddle_fuzz::ingest::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::ingest::TARGET);
