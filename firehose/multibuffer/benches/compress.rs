//! What messages at once take, beside `sha2`, which takes one after the other.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use huddle_multibuffer::{Compressor, State};
use sha2::block_api::compress256;

fn main() {
    if Compressor::detect().is_none() {
        eprintln!("this processor has no instructions for SHA-256 that are known here");
    } else {
        divan::main();
    }
}

/// As many as a block of a repository has, on average.
const BLOCKS: usize = 6;

fn messages<const N: usize>() -> [[[u8; 64]; BLOCKS]; N] {
    [[[7; 64]; BLOCKS]; N]
}

#[divan::bench(consts = [1, 2, 3, 4])]
fn huddle<const N: usize>(bencher: Bencher<'_, '_>) {
    let compressor = Compressor::detect().expect("main has looked");
    let messages = messages::<N>();
    let bytes = BytesCount::of_slice(messages.as_flattened().as_flattened());
    bencher.counter(bytes).bench(|| {
        let mut states = [State::INITIAL; N];
        for at in 0..BLOCKS {
            let blocks = black_box(&messages).each_ref().map(|message| &message[at]);
            compressor.compress(states.each_mut(), blocks);
        }
        states
    });
}

#[divan::bench(consts = [1, 2, 3, 4])]
fn sha2<const N: usize>(bencher: Bencher<'_, '_>) {
    let messages = messages::<N>();
    let bytes = BytesCount::of_slice(messages.as_flattened().as_flattened());
    bencher.counter(bytes).bench(|| {
        let mut states = [[0_u32; 8]; N];
        for (state, message) in states.iter_mut().zip(black_box(&messages)) {
            compress256(state, message);
        }
        states
    });
}
