//! See [`huddle_fuzz::service_auth::TARGET`].
#![no_main]

huddle_fuzz::program!(huddle_fuzz::service_auth::TARGET);
