//! What is sent goes out as it is, and what comes is given as it is.

use huddle_ports::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};

use super::{Asking, Heard, LIMITS, SECRET, Then};
use crate::contract::{Broken, broken, expect};

pub(super) async fn check(asking: &Asking<'_>) -> Result<(), Broken> {
    methods_and_bodies_go_out(asking).await?;
    headers_go_out(asking).await?;
    headers_of_the_connection_are_its_own(asking).await?;
    every_status_is_an_answer(asking).await?;
    headers_come_back(asking).await?;
    an_answer_to_head_has_no_body(asking).await?;
    interim_answers_are_none(asking).await?;
    nothing_is_kept_for_the_next_request(asking).await
}

/// The methods of HTTP, and those of WebDAV with which calendars are read.
async fn methods_and_bodies_go_out(asking: &Asking<'_>) -> Result<(), Broken> {
    let long = vec![b'x'; 300_000];
    for (method, body) in [
        ("GET", &b""[..]),
        ("POST", b"question"),
        ("POST", b""),
        ("PUT", b"\0\xff\r\n\r\n"),
        ("PUT", &long),
        ("PATCH", b"change"),
        ("DELETE", b""),
        ("OPTIONS", b""),
        ("PROPFIND", b"<propfind/>"),
        ("REPORT", b"<report/>"),
    ] {
        let mut url = asking.url("/echo/a%20b")?;
        url.set_fragment(Some("fragment"));
        let mut request = Request::post(url, body.to_vec()).limits(LIMITS);
        request.method = Method::from_bytes(method.as_bytes()).map_err(|it| broken(method, it))?;
        let heard = Heard::ask(asking, method, request).await?;
        let line = format!("{method} /echo/a%20b?{SECRET} HTTP/1.1");
        expect("the request that is heard", heard.line.as_str(), &line)?;
        if heard.body != body {
            let told = format!("{} bytes are heard of {}", heard.body.len(), body.len());
            return Err(broken(method, told));
        }
    }
    Ok(())
}

