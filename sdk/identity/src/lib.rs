//! AT Protocol identity over ports: DID documents, handles, keys, service-auth tokens.

pub mod crypto;
