//! The parts of a message (RFC 2045, RFC 2046).

use data_encoding::BASE64;

/// How deep parts may be nested.
const MAX_DEPTH: usize = 8;

/// The first part of this type, decoded.
pub(super) fn part(message: &str, content_type: &str) -> Option<String> {
    find(message, content_type, MAX_DEPTH)
}

fn find(entity: &str, content_type: &str, depth: usize) -> Option<String> {
    let (headers, body) = entity.split_once("\r\n\r\n")?;
    // A header may go on in the next line (RFC 5322 §2.2.3).
    let headers = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
    let kind = header(&headers, "Content-Type").unwrap_or("text/plain");
    let (name, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    if name.trim().eq_ignore_ascii_case(content_type) {
        let encoding = header(&headers, "Content-Transfer-Encoding").unwrap_or_default();
        return decoded(body, encoding);
    }
    let boundary = parameters
        .split(';')
        .find_map(|it| it.trim().strip_prefix("boundary="))?;
    let delimiter = format!("\r\n--{}", boundary.trim_matches('"'));
    let body = format!("\r\n{body}");
    let mut parts = body.split(&*delimiter).skip(1);
    let depth = depth.checked_sub(1)?;
    parts.find_map(|part| find(part.strip_prefix("\r\n")?, content_type, depth))
}

fn header<'h>(headers: &'h str, name: &str) -> Option<&'h str> {
    headers.split("\r\n").find_map(|line| {
        let (this, value) = line.split_once(':')?;
        this.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn decoded(body: &str, encoding: &str) -> Option<String> {
    match encoding.to_ascii_lowercase().as_str() {
        "base64" => {
            let text: String = body.split_ascii_whitespace().collect();
            String::from_utf8(BASE64.decode(text.as_bytes()).ok()?).ok()
        }
        "quoted-printable" => quoted_printable(body),
        _ => Some(body.to_owned()),
    }
}

/// Text in which `=` and two digits stand for a byte, and at the end of a line for no end (RFC 2045 §6.7).
fn quoted_printable(body: &str) -> Option<String> {
    let body = body.replace("=\r\n", "");
    let mut pieces = body.split('=');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "Subject: News\r\nContent-Type: multipart/alternative;\r\n boundary=\"b\"\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        A link: ?a=3D1 and =C3=A4 in =\r\none line\r\n\
        --b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\neDwvYj4=\r\n\
        --b\r\nContent-Type: Text/Calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n--b--\r\n";

    #[track_caller]
    fn check(content_type: &str, expect: Option<&str>) {
        assert_eq!(part(MESSAGE, content_type).as_deref(), expect);
    }

    #[test]
    fn parts_are_found_by_their_types_and_decoded() {
        check("text/plain", Some("A link: ?a=1 and ä in one line"));
        check("text/html", Some("<b>x</b>"));
        check("text/calendar", Some("BEGIN:VCALENDAR\r\nEND:VCALENDAR"));
        check("image/png", None);
    }

    #[test]
    fn a_message_of_one_part_is_that_part() {
        assert_eq!(
            part("\r\n\r\nHello", "text/plain").as_deref(),
            Some("Hello")
        );
        assert_eq!(part("no end of headers", "text/plain"), None);
    }

    #[test]
    fn what_is_no_encoding_is_no_text() {
        for text in ["=4", "=zz", "=C3"] {
            assert_eq!(quoted_printable(text), None, "{text}");
        }
    }
}
