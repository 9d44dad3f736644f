//! Holds the firehose against its peers, shrike and jacquard: verdicts in `tests`, throughput in `main.rs`.

pub mod mutate;
pub mod shrike;
