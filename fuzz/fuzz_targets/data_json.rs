//! See [`huddle_fuzz::data::JSON`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::data::JSON);
