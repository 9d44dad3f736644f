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

/// The last address in a list: what is before it the client itself may have sent, text or not. Some proxies add the
/// port.
fn last_address(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let value = headers.get_all(name).iter().next_back()?.as_bytes();
    let last = value.rsplit(|byte| *byte == b',').next()?;
    let last = str::from_utf8(last).ok()?.trim();
    let with_port = |_| last.parse().map(|address: SocketAddr| address.ip());
    last.parse().or_else(with_port).ok()
}

#[cfg(test)]
mod tests {
    use huddle_ports::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(values: &[&[u8]], expect: Option<&str>) {
        let name = HeaderName::from_static("x-forwarded-for");
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_bytes(value).unwrap());
        }
        let expect = expect.map(|address| address.parse().unwrap());
        assert_eq!(last_address(&headers, &name), expect, "{values:?}");
    }

    #[test]
    fn of_several_addresses_the_last_is_the_proxys_word() {
        check(&[], None);
        check(&[b"192.0.2.7"], Some("192.0.2.7"));
        check(&[b"10.0.0.1, 192.0.2.7"], Some("192.0.2.7"));
        check(
            &[b"192.0.2.7", b"10.0.0.1,2001:db8::1"],
            Some("2001:db8::1"),
        );
        check(&[b"192.0.2.7, unknown"], None);
    }

    #[test]
    fn what_a_client_puts_before_does_not_hide_its_address() {
        check(&[b"\xff, 192.0.2.7"], Some("192.0.2.7"));
        check(&[b"\xff", b"192.0.2.7"], Some("192.0.2.7"));
        check(&[b"192.0.2.7, \xff"], None);
    }

    #[test]
    fn an_address_may_have_a_port() {
        check(&[b"10.0.0.1, 192.0.2.7:4711"], Some("192.0.2.7"));
        check(&[b"[2001:db8::1]:4711"], Some("2001:db8::1"));
    }
}
