//! See [`huddle_fuzz::calendar_server::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::calendar_server::TARGET);
