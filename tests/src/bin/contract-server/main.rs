//! A server for tests, not the product: generated `com.huddle` handlers over data in memory, with real service auth.
//!
//! It listens on this machine alone and runs until it is stopped. Its first line says where it is and who:
//! `{"did":"did:web:localhost%3APORT","listening":"http://localhost:PORT"}`.

mod offers;

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::response::IntoResponse;
use axum::routing::get;
use clap::Parser;
use http::header;
use huddle_identity::{
    IdentityConfig, IdentityResolver, MemoryReplayStore, ServiceAuthConfig, ServiceAuthVerifier,
    ServiceRef,
};
use huddle_native::{ReqwestTransport, SystemClock, SystemDns};
use huddle_ports::{FetchPolicy, GuardedFetch, MemoryCache, Url};
use huddle_syntax::Did;
use huddle_xrpc::Generic;
use huddle_xrpc::server::Router;
use tokio::net::TcpListener;

use crate::offers::Offers;

/// The service that tokens are for, and that `did.json` names.
const SERVICE_ID: &str = "huddle_appview";

/// A server for tests: generated `com.huddle` handlers over data in memory.
#[derive(Parser)]
struct Options {
    /// Where to listen on this machine; 0 for any free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Who the server is; `did:web:localhost%3APORT` unless said otherwise.
    #[arg(long)]
    did: Option<Did>,
    /// The `did:plc` directory to ask for the keys of callers.
    #[arg(long, default_value = "https://plc.directory")]
    plc: Url,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let port = listener.local_addr()?.port();
    let origin = format!("http://localhost:{port}");
    let web_did: Did = format!("did:web:localhost%3A{port}").parse()?;
    let did = options.did.unwrap_or_else(|| web_did.clone());

    let clock = Arc::new(SystemClock);
    let xrpc = Router::new(Arc::new(Offers::new(clock)))
        .authenticate(verifier(&did, options.plc)?)
        .on_fault(|fault| {
            let _ = writeln!(std::io::stderr(), "{fault}");
        });
    let document = did_document(&web_did, &origin);
    let app = offers::routes(xrpc)
        .into_axum()
        .route("/.well-known/did.json", get(|| async { document }))
        .fallback(|| async { Generic::XrpcNotSupported });

    let started = serde_json::json!({ "listening": origin, "did": did.as_str() });
    writeln!(std::io::stdout(), "{started}")?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// Verifies callers by the keys in their DID documents, which may be on this machine.
fn verifier(did: &Did, plc: Url) -> Result<ServiceAuthVerifier, Box<dyn std::error::Error>> {
    let clock = Arc::new(SystemClock);
    let dns = Arc::new(SystemDns::new()?);
    let policy = FetchPolicy::development();
    let transport = ReqwestTransport::new(dns.clone(), "huddle contract-server", &[])?;
    let identity = IdentityResolver::new(
        Arc::new(GuardedFetch::new(transport, policy.clone())),
        dns,
        Arc::new(MemoryCache::new(clock.clone())),
        clock.clone(),
        IdentityConfig {
            plc_directory: plc,
            policy,
            ..IdentityConfig::default()
        },
    );
    let audience = ServiceRef::new(did.clone(), SERVICE_ID)?;
    Ok(ServiceAuthVerifier::new(
        Arc::new(identity),
        Arc::new(MemoryReplayStore::default()),
        clock,
        ServiceAuthConfig::new(&audience),
    ))
}

/// What `did:web` resolves to: no keys, for the server signs nothing.
fn did_document(did: &Did, origin: &str) -> impl IntoResponse + Clone + use<> {
    let document = serde_json::json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": did.as_str(),
        "service": [{
            "id": format!("#{SERVICE_ID}"),
            "type": "HuddleAppView",
            "serviceEndpoint": origin,
        }],
    });
    (
        [(header::CONTENT_TYPE, "application/json")],
        document.to_string(),
    )
}
