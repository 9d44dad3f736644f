//! Digest authentication (RFC 7616), for servers that ask for it: the password is shown to be known.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use huddle_ports::{HeaderValue, Method, Timestamp, Url};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::challenge::{Algorithm, DigestChallenge};

/// What a server has asked for, and how often it was answered.
pub(crate) struct Session {
    challenge: DigestChallenge,
    answers: u32,
}

impl Session {
    pub(crate) fn new(challenge: DigestChallenge) -> Self {
        Self {
            challenge,
            answers: 0,
        }
    }

    /// The value of `Authorization` of the next request, marked as sensitive; `None` if the server has asked for what
    /// cannot stand in a header.
    pub(crate) fn authorize(
        &mut self,
        user: &str,
        password: &str,
        request: (&Method, &Url),
        now: Timestamp,
    ) -> Option<HeaderValue> {
        self.answers = self.answers.saturating_add(1);
        let client_nonce = self.client_nonce(password, now);
        let text = self.answer(user, password, request, &client_nonce);
        let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Another each time, which nobody can foretell who does not know the password (RFC 7616 §5.4): there is no
    /// randomness here, and none is needed.
    fn client_nonce(&self, password: &str, now: Timestamp) -> String {
        let DigestChallenge { nonce, .. } = &self.challenge;
        let which = format!("{nonce}:{}:{}:", now.as_millis(), self.answers);
        let text = Zeroizing::new([&*which, password].concat());
        HEXLOWER.encode(&Sha256::digest(text.as_bytes())[..16])
    }

    fn answer(
        &self,
        user: &str,
        password: &str,
        (method, url): (&Method, &Url),
        client_nonce: &str,
    ) -> Zeroizing<String> {
        let DigestChallenge {
            realm,
            nonce,
            opaque,
            algorithm,
            counts,
        } = &self.challenge;
        let hash = |text: &str| {
            Zeroizing::new(match algorithm {
                Algorithm::Md5 => HEXLOWER.encode(&Md5::digest(text)),
                Algorithm::Sha256 => HEXLOWER.encode(&Sha256::digest(text)),
            })
        };
        let uri = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let count = format!("{:08x}", self.answers);
        // RFC 7616 §3.4.
        let who = Zeroizing::new([user, ":", realm, ":", password].concat());
        let (who, what) = (hash(&who), hash(&format!("{method}:{uri}")));
        // Whoever has the first hash can answer for the password.
        let when = if *counts {
            format!(":{nonce}:{count}:{client_nonce}:auth:")
        } else {
            format!(":{nonce}:")
        };
        let shown = Zeroizing::new([&*who, &*when, &*what].concat());
        let mut text = Zeroizing::new(format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{}\", algorithm={}",
            quoted(user),
            quoted(realm),
            quoted(nonce),
            *hash(&shown),
            algorithm.as_str(),
        ));
        if *counts {
            let _ = write!(text, ", qop=auth, nc={count}, cnonce=\"{client_nonce}\"");
        }
        if let Some(opaque) = opaque {
            let _ = write!(text, ", opaque=\"{}\"", quoted(opaque));
        }
        text
    }
}

/// What stands between quotes (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(algorithm: Algorithm, counts: bool) -> DigestChallenge {
        DigestChallenge {
            realm: "http-auth@example.org".into(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
            opaque: Some("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS".into()),
            algorithm,
            counts,
        }
    }

    #[track_caller]
    fn check(algorithm: Algorithm, counts: bool, response: &str) {
        let session = Session {
            challenge: challenge(algorithm, counts),
            answers: 1,
        };
        let url = Url::parse("http://www.example.org/dir/index.html").unwrap();
        let client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let request = (&Method::GET, &url);
        let answer = session.answer("Mufasa", "Circle of Life", request, client_nonce);
        let expect = format!("response=\"{response}\"");
        assert!(answer.contains(&expect), "{}", *answer);
        assert!(answer.contains("uri=\"/dir/index.html\""));
        assert_eq!(answer.contains("nc=00000001"), counts);
    }

    #[test]
    fn digests_are_those_of_the_specification() {
        // RFC 7616 §3.9.1.
        check(Algorithm::Md5, true, "8ca523f5e9506fed4657c9700eebdbec");
        check(
            Algorithm::Sha256,
            true,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        );
        // As RFC 2069 has it: computed from its formula.
        check(Algorithm::Md5, false, "7b2cc3b30e75b4777ea31027084363fd");
    }

    #[test]
    fn each_answer_counts_and_has_a_nonce_of_its_own() {
        let mut session = Session::new(challenge(Algorithm::Sha256, true));
        let url = Url::parse("https://dav.example.com/a?b=c").unwrap();
        let mut answer = |user: &str| {
            let request = (&Method::PUT, &url);
            let now = Timestamp::UNIX_EPOCH;
            let value = session.authorize(user, "secret", request, now).unwrap();
            assert!(value.is_sensitive());
            String::from_utf8(value.as_bytes().to_vec()).unwrap()
        };
        let (first, second) = (answer("ana"), answer("a\"n\\ä"));
        assert!(first.contains("nc=00000001") && second.contains("nc=00000002"));
        assert!(first.contains("uri=\"/a?b=c\""));
        assert!(second.contains(r#"username="a\"n\\ä""#), "{second}");
        let nonce = |text: &str| {
            let (_, nonce) = text.split_once("cnonce=\"").unwrap();
            nonce[..32].to_owned()
        };
        assert_ne!(nonce(&first), nonce(&second));
        assert!(!first.contains("secret"));
    }

    #[test]
    fn what_a_server_slips_in_ends_no_header() {
        let mut session = Session::new(DigestChallenge {
            nonce: "a\r\nX: y".into(),
            ..challenge(Algorithm::Md5, true)
        });
        let url = Url::parse("https://dav.example.com/").unwrap();
        let request = (&Method::GET, &url);
        let answer = session.authorize("ana", "secret", request, Timestamp::UNIX_EPOCH);
        assert_eq!(answer, None);
    }
}
