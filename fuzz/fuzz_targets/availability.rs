//! See [`huddle_fuzz::availability::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::availability::TARGET);
