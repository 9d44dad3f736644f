//! Mail: the server that sends it, and whom it comes from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use huddle_core::effects::Post;
use huddle_core::mail::{Addresses, Links};
use huddle_core::user_connector::sealing::KeyRing;
use huddle_mail::Letters;
pub use huddle_mail::Sender;
use huddle_native::{OsRandom, SmtpMailer};
use huddle_ports::Url;
use zeroize::Zeroizing;

use crate::secrets;

/// How mail is sent.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct MailSettings {
    /// Server that sends mail: `smtps://user:password@mail.example.com`, or `smtp://…` for STARTTLS. Without it nobody
    /// gets any. Rather set it in the environment, or name a file: arguments can be read by everybody on this machine.
    #[arg(
        long,
        env = "HUDDLE_SMTP_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub smtp_url: Option<SmtpServer>,

    /// File that holds the address of the mail server, where none is given otherwise.
    #[arg(long, env = "HUDDLE_SMTP_URL_FILE", value_name = "FILE")]
    pub smtp_url_file: Option<PathBuf>,

    /// Whom mail comes from, and invitations: `Huddle <bookings@huddle.example.com>`.
    #[arg(long, env = "HUDDLE_MAIL_FROM", value_name = "SENDER")]
    pub mail_from: Option<Sender>,
}

/// The address of a mail server. It may have a password in it, and so does not show itself.
#[derive(Clone)]
pub struct SmtpServer(Zeroizing<String>);

impl SmtpServer {
    fn url(&self) -> Url {
        Url::parse(&self.0).expect("it was read as one")
    }
}

impl FromStr for SmtpServer {
    type Err = <Url as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Url::parse(text)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpServer").finish_non_exhaustive()
    }
}

impl MailSettings {
    /// The way to people's mailboxes, whose addresses are sealed with `keys`, and whose letters lead back to the pages
    /// at `pages`; `None` where no mail is sent.
    pub(crate) fn post(&self, keys: &KeyRing, pages: &Url) -> Result<Option<Post>> {
        let Some(url) = self.server()? else {
            return Ok(None);
        };
        let Some(sender) = self.mail_from.clone() else {
            bail!(
                "mail has no sender: name one with --mail-from, e.g. bookings@huddle.example.com"
            );
        };
        let mailer = SmtpMailer::new(&url, sender.address.domain(), &[])?;
        let random = Arc::new(OsRandom);
        Ok(Some(Post {
            mail: Arc::new(Letters::new(Arc::new(mailer), sender)),
            addresses: Addresses::new(keys.clone(), random.clone()),
            links: Some(Links::new(pages.clone(), keys.clone(), random)),
        }))
    }

    /// The mail server, from wherever its address is to be had.
    pub(crate) fn server(&self) -> Result<Option<Url>> {
        let (None, Some(path)) = (&self.smtp_url, &self.smtp_url_file) else {
            return Ok(self.smtp_url.as_ref().map(SmtpServer::url));
        };
        let read = || -> Result<Url> { Ok(Url::parse(&secrets::read_text(path)?)?) };
        let url = read()
            .with_context(|| format!("the address of the mail server in {}", path.display()))?;
        Ok(Some(url))
    }
}
