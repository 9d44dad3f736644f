//! How a resolver asks, and how long it believes.

use std::time::Duration;

use huddle_ports::{FetchPolicy, Url};

/// How an [`IdentityResolver`](crate::IdentityResolver) asks, and how long it believes.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// The `did:plc` directory. It is asked as configured: the policy does not apply to its URL
    /// here, but does in a `GuardedFetch`.
    pub plc_directory: Url,
    /// Whom a document or a handle may point to: the policy of the `GuardedFetch` that carries the
    /// requests. In development `did:web:localhost` and `.test` handles resolve too.
    pub policy: FetchPolicy,
    /// How long an answer about a DID is used.
    pub document_ttl: Duration,
    /// How long an answer about a handle is used.
    pub handle_ttl: Duration,
    /// How long a definite refusal is used.
    pub error_ttl: Duration,
    /// How long a failure is used, that is how often a host that does not answer is asked.
    pub unavailable_ttl: Duration,
    /// How long after asking no wish for a fresh answer makes us ask again.
    pub refresh_interval: Duration,
    /// How long looking up one DID or one handle may take. DNS gets half of it, the host of the
    /// handle the rest. Resolving an identity takes several look-ups and
    /// [`RESOLUTION_TIMEOUT`](crate::RESOLUTION_TIMEOUT) at most.
    pub lookup_timeout: Duration,
    /// How many `did:plc`, how many `did:web` and how many handles are looked up at the same time:
    /// three separate limits, so that hosts which keep us waiting shut out nobody who is listed in
    /// the directory. Each holds a document of up to
    /// [`DidDocument::MAX_BYTES`](crate::DidDocument::MAX_BYTES) in memory.
    pub max_lookups: usize,
}

impl Default for IdentityConfig {
    /// The public directory and policy; 10 min, 10 min, 30 s, 5 s, 30 s; 3.5 s for a look-up, 256
    /// of each kind at a time.
    fn default() -> Self {
        Self {
            plc_directory: Url::parse("https://plc.directory").expect("a URL"),
            policy: FetchPolicy::public(),
            document_ttl: Duration::from_mins(10),
            handle_ttl: Duration::from_mins(10),
            error_ttl: Duration::from_secs(30),
            unavailable_ttl: Duration::from_secs(5),
            refresh_interval: Duration::from_secs(30),
            lookup_timeout: Duration::from_millis(3500),
            max_lookups: 256,
        }
    }
}
