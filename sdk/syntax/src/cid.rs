//! CIDs in the text form that a lexicon's string format `cid` asks for.

use crate::CidLink;
use crate::syntax_error::{Verdict, ensure};
use crate::text_type::text_type;
use std::str::FromStr;

/// A CID as text, e.g. `bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a`.
///
/// Kept exactly as it came, whatever its base, so that a record survives a rewrite. The string
/// format asks only for what a CID of version 1 looks like; a [`CidLink`] is made of one that is
/// what it looks like, in base32. Rules: <https://atproto.com/specs/data-model#link-and-cid-formats>.
///
/// ```
/// use huddle_syntax::{Cid, CidLink};
///
/// let cid: Cid = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a".parse()?;
/// let link = CidLink::try_from(&cid).expect("a link in base32");
/// assert_eq!(Cid::from(&link), cid);
/// # Ok::<(), huddle_syntax::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct Cid(Box<str>);

text_type!(Cid: "CID", check);

impl From<&CidLink> for Cid {
    fn from(link: &CidLink) -> Self {
        Self(link.to_string().into())
    }
}

/// Fails if the text only looks like a CID, or is not in base32.
impl TryFrom<&Cid> for CidLink {
    type Error = <Self as FromStr>::Err;

    fn try_from(cid: &Cid) -> Result<Self, Self::Error> {
        cid.as_str().parse()
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
    use super::{Cid, CidLink};
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
    fn only_what_is_a_cid_in_base32_becomes_a_link() {
        #[track_caller]
        fn check(text: &str, expect: bool) {
            let cid: Cid = text.parse().unwrap();
            let link = CidLink::try_from(&cid).ok();
            assert_eq!(link.is_some(), expect);
            assert_eq!(link.as_ref().map(Cid::from), expect.then_some(cid));
        }
        check(
            "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
            true,
        );
        check(
            "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdiaa",
            false,
        );
        check("zdj7WWeQ43G6JJvLWQWZpyHuAMq6uYWRjkBXFad11vE2LHhQ7", false);
        check("mBcDxtdWx0aWhhc2g+", false);
    }

    #[test]
    fn the_shortest_and_the_longest_link_become_a_text_that_parses() {
        #[track_caller]
        fn check(codec: u64, hash: u64, digest: &[u8]) {
            let hash = Multihash::wrap(hash, digest).unwrap();
            let link = CidLink::try_from(cid::Cid::new_v1(codec, hash)).unwrap();
            let cid = Cid::from(&link);
            assert_eq!(cid.as_str().parse(), Ok(cid.clone()));
            assert_eq!(CidLink::try_from(&cid), Ok(link));
        }
        check(0, 0, &[]);
        check(u64::MAX >> 1, u64::MAX >> 1, &[7; 64]);
    }
}
