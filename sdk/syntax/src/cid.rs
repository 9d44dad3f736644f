//! CIDs in the text form that a lexicon's string format `cid` asks for.

use crate::SyntaxError;
use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;

/// A CID as text, e.g. `bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a`.
///
/// Kept exactly as it came, whatever its base, so that a record survives a rewrite. The string format
/// asks only for what a CID of version 1 looks like; whether it is one shows when it is decoded. The
/// data model's links to content are of another type, and strict. Rules:
/// <https://atproto.com/specs/data-model#link-and-cid-formats>.
///
/// ```
/// use huddle_syntax::Cid;
///
/// let text: Cid = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a".parse()?;
/// let binary = cid::Cid::try_from(&text)?;
/// assert_eq!(binary.codec(), 0x71);
/// assert_eq!(Cid::from(binary), text);
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct Cid(Box<str>);

text_type!(Cid: "CID", check);

/// Decodes the text; fails if it only looks like a CID.
impl TryFrom<&Cid> for ::cid::Cid {
    type Error = SyntaxError;

    fn try_from(cid: &Cid) -> Result<Self, SyntaxError> {
        cid.as_str()
            .parse()
            .map_err(|_| SyntaxError::new(Cid::KIND, "does not decode"))
    }
}

/// Writes a CID as version 1 in base32, the form of atproto.
impl From<::cid::Cid> for Cid {
    fn from(cid: ::cid::Cid) -> Self {
        let cid = cid
            .into_v1()
            .expect("a CID of version 0 has the one codec that converts");
        Self(cid.to_string().into())
    }
}

const MIN_LEN: usize = 8;
const MAX_LEN: usize = 256;

fn check(text: &str) -> Verdict {
    ensure(text.len() >= MIN_LEN, "shorter than 8 characters")?;
    ensure(text.len() <= MAX_LEN, "longer than 256 characters")?;
    // Of base64 no `/`: a CID is one segment of a path.
    ensure(
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+=".contains(&b)),
        "has a character other than letters, digits, `+` and `=`",
    )?;
    // How every SHA-256 multihash starts in base58, which is all that version 0 allows.
    ensure(!text.starts_with("Qm"), "of version 0")
}

#[cfg(test)]
mod tests {
    use super::Cid;
    use multihash::Multihash;

    #[test]
    fn a_text_that_is_no_cid_says_why() {
        #[track_caller]
        fn check(text: &str, problem: &str) {
            assert_eq!(
                text.parse::<Cid>().map_err(|error| error.problem()),
                Err(problem)
            );
        }
        check("bafybei", "shorter than 8 characters");
        check(&"b".repeat(257), "longer than 256 characters");
        check(
            "../../etc/passwd",
            "has a character other than letters, digits, `+` and `=`",
        );
        check(
            "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR",
            "of version 0",
        );
    }

    #[test]
    fn a_text_that_only_looks_like_a_cid_does_not_decode() {
        let text: Cid = "mBcDxtdWx0aWhhc2g+".parse().unwrap();
        assert!(cid::Cid::try_from(&text).is_err());
    }

    #[test]
    fn any_binary_cid_becomes_a_text_that_parses() {
        #[track_caller]
        fn check(cid: cid::Cid) {
            let text = Cid::from(cid);
            assert_eq!(text.as_str().parse(), Ok(text.clone()));
            assert_eq!(cid::Cid::try_from(&text), Ok(cid.into_v1().unwrap()));
        }
        let sha256 = Multihash::wrap(0x12, &[7; 32]).unwrap();
        check(cid::Cid::new_v0(sha256).unwrap());
        check(cid::Cid::new_v1(0x55, sha256));
        check(cid::Cid::new_v1(0, Multihash::wrap(0, &[]).unwrap()));
        check(cid::Cid::new_v1(
            u64::MAX >> 1,
            Multihash::wrap(u64::MAX >> 1, &[7; 64]).unwrap(),
        ));
    }
}
