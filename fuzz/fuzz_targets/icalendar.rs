//! See [`huddle_fuzz::icalendar::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::icalendar::TARGET);
