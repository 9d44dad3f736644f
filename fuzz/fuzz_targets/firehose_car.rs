//! See [`huddle_fuzz::firehose::CAR`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::firehose::CAR);
