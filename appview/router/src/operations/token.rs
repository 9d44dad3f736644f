//! Who is an operator.

use std::fmt;
use std::str::FromStr;

use axum::http::HeaderMap;
use huddle_xrpc::server::bearer_token;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

/// The fewest characters of a token: of hexadecimal digits, 128 bits.
const LEAST: usize = 32;

/// What an operator shows to see what is for nobody else, as `Authorization: Bearer`. Only its hash is kept, which also
/// makes comparing take the same time however long a guess is.
#[derive(Clone)]
pub struct OperatorToken([u8; 32]);

/// A token that somebody could guess, or that no header can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an operator's token has {LEAST} characters or more, all of them printable ASCII: try `openssl rand -hex 32`"
)]
pub struct WeakToken;

impl OperatorToken {
    /// Whether a request shows it.
    pub fn is_shown(&self, headers: &HeaderMap) -> bool {
        match bearer_token(headers) {
            Ok(Some(token)) => hash(token).ct_eq(&self.0).into(),
            Ok(None) | Err(_) => false,
        }
    }
}

impl FromStr for OperatorToken {
    type Err = WeakToken;

    fn from_str(text: &str) -> Result<Self, WeakToken> {
        let text = text.trim();
        let is_token = text.len() >= LEAST && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| Self(hash(text))).ok_or(WeakToken)
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn a_token_that_could_be_guessed_is_refused() {
        for text in [
            "",
            "secret",
            &"x".repeat(31),
            &" ".repeat(40),
            &"ä".repeat(40),
        ] {
            assert_eq!(
                text.parse::<OperatorToken>().err(),
                Some(WeakToken),
                "{text}"
            );
        }
    }

    #[test]
    fn a_token_is_itself_and_nothing_else() {
        let text = "0123456789abcdef0123456789abcdef";
        let token: OperatorToken = format!("{text}\n").parse().unwrap();
        let is_shown = |value: String| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::try_from(value).unwrap());
            token.is_shown(&headers)
        };
        assert!(is_shown(format!("Bearer {text}")));
        for other in [
            text.to_owned(),
            format!("Basic {text}"),
            format!("Bearer {}", &text[1..]),
            format!("Bearer {text}0"),
            format!("Bearer {}", text.to_uppercase()),
        ] {
            assert!(!is_shown(other));
        }
        assert!(!token.is_shown(&HeaderMap::new()));
        assert!(!format!("{token:?}").contains("0123"));
    }
}
