//! Where requests come from: the connection, or what a reverse proxy says.

use std::net::{IpAddr, SocketAddr};

use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use huddle_appview_router::ClientAddress;
use huddle_ports::{HeaderMap, HeaderName};

/// The same routes, with a [`ClientAddress`] for each request. `header` is believed, so it is named only where a
/// proxy sets it.
pub(crate) fn noted(router: axum::Router, header: Option<HeaderName>) -> axum::Router {
    router.layer(middleware::from_fn_with_state(header, note))
}

async fn note(
    State(header): State<Option<HeaderName>>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = match &header {
        Some(header) => last_address(request.headers(), header),
        None => request
            .extensions()
            .get()
            .map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip()),
    };
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// The last address in a list: those before it are what the client itself may have sent.
fn last_address(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expect: Option<&str>) {
        let name = HeaderName::from_static("x-forwarded-for");
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, value.parse().unwrap());
        }
        let expect = expect.map(|address| address.parse().unwrap());
        assert_eq!(last_address(&headers, &name), expect, "{values:?}");
    }

    #[test]
    fn of_several_addresses_the_last_is_the_proxys_word() {
        check(&[], None);
        check(&["192.0.2.7"], Some("192.0.2.7"));
        check(&["10.0.0.1, 192.0.2.7"], Some("192.0.2.7"));
        check(&["192.0.2.7", "10.0.0.1,2001:db8::1"], Some("2001:db8::1"));
        check(&["192.0.2.7, unknown"], None);
    }
}
