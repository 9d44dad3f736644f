//! See [`huddle_fuzz::firehose::MST`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::firehose::MST);
