//! Redirects are followed as often as the request says, and take nothing to where it must not go.

use huddle_ports::{
    FetchError, FetchLimits, HeaderName, HeaderValue, Method, RedirectError, Request, Url,
};

use super::{Asking, Heard, LIMITS, Then};
use crate::contract::{Broken, broken, expect};

pub(super) async fn check(asking: &Asking<'_>) -> Result<(), Broken> {
    as_many_are_followed_as_are_allowed(asking).await?;
    a_place_is_found_from_where_the_answer_came(asking).await?;
    a_redirect_needs_one_good_place(asking).await?;
    methods_and_bodies_survive_as_in_browsers(asking).await?;
    another_origin_gets_no_credentials(asking).await?;
    another_origin_gets_nothing_that_changes_something(asking).await
}

/// Where an answer of this status sends on to `location`.
fn redirect(asking: &Asking<'_>, status: u16, location: &str) -> Result<Url, Broken> {
    let head = format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 5\r\n\r\n");
    asking.plays(&[head.as_bytes(), b"moved"], Then::HangUp)
}

/// A place at another origin that is the same server.
fn elsewhere(asking: &Asking<'_>, path: &str) -> Result<String, Broken> {
    let mut url = asking.url(path)?;
    let moved = url.set_host(Some("127.0.0.1"));
    moved.map_err(|error| broken(path, error))?;
    Ok(url.into())
}

fn following(url: Url, max_redirects: u8) -> Request {
    Request::get(url).limits(FetchLimits {
        max_redirects,
        ..LIMITS
    })
}

async fn as_many_are_followed_as_are_allowed(asking: &Asking<'_>) -> Result<(), Broken> {
    for status in [301, 302, 303, 307, 308] {
        // Each leads to the one before it, and the first to the end.
        let mut url = asking.url("/echo/end")?;
        for count in 0..3 {
            if let Some(fewer) = u8::checked_sub(count, 1) {
                let what = format!("{count} redirects, of which {fewer} are allowed");
                let error = asking.refused(&what, following(url.clone(), fewer)).await?;
                expect(&what, error, RedirectError::TooMany.into())?;
            }
            let what = format!("{count} redirects of {status}");
            let response = asking
                .answered(&what, following(url.clone(), count))
                .await?;
            expect(&what, response.final_url, asking.url("/echo/end")?)?;
            url = redirect(asking, status, url.as_str())?;
        }
    }
    Ok(())
}

async fn a_place_is_found_from_where_the_answer_came(asking: &Asking<'_>) -> Result<(), Broken> {
    let port = asking.server.port().unwrap_or_default();
    for (location, expected) in [
        ("/echo/a?b=c#d".to_owned(), "/echo/a?b=c"),
        // From `/play/hang-up/PIECE/PIECE`.
        ("../../../echo/e".to_owned(), "/echo/e"),
        (format!("//localhost:{port}/echo"), "/echo"),
        ("/echo/\u{fc}".to_owned(), "/echo/%C3%BC"),
    ] {
        let url = redirect(asking, 302, &location)?;
        let heard = Heard::ask(asking, &location, following(url, 1)).await?;
        expect(&location, heard.line, format!("GET {expected} HTTP/1.1"))?;
    }
    Ok(())
}

async fn a_redirect_needs_one_good_place(asking: &Asking<'_>) -> Result<(), Broken> {
    for (what, headers, expected) in [
        ("no place", "", RedirectError::NoLocation),
        (
            "half a URL",
            "location: http://\r\n",
            RedirectError::BadLocation,
        ),
        (
            "no host",
            "location: http://[::\r\n",
            RedirectError::BadLocation,
        ),
    ] {
        let head = format!("HTTP/1.1 302 Found\r\n{headers}content-length: 0\r\n\r\n");
        let url = asking.plays(&[head.as_bytes()], Then::HangUp)?;
        let error = asking.refused(what, following(url, 1)).await?;
        expect(what, error, expected.into())?;
    }
    // Where a runtime tells several as one, they lead to neither.
    let head = b"HTTP/1.1 302 Found\r\nlocation: /echo/a\r\nlocation: /echo/b\r\ncontent-length: 0\r\n\r\n";
    let url = asking.plays(&[head], Then::HangUp)?;
    let outcome = asking.fetch.fetch(following(url, 1)).await;
    let is_followed = outcome.is_ok_and(|response| {
        let path = response.final_url.path();
        path == "/echo/a" || path == "/echo/b"
    });
    expect("of two places none is picked", is_followed, false)
}

