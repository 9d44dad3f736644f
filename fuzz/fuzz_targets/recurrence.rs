//! See [`huddle_fuzz::recurrence::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::recurrence::TARGET);
