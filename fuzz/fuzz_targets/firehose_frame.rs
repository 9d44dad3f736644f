//! See [`huddle_fuzz::firehose::FRAME`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::firehose::FRAME);