async fn headers_go_out(asking: &Asking<'_>) -> Result<(), Broken> {
    let headers = [
        ("authorization", "Bearer t"),
        ("content-type", "text/plain"),
        ("if-none-match", "\"a\", \"b\""),
        ("x-several", "one"),
        ("x-several", "two"),
    ];
    let mut request = Request::post(asking.url("/echo")?, "question").limits(LIMITS);
    request.headers.extend(headers.map(|(name, value)| {
        let (name, value) = (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        (name, value)
    }));
    let heard = Heard::ask(asking, "headers", request).await?;
    for (name, value) in [
        ("authorization", "Bearer t"),
        ("content-type", "text/plain"),
        ("if-none-match", "\"a\", \"b\""),
        ("x-several", "one, two"),
    ] {
        expect(name, heard.header(name).as_deref(), Some(value))?;
    }
    expect(
        "where it comes from is not told",
        heard.header("referer"),
        None,
    )?;
    let is_named = heard.header("user-agent").is_some_and(|it| !it.is_empty());
    expect("a server can tell who is asking", is_named, true)
}

async fn headers_of_the_connection_are_its_own(asking: &Asking<'_>) -> Result<(), Broken> {
    let mut request = Request::post(asking.url("/echo")?, "question").limits(LIMITS);
    for (name, value) in [
        (header::HOST, "elsewhere.example.com"),
        (header::CONTENT_LENGTH, "3"),
        (header::TRANSFER_ENCODING, "chunked"),
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
        (header::TE, "trailers"),
        (header::ACCEPT_ENCODING, "zstd"),
    ] {
        request = request.header(name, HeaderValue::from_static(value));
    }
    let heard = Heard::ask(asking, "headers of the connection", request).await?;
    let port = asking.server.port().unwrap_or_default();
    let host = format!("localhost:{port}");
    expect("the host", heard.header("host"), Some(host))?;
    expect("the body", heard.body.as_slice(), b"question")?;
    expect(
        "the length",
        heard.header("content-length").as_deref(),
        Some("8"),
    )?;
    expect("no upgrade", heard.header("upgrade"), None)?;
    let encodings = heard.header("accept-encoding").unwrap_or_default();
    expect(
        "no encoding is asked for that is not read",
        encodings.contains("zstd"),
        false,
    )
}

/// But for redirects. Those of the 3xx that are none keep their `Location`.
async fn every_status_is_an_answer(asking: &Asking<'_>) -> Result<(), Broken> {
    for status in [
        200, 201, 202, 203, 204, 206, 300, 304, 305, 306, 400, 401, 403, 404, 405, 407, 408, 409,
        410, 418, 421, 429, 451, 500, 501, 502, 503, 504, 511, 599,
    ] {
        let head = format!("HTTP/1.1 {status} X\r\nlocation: /echo\r\ncontent-length: 0\r\n\r\n");
        let url = asking.plays(&[head.as_bytes()], Then::HangUp)?;
        let response = asking.got(&format!("status {status}"), url).await?;
        expect("the status", response.status.as_u16(), status)?;
        expect(
            "the place of it",
            value(&response, "location"),
            text("/echo"),
        )?;
    }
    Ok(())
}

async fn headers_come_back(asking: &Asking<'_>) -> Result<(), Broken> {
    let head = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nX-Several: one\r\nX-Several: two\r\nX-Empty:\r\n\
         X-Text: \u{fc}\u{20ac}\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\ncontent-length: 0\r\n\r\n";
    let url = asking.plays(&[head.as_bytes()], Then::HangUp)?;
    let response = asking.got("headers", url.clone()).await?;
    for (name, expected) in [
        ("etag", "\"a\""),
        ("x-several", "one, two"),
        ("x-empty", ""),
        ("x-text", "\u{fc}\u{20ac}"),
    ] {
        expect(name, value(&response, name), text(expected))?;
    }
    // The one header whose values cannot be put into one (RFC 9110 §5.3).
    let cookies = of_name(&response.headers, "set-cookie");
    expect("cookies", cookies, vec![&b"a=1"[..], b"b=2"])?;
    expect("where it came from", response.final_url, url)
}

/// A header that says how long the body would be is no promise of one.
async fn an_answer_to_head_has_no_body(asking: &Asking<'_>) -> Result<(), Broken> {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    let url = asking.plays(&[head], Then::HangUp)?;
    let response = asking
        .answered("HEAD", Request::new(Method::HEAD, url).limits(LIMITS))
        .await?;
    expect("the status", response.status.as_u16(), 200)?;
    expect("no body", response.body.is_empty(), true)
}

async fn interim_answers_are_none(asking: &Asking<'_>) -> Result<(), Broken> {
    for interim in ["100 Continue", "103 Early Hints"] {
        let first = format!("HTTP/1.1 {interim}\r\n\r\n");
        let then = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
        let url = asking.plays(&[first.as_bytes(), then], Then::HangUp)?;
        let response = asking.got(interim, url).await?;
        expect(interim, response.status.as_u16(), 200)?;
        expect(interim, &*response.body, b"hi")?;
    }
    Ok(())
}

async fn nothing_is_kept_for_the_next_request(asking: &Asking<'_>) -> Result<(), Broken> {
    let cookie = b"HTTP/1.1 200 OK\r\nset-cookie: a=b; path=/\r\ncache-control: max-age=600\r\n\
          content-length: 0\r\n\r\n";
    let url = asking.plays(&[cookie], Then::KeepAlive)?;
    for _ in 0..2 {
        asking
            .got("a server that sets a cookie", url.clone())
            .await?;
    }
    let request = Request::get(asking.url("/echo")?).limits(LIMITS);
    let heard = Heard::ask(asking, "the next request", request).await?;
    expect("no cookie is kept", heard.header("cookie"), None)
}

/// The values of all headers of a name, as if they were in one.
fn value(response: &Response, name: &str) -> Option<Vec<u8>> {
    let values = of_name(&response.headers, name);
    (!values.is_empty()).then(|| values.join(&b", "[..]))
}

fn of_name<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    let values = headers.get_all(name).iter();
    values.map(HeaderValue::as_bytes).collect()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is compared with what may be there"
)]
fn text(value: &str) -> Option<Vec<u8>> {
    Some(value.as_bytes().to_vec())
}
