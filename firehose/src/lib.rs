//! Decodes and verifies the frames of `com.atproto.sync.subscribeRepos`: no I/O, no async, no panics.
