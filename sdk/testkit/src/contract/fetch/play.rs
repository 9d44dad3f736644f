//! What the server of the contract does, told by the path of each request: so each case says what it is answered, and
//! the servers of all runtimes, which have nothing else in common, know of none.

use data_encoding::BASE64URL_NOPAD;

/// What a request asks of its server, which reads it whole, body included, and does that. After [`Echo`](Self::Echo)
/// and [`Idle`](Self::Idle) it goes on to the next request of the same connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `/echo…`: to answer with the request itself, as it came over the connection: [`echo`].
    Echo,
    /// `/idle`: to answer, with [`IDLE`], as soon as nothing is played to anybody; or never.
    Idle,
    /// `/play/THEN/PIECE/PIECE…`: to send these pieces, which are written in base64url.
    Play(Play),
}

/// The answer to a request that waits until nothing is played.
pub const IDLE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// What is sent in answer to a request, HTTP or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// What is sent, piece by piece.
    pub pieces: Vec<Vec<u8>>,
    /// What comes after it.
    pub then: Then,
}

/// What comes after the last piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The end of the connection.
    HangUp,
    /// Nothing, until the client hangs up.
    Hang,
    /// The last piece again, as often as the client takes it.
    Repeat,
    /// The same, with [`PAUSE_MILLIS`] before each.
    Trickle,
    /// The next request on the same connection.
    KeepAlive,
}

/// How long it takes a server that [trickles](Then::Trickle), in milliseconds.
pub const PAUSE_MILLIS: u64 = 20;

/// The names of what may come after the last piece, in a path.
const NAMES: [(Then, &str); 5] = [
    (Then::HangUp, "hang-up"),
    (Then::Hang, "hang"),
    (Then::Repeat, "repeat"),
    (Then::Trickle, "trickle"),
    (Then::KeepAlive, "keep-alive"),
];

impl Asked {
    /// What is asked by a request that begins with this; `None` is a request that is none of the contract's.
    pub fn of(request: &[u8]) -> Option<Self> {
        let target = request.split(|byte| *byte == b' ').nth(1)?;
        let path = std::str::from_utf8(target).ok()?.split('?').next()?;
        let mut segments = path.strip_prefix('/')?.split('/');
        match segments.next()? {
            "echo" => Some(Self::Echo),
            "idle" => Some(Self::Idle),
            "play" => {
                let name = segments.next()?;
                let (then, _) = NAMES.into_iter().find(|(_, it)| *it == name)?;
                let pieces = segments.map(|piece| BASE64URL_NOPAD.decode(piece.as_bytes()).ok());
                let pieces = pieces.collect::<Option<_>>()?;
                Some(Self::Play(Play { pieces, then }))
            }
            _ => None,
        }
    }
}

impl Play {
    /// Pieces, and what comes after them.
    pub fn new(pieces: &[&[u8]], then: Then) -> Self {
        let pieces = pieces.iter().map(|piece| piece.to_vec()).collect();
        Self { pieces, then }
    }

    /// The path that asks for this.
    pub fn path(&self) -> String {
        let then = NAMES.into_iter().find(|(then, _)| *then == self.then);
        let mut path = format!("/play/{}", then.map_or("", |(_, name)| name));
        for piece in &self.pieces {
            path.push('/');
            path.push_str(&BASE64URL_NOPAD.encode(piece));
        }
        path
    }
}

/// The answer to a request that asks for itself.
pub fn echo(request: &[u8]) -> Vec<u8> {
    let length = request.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), request].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_all_of_a_play() {
        for (then, name) in NAMES {
            let play = Play::new(&[b"HTTP/1.1 200 OK\r\n", b"\xff\xfe/?"], then);
            let request = format!("GET {}?query HTTP/1.1\r\n", play.path());
            assert_eq!(
                Asked::of(request.as_bytes()),
                Some(Asked::Play(play)),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_not_asked_in_these_words_is_not_known() {
        for (path, expect) in [
            ("/echo/a?b", Some(Asked::Echo)),
            ("/idle", Some(Asked::Idle)),
            ("/play/hang", Some(Asked::Play(Play::new(&[], Then::Hang)))),
            ("/play/sleep", None),
            ("/play/hang/!", None),
            ("/", None),
            ("", None),
        ] {
            let request = format!("GET {path} HTTP/1.1\r\n\r\n");
            assert_eq!(Asked::of(request.as_bytes()), expect, "{path}");
        }
        assert_eq!(Asked::of(b""), None);
    }
}
