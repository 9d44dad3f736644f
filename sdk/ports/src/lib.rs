//! What Huddle asks of the world: fetch with an SSRF policy, clock, randomness, cache.
