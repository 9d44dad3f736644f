//! Bodies are whole, decompressed, and never longer than they may be.

use huddle_ports::{FetchError, FetchLimits, HeaderValue, Request, Url, header};

use super::{Asking, LIMITS, Then};
use crate::contract::{Broken, broken, expect};

/// The longest body that is taken here, in bytes.
const MOST: usize = 1000;

/// The same for bombs, which are longer than they look.
const MOST_OF_A_BOMB: usize = 64 * 1024;

/// `hello`, in gzip.
const GZIP: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";

/// 1 MiB of zeros, in gzip: what stands before and after many zeros.
const GZIP_BOMB: (&[u8], usize, &[u8]) = (
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xed\xc1\x31\x01\0\0\0\xc2\xa0\xf5\x4f\x6d\x08\x5f\xa0",
    1016,
    b"\x3e\x03\x1c\xea\x38\xa7\0\0\x10\0",
);

/// 64 MiB of zeros, in brotli with a window of 16 MiB.
const BROTLI_BOMB: [u8; 54] = [
    0xcf, 0xff, 0xff, 0x7f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x9f, 0xff, 0xff,
    0xff, 0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x01, 0x80, 0xee, 0xfd, 0x3f, 0xff, 0xff, 0xff, 0xe1, 0x9f,
    0x00, 0x88, 0xc3, 0x22, 0x00, 0xdd, 0xfb, 0x7f, 0xfe, 0xff, 0xff, 0xc3, 0x3f, 0x01, 0x10, 0x87,
    0x05, 0x00, 0xba, 0xf7, 0xff, 0x03,
];

pub(super) async fn check(asking: &Asking<'_>) -> Result<(), Broken> {
    the_limit_is_the_last_length_that_fits(asking).await?;
    what_goes_on_for_ever_ends_at_the_limit(asking).await?;
    an_answer_ends_where_it_says(asking).await?;
    compressed_bodies_are_read(asking).await?;
    an_encoding_that_is_not_known_is_left_as_it_is(asking).await?;
    bombs_are_measured_as_they_unfold(asking).await
}

/// The ways to say how long a body is.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunks,
    EndOfConnection,
}

impl Framing {
    fn answer(self, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let (head, end) = match self {
            Self::Length => (format!("content-length: {length}\r\n\r\n"), ""),
            Self::Chunks if body.is_empty() => {
                ("transfer-encoding: chunked\r\n\r\n".into(), "0\r\n\r\n")
            }
            Self::Chunks => {
                let head = format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n");
                (head, "\r\n0\r\n\r\n")
            }
            Self::EndOfConnection => ("\r\n".into(), ""),
        };
        let head = format!("HTTP/1.1 200 OK\r\n{head}");
        [head.as_bytes(), body, end.as_bytes()].concat()
    }
}

/// Asks for a body of at most so many bytes.
fn within(url: Url, most: usize) -> Request {
    Request::get(url).limits(FetchLimits {
        max_response_bytes: most,
        ..LIMITS
    })
}

async fn the_limit_is_the_last_length_that_fits(asking: &Asking<'_>) -> Result<(), Broken> {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(MOST + 1).collect();
    for framing in [Framing::Length, Framing::Chunks, Framing::EndOfConnection] {
        for length in [0, 1, MOST] {
            let what = format!("{length} bytes told by {framing:?}");
            let body = &bytes[..length];
            let url = asking.plays(&[&framing.answer(body)], Then::HangUp)?;
            let response = asking.answered(&what, within(url, MOST)).await?;
            expect(&what, &*response.body, body)?;
        }
        let what = format!("{} bytes told by {framing:?}", MOST + 1);
        let url = asking.plays(&[&framing.answer(&bytes)], Then::HangUp)?;
        let error = asking.refused(&what, within(url, MOST)).await?;
        expect(&what, error, FetchError::TooLarge { limit: MOST })?;
    }
    Ok(())
}

