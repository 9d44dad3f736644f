//! Nobody is asked whom the rules forbid, and who is not found is not there.

use huddle_ports::{AddressKind, Blocked, FetchError, Request, Url};

use super::{Asking, LIMITS, SECRET, Then};
use crate::contract::{Broken, broken, expect};

pub(super) async fn check(asking: &Asking<'_>) -> Result<(), Broken> {
    let port = asking.server.port().unwrap_or_default();
    let endless = "a".repeat(64);
    let private = || FetchError::from(Blocked::Address(AddressKind::Private));
    for (origin, expected) in [
        ("http://unknown.example.com", FetchError::UnknownHost),
        ("http://empty.example.com", FetchError::UnknownHost),
        ("http://unknown", FetchError::UnknownHost),
        (
            &format!("http://{endless}.example.com"),
            FetchError::UnknownHost,
        ),
        ("http://a!b.example.com", FetchError::UnknownHost),
        ("http://failing.example.com", FetchError::Resolve),
        ("https://private.example.com", private()),
        ("https://mixed.example.com", private()),
        (
            "https://mapped.example.com",
            Blocked::Address(AddressKind::Embedded).into(),
        ),
        ("http://private.example.com", Blocked::Scheme.into()),
        ("https://10.0.0.1", private()),
        (
            "https://169.254.169.254",
            Blocked::Address(AddressKind::LinkLocal).into(),
        ),
        ("http://10.0.0.1", Blocked::Scheme.into()),
        ("ftp://localhost", Blocked::Scheme.into()),
        ("http://user:password@localhost", Blocked::UserInfo.into()),
    ] {
        let url = format!("{}/?{SECRET}", at(origin, port));
        let url = Url::parse(&url).map_err(|error| broken(origin, error))?;
        is_refused(asking, origin, url, &expected).await?;
        // And no server can send there.
        let head = format!(
            "HTTP/1.1 302 Found\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n",
            at(origin, port)
        );
        let url = asking.plays(&[head.as_bytes()], Then::HangUp)?;
        is_refused(asking, &format!("a redirect to {origin}"), url, &expected).await?;
    }
    Ok(())
}

/// The same at a port of a server; of addresses that are not this machine's only the usual one is allowed.
fn at(origin: &str, port: u16) -> String {
    if origin.starts_with("https") {
        origin.to_owned()
    } else {
        format!("{origin}:{port}")
    }
}

async fn is_refused(
    asking: &Asking<'_>,
    what: &str,
    url: Url,
    expected: &FetchError,
) -> Result<(), Broken> {
    let error = asking
        .refused(what, Request::get(url).limits(LIMITS))
        .await?;
    expect(what, &error, expected)
}
