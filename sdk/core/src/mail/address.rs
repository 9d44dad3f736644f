//! Mail addresses.

use std::fmt;
use std::str::FromStr;

/// A mail address that any mail server takes: plain ASCII, nothing quoted, no comments (of RFC 5321 §4.1.2 the
/// `Dot-string` and the `Domain`). It is nobody else's business, and `Debug` does not show it.
///
/// ```
/// use huddle_core::mail::EmailAddress;
///
/// let address: EmailAddress = "Ada.Lovelace+huddle@Example.COM".parse()?;
/// assert_eq!(address.as_str(), "Ada.Lovelace+huddle@example.com");
/// assert_eq!(address.domain(), "example.com");
/// assert!("ada@example.com\r\nBcc: everybody@example.com".parse::<EmailAddress>().is_err());
/// # Ok::<(), huddle_core::mail::InvalidEmailAddress>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// A text that is no mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mail address is a name, an @ and a domain, such as ada@example.com")]
pub struct InvalidEmailAddress;

/// RFC 5321 §4.5.3.1.
const MAX_NAME: usize = 64;
/// RFC 5321 §4.5.3.1.3, without the brackets.
const MAX_ADDRESS: usize = 254;
/// RFC 1035 §2.3.4.
const MAX_LABEL: usize = 63;

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What is most likely the same mailbox, whatever the address looks like: letters are of one size, and what
    /// stands behind a `+` does not count.
    pub(super) fn mailbox(&self) -> String {
        let (name, domain) = self.0.rsplit_once('@').unwrap_or_default();
        let name = name.split('+').next().unwrap_or_default();
        format!("{}@{domain}", name.to_ascii_lowercase())
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmailAddress;

    fn from_str(text: &str) -> Result<Self, InvalidEmailAddress> {
        let (name, domain) = text.rsplit_once('@').ok_or(InvalidEmailAddress)?;
        if text.len() <= MAX_ADDRESS && is_name(name) && is_domain(domain) {
            Ok(Self(format!("{name}@{}", domain.to_ascii_lowercase())))
        } else {
            Err(InvalidEmailAddress)
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_text = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_text);
    name.len() <= MAX_NAME && name.split('.').all(is_atom)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A top-level domain of digits would be the end of an IP address.
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(is_label)
        && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_mail_server_would_take_as_it_stands_is_no_address() {
        let long_name = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}com", "example.".repeat(32));
        let long_label = format!("a@{}.com", "a".repeat(64));
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@localhost",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "a da@example.com",
            "ada..l@example.com",
            ".ada@example.com",
            "\"ada\"@example.com",
            "ada@b@example.com",
            "ada@-example.com",
            "ada@example..com",
            "ada@example.com.",
            "ada@example.com\n",
            "ada\0@example.com",
            "ada<b>@example.com",
            "ada,b@example.com",
            "adá@example.com",
            "ada@éxample.com",
            &long_name,
            &long,
            &long_label,
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
        }
        for text in [
            "a@b.co",
            "o'neil+x@mail.example.co.uk",
            "a.b-c_d@xn--xample-9ua.com",
        ] {
            assert_eq!(text.parse::<EmailAddress>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn an_address_is_not_printed() {
        let address: EmailAddress = "ada@example.com".parse().unwrap();
        assert!(!format!("{address:?}").contains("ada"));
    }

    #[test]
    fn one_mailbox_has_many_addresses() {
        let mailbox = |text: &str| text.parse::<EmailAddress>().unwrap().mailbox();
        assert_eq!(mailbox("Ada+1@Example.com"), mailbox("ada+2@example.com"));
        assert_ne!(mailbox("ada@example.com"), mailbox("bob@example.com"));
    }
}