async fn what_goes_on_for_ever_ends_at_the_limit(asking: &Asking<'_>) -> Result<(), Broken> {
    let kilobyte = "x".repeat(1024);
    let chunk = format!("400\r\n{kilobyte}\r\n");
    for (what, head, piece) in [
        (
            "a length of eight exabytes",
            "content-length: 9223372036854775807\r\n",
            &kilobyte,
        ),
        ("no length", "", &kilobyte),
        ("chunks for ever", "transfer-encoding: chunked\r\n", &chunk),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n");
        let url = asking.plays(&[head.as_bytes(), piece.as_bytes()], Then::Repeat)?;
        let error = asking.refused(what, within(url, MOST_OF_A_BOMB)).await?;
        let limit = MOST_OF_A_BOMB;
        expect(what, error, FetchError::TooLarge { limit })?;
    }
    Ok(())
}

async fn an_answer_ends_where_it_says(asking: &Asking<'_>) -> Result<(), Broken> {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhalf of it";
    let url = asking.plays(&[answer], Then::HangUp)?;
    let response = asking.got("a length that is too short", url).await?;
    expect("as long as it says", &*response.body, b"half")
}

async fn compressed_bodies_are_read(asking: &Asking<'_>) -> Result<(), Broken> {
    let url = asking.plays(&encoded("gzip", GZIP).each(), Then::HangUp)?;
    let response = asking.got("gzip", url).await?;
    expect("what was compressed", &*response.body, b"hello")?;
    for name in [header::CONTENT_ENCODING, header::CONTENT_LENGTH] {
        let what = format!("{name} is not that of the body");
        expect(&what, response.headers.get(name), None)?;
    }
    // What breaks off, or is something else, is not half of an answer.
    for (what, body) in [
        ("gzip that is cut off", &GZIP[..12]),
        ("gzip without its end", &GZIP[..GZIP.len() - 8]),
        ("something else than gzip", b"not gzip at all"),
    ] {
        let url = asking.plays(&encoded("gzip", body).each(), Then::HangUp)?;
        let error = asking
            .refused(what, Request::get(url).limits(LIMITS))
            .await?;
        if !matches!(error, FetchError::Broken(_)) {
            return Err(broken(what, format!("it is {error:?}")));
        }
    }
    Ok(())
}

/// Nobody asked for it, and whoever gets it can tell.
async fn an_encoding_that_is_not_known_is_left_as_it_is(asking: &Asking<'_>) -> Result<(), Broken> {
    let url = asking.plays(&encoded("x-unknown", b"12345").each(), Then::HangUp)?;
    let response = asking.got("an unknown encoding", url).await?;
    expect("the body as it came", &*response.body, b"12345")?;
    for (name, value) in [
        (header::CONTENT_ENCODING, "x-unknown"),
        (header::CONTENT_LENGTH, "5"),
    ] {
        let came = response.headers.get(&name).map(HeaderValue::as_bytes);
        expect(name.as_str(), came, Some(value.as_bytes()))?;
    }
    Ok(())
}

async fn bombs_are_measured_as_they_unfold(asking: &Asking<'_>) -> Result<(), Broken> {
    let (head, zeros, tail) = GZIP_BOMB;
    let gzip = [head, &vec![0; zeros], tail].concat();
    for (encoding, body) in [("gzip", gzip.as_slice()), ("br", &BROTLI_BOMB)] {
        let url = asking.plays(&encoded(encoding, body).each(), Then::HangUp)?;
        let error = asking
            .refused(encoding, within(url, MOST_OF_A_BOMB))
            .await?;
        let limit = MOST_OF_A_BOMB;
        expect(encoding, error, FetchError::TooLarge { limit })?;
    }
    // That the bomb is whole, and unfolds where there is room.
    let url = asking.plays(&encoded("gzip", &gzip).each(), Then::HangUp)?;
    let response = asking.got("a bomb that fits", url).await?;
    expect("all of it", response.body.len(), 1024 * 1024)
}

/// The head and the body of an answer in an encoding.
struct Encoded<'a>(String, &'a [u8]);

fn encoded<'a>(encoding: &str, body: &'a [u8]) -> Encoded<'a> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n"
    );
    Encoded(head, body)
}

impl Encoded<'_> {
    fn each(&self) -> [&[u8]; 2] {
        [self.0.as_bytes(), self.1]
    }
}
