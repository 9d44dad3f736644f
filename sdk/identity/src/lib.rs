//! AT Protocol identity over a Fetch port: DIDs, handles, keys, service-auth tokens.
