//! The DID document of the service, where its DID is the host that it is reached at.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, header};
use huddle_identity::ServiceRef;
use huddle_ports::Url;
use serde_json::{Value, json};

/// The path at which `did:web` has the document of a host.
pub(crate) const PATH: &str = "/.well-known/did.json";

/// Whether the DID document of a service is served where the service is reached: the DID is the `did:web` of that host,
/// and of the port if the URL has another than its scheme's own.
pub fn serves_did_document(service: &ServiceRef, public_url: &Url) -> bool {
    let did = service.did().as_str();
    did_of(public_url).is_some_and(|here| did.eq_ignore_ascii_case(&here))
}

/// The document, or `None` if it is not for this host to say: the DID is of another method, or another host's.
pub(crate) fn document(service: &ServiceRef, public_url: &Url) -> Option<Value> {
    if !serves_did_document(service, public_url) {
        return None;
    }
    let did = service.did().as_str();
    let name = service.service().unwrap_or("huddle_appview");
    Some(json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": did,
        "service": [{
            "id": format!("#{name}"),
            "type": "HuddleAppView",
            "serviceEndpoint": public_url.origin().ascii_serialization(),
        }],
    }))
}

/// The `did:web` of the host of a URL: a port is written `%3A`.
fn did_of(url: &Url) -> Option<String> {
    let host = url.domain()?;
    let port = url.port().map(|port| format!("%3A{port}"));
    Some(format!("did:web:{host}{}", port.unwrap_or_default()))
}

/// The document as an answer: pages in browsers resolve DIDs too.
pub(crate) fn answer(document: Value) -> ([(HeaderName, HeaderValue); 2], Json<Value>) {
    let headers = [
        (
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
    ];
    (headers, Json(document))
}

#[cfg(test)]
mod tests {
    use huddle_identity::DidDocument;

    use super::*;

    #[track_caller]
    fn check(service: &str, url: &str, endpoint: Option<&str>) {
        let service: ServiceRef = service.parse().unwrap();
        let document = document(&service, &Url::parse(url).unwrap());
        let found = document.map(|document| {
            let document = DidDocument::from_json(service.did(), document.to_string().as_bytes());
            document
                .unwrap()
                .endpoint("huddle_appview", "HuddleAppView")
        });
        let endpoint = endpoint.map(|url| Ok(url.parse().unwrap()));
        assert_eq!(found, endpoint, "{url}");
    }

    #[test]
    fn a_host_tells_of_its_own_did_and_of_no_other() {
        let here = "did:web:huddle.example.com#huddle_appview";
        let endpoint = Some("https://huddle.example.com");
        check(here, "https://huddle.example.com", endpoint);
        check(here, "https://huddle.example.com/", endpoint);
        check(
            "did:web:Huddle.example.com",
            "https://huddle.example.com",
            endpoint,
        );
        check(here, "https://other.example.com", None);
        check(here, "https://huddle.example.com:8443", None);
        check(
            "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
            "https://huddle.example.com",
            None,
        );
        let local = "did:web:localhost%3A2480#huddle_appview";
        check(
            local,
            "http://localhost:2480",
            Some("http://localhost:2480"),
        );
        check(local, "http://127.0.0.1:2480", None);
    }
}
