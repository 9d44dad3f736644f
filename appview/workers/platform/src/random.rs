//! The platform's randomness.

use huddle_ports::Random;
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;

/// The most bytes that are asked for at once, as the Web Cryptography API has it.
const MOST: usize = 65_536;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]) -> Result<(), JsValue>;
}

/// The cryptographically secure generator of Workers. It has to be asked within an event.
#[derive(Clone, Copy, Debug)]
pub struct WorkersRandom;

impl Random for WorkersRandom {
    /// # Panics
    /// When the platform gives no randomness: nothing that is to be unguessable can go on then.
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(MOST) {
            get_random_values(chunk).expect("the platform has a random number generator");
        }
    }
}
