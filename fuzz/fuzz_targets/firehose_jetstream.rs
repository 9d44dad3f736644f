//! See [`huddle_fuzz::jetstream::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::jetstream::TARGET);
