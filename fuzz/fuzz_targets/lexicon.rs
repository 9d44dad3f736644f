//! See [`huddle_fuzz::lexicon::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::lexicon::TARGET);
