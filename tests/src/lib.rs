//! Checks over the whole workspace: layers, freshness, tidiness, interop, peers.
