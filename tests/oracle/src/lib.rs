//! Holds the firehose against its peers.
