//! See [`huddle_fuzz::records::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::records::TARGET);
