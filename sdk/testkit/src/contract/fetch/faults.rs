//! Half an answer is none, and nobody is waited for longer than the request says.

use std::time::Duration;

use huddle_ports::{FetchError, FetchLimits, Request, Url};

use super::{Asking, LIMITS, SECRET, Then};
use crate::contract::{Broken, broken, expect};

/// What a server is given that never comes to an end.
const BRIEF: FetchLimits = FetchLimits {
    timeout: Duration::from_millis(300),
    ..LIMITS
};

pub(super) async fn check(asking: &Asking<'_>) -> Result<(), Broken> {
    what_is_cut_off_or_no_http_is_an_error(asking).await?;
    nobody_at_the_port_is_an_error(asking).await?;
    servers_that_keep_us_waiting_are_given_up(asking).await
}

async fn what_is_cut_off_or_no_http_is_an_error(asking: &Asking<'_>) -> Result<(), Broken> {
    let long_header = format!("x: {}\r\n", "y".repeat(10_000));
    let half_a_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf";
    let one_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    for (what, pieces, then) in [
        ("nothing", &[][..], Then::HangUp),
        ("half a head", &["HTTP/1.1 200 OK\r\nx: "], Then::HangUp),
        (
            "another protocol",
            &["220 mail.example.com ESMTP\r\n"],
            Then::HangUp,
        ),
        ("rubbish", &["\0\0\0\0\0\0\0\0"], Then::HangUp),
        (
            "a status of four digits",
            &["HTTP/1.1 2000 OK\r\n\r\n"],
            Then::HangUp,
        ),
        (
            "a negative length",
            &["HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
            Then::HangUp,
        ),
        (
            "two lengths",
            &["HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
            Then::HangUp,
        ),
        (
            "a body that is cut off",
            &["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "half"],
            Then::HangUp,
        ),
        ("a chunk that is cut off", &[half_a_chunk], Then::HangUp),
        ("chunks without the last", &[one_chunk], Then::HangUp),
        (
            "a chunk without a size",
            &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz\r\n"],
            Then::HangUp,
        ),
        (
            "headers for ever",
            &["HTTP/1.1 200 OK\r\n", &long_header],
            Then::Repeat,
        ),
    ] {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        let url = asking.plays(&pieces, then)?;
        let error = asking
            .refused(what, Request::get(url).limits(LIMITS))
            .await?;
        if !matches!(error, FetchError::Broken(_)) {
            return Err(broken(what, format!("it is {error:?}")));
        }
        expect("another time it may go well", error.is_retryable(), true)?;
    }
    Ok(())
}

/// Some runtimes do not say whether there was a connection.
async fn nobody_at_the_port_is_an_error(asking: &Asking<'_>) -> Result<(), Broken> {
    let what = "nobody at the port";
    // The port is that of discarded datagrams, on which nobody serves HTTP.
    let url = Url::parse(&format!("http://localhost:9/?{SECRET}"));
    let url = url.map_err(|error| broken(what, error))?;
    let error = asking
        .refused(what, Request::get(url).limits(LIMITS))
        .await?;
    if !matches!(error, FetchError::Connect(_) | FetchError::Broken(_)) {
        return Err(broken(what, format!("it is {error:?}")));
    }
    expect("another time it may go well", error.is_retryable(), true)
}

async fn servers_that_keep_us_waiting_are_given_up(asking: &Asking<'_>) -> Result<(), Broken> {
    let gzip = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff";
    for (what, pieces, then) in [
        ("no answer", &[][..], Then::Hang),
        ("half a head", &[&b"HTTP/1.1 200 OK\r\n"[..]], Then::Hang),
        (
            "no body",
            &[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"],
            Then::Hang,
        ),
        (
            "half a body",
            &[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"],
            Then::Hang,
        ),
        (
            "a body without an end",
            &[b"HTTP/1.1 200 OK\r\n\r\n", b"x"],
            Then::Hang,
        ),
        (
            "a body that trickles",
            &[b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n", b"x"],
            Then::Trickle,
        ),
        (
            "headers that trickle",
            &[b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"],
            Then::Trickle,
        ),
        (
            "interim answers for ever",
            &[b"HTTP/1.1 103 Early Hints\r\n\r\n"],
            Then::Repeat,
        ),
        (
            "empty blocks of gzip for ever",
            &[gzip, b"\0\0\0\xff\xff"],
            Then::Repeat,
        ),
    ] {
        let url = asking.plays(pieces, then)?;
        let error = asking
            .refused(what, Request::get(url).limits(BRIEF))
            .await?;
        expect(what, error, FetchError::Timeout)?;
        is_given_up(asking, what).await?;
    }
    Ok(())
}

/// Whoever is not waited for is hung up on: a runtime has only so many connections.
async fn is_given_up(asking: &Asking<'_>, what: &str) -> Result<(), Broken> {
    let idle = Request::get(asking.url("/idle")?).limits(LIMITS);
    let response = asking.fetch.fetch(idle).await;
    match response {
        Ok(response) if response.status.is_success() => Ok(()),
        Ok(response) => Err(broken(
            what,
            format!("whether it goes on is answered {}", response.status),
        )),
        Err(error) => Err(broken(what, format!("it goes on: {error}"))),
    }
}