/// What is heard after a redirect of a request with a body, with what proves who asks, and what says what the body is.
async fn redirected(asking: &Asking<'_>, method: &str, url: Url) -> Result<Heard, Broken> {
    Heard::ask(asking, method, telling(method, url)?).await
}

fn telling(method: &str, url: Url) -> Result<Request, Broken> {
    let mut request = following(url, 1);
    request.method = Method::from_bytes(method.as_bytes()).map_err(|it| broken(method, it))?;
    // Not every runtime sends a body with these two.
    if method != "GET" && method != "HEAD" {
        request.body = "question".into();
    }
    let mut key = HeaderValue::from_static("k");
    key.set_sensitive(true);
    for (name, value) in [
        ("authorization", HeaderValue::from_static("Bearer t")),
        ("content-type", HeaderValue::from_static("text/plain")),
        ("cookie", HeaderValue::from_static("c=1")),
        ("dpop", HeaderValue::from_static("proof")),
        ("x-key", key),
    ] {
        request.headers.insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

async fn methods_and_bodies_survive_as_in_browsers(asking: &Asking<'_>) -> Result<(), Broken> {
    for (method, status, expected) in [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 301, "PUT"),
        ("PUT", 303, "GET"),
        ("PROPFIND", 301, "PROPFIND"),
        ("PROPFIND", 303, "GET"),
        ("GET", 303, "GET"),
    ] {
        let what = format!("{method} after {status}");
        let heard = redirected(asking, method, redirect(asking, status, "/echo")?).await?;
        let line = format!("{expected} /echo HTTP/1.1");
        expect(&what, heard.line.as_str(), &line)?;
        let body: &[u8] = if expected == method && method != "GET" {
            b"question"
        } else {
            b""
        };
        expect(&what, heard.body.as_slice(), body)?;
        let is_described = heard.header("content-type").is_some();
        expect(&what, is_described, expected == method)?;
        let token = heard.header("authorization");
        expect(
            "the same origin keeps its credentials",
            token.as_deref(),
            Some("Bearer t"),
        )?;
    }
    Ok(())
}

async fn another_origin_gets_no_credentials(asking: &Asking<'_>) -> Result<(), Broken> {
    for (method, status, body) in [
        ("GET", 302, &b""[..]),
        ("PROPFIND", 301, b"question"),
        ("REPORT", 308, b"question"),
        ("POST", 302, b""),
    ] {
        let url = redirect(asking, status, &elsewhere(asking, "/echo")?)?;
        let heard = redirected(asking, method, url).await?;
        let host = heard.header("host").unwrap_or_default();
        expect("it is another host", host.starts_with("127.0.0.1:"), true)?;
        expect(method, heard.body.as_slice(), body)?;
        for name in ["authorization", "cookie", "dpop", "x-key"] {
            let what = format!("{name} at another origin");
            expect(&what, heard.header(name), None)?;
        }
    }
    Ok(())
}

async fn another_origin_gets_nothing_that_changes_something(
    asking: &Asking<'_>,
) -> Result<(), Broken> {
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let url = redirect(asking, 307, &elsewhere(asking, "/echo")?)?;
        let mut request = telling(method, url)?;
        if method == "DELETE" {
            request.body.clear();
        }
        let error = asking.refused(method, request).await?;
        let expected: FetchError = RedirectError::ChangeAcrossOrigins.into();
        expect(method, error, expected)?;
    }
    Ok(())
}
