//! See [`huddle_fuzz::identifiers::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::identifiers::TARGET);
