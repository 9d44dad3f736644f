//! See [`huddle_fuzz::service_auth`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| huddle_fuzz::service_auth::check(input));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    huddle_fuzz::mutate::mutate(
        data,
        size,
        max_size,
        seed,
        huddle_fuzz::service_auth::mutate,
        libfuzzer_sys::fuzzer_mutate,
    )
});
