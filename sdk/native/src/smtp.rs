//! Mail by SMTP, over TLS.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use huddle_core::mail::Delivery;
use huddle_mail::{Mailer, Message};
use huddle_ports::Url;
use lettre::address::{Address, Envelope};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransport, Error, SUBMISSION_PORT};
use lettre::{AsyncTransport as _, Tokio1Executor};

/// How long the server may take for each of its answers.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Answers that are about us and not about the message: who we are was not shown, or not believed (RFC 4954 §6).
const UNAUTHENTICATED: [u16; 4] = [530, 534, 535, 538];

/// Sends by a mail server that takes mail from us for everybody.
#[derive(Clone)]
pub struct SmtpMailer(AsyncSmtpTransport<Tokio1Executor>);

/// Mail cannot be sent by this server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mail cannot be sent by this server: {0}")]
pub struct SmtpSetupError(String);

impl SmtpMailer {
    /// Sends by the server at `url`, and says to be `domain`. `smtps://user:password@host` speaks TLS from the start and
    /// `smtp://…` before anything is told; only to this very machine (`smtp://localhost`) is mail sent without, unless
    /// the address ends in `?tls=required`. Trusts,
    /// beside the certificate authorities of the system, those in `extra_roots` (PEM).
    pub fn new(url: &Url, domain: &str, extra_roots: &[&[u8]]) -> Result<Self, SmtpSetupError> {
        let host = url.host_str().unwrap_or_default();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|error| setup_error(&error))?;
        let tls = || -> Result<TlsParameters, Error> {
            let mut tls = TlsParameters::builder(host.to_owned());
            for pem in extra_roots {
                tls = tls.add_root_certificate(Certificate::from_pem(pem)?);
            }
            tls.build_rustls()
        };
        let tls = || tls().map_err(|error| setup_error(&error));
        if url.scheme() == "smtps" {
            builder = builder.tls(Tls::Wrapper(tls()?));
        } else if url.query().is_some() || !is_this_machine(host) {
            let port = url.port().unwrap_or(SUBMISSION_PORT);
            builder = builder.port(port).tls(Tls::Required(tls()?));
        }
        let transport = builder
            .hello_name(ClientId::Domain(domain.to_owned()))
            .timeout(Some(TIMEOUT));
        Ok(Self(transport.build()))
    }

    /// Whether mail could be sent now: connects, begins TLS where that is to be, and shows who we are.
    pub async fn check(&self) -> Result<(), SmtpProblem> {
        match self.0.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SmtpProblem::Unreachable("it does not answer".into())),
            Err(error) => Err(match error.status().map(u16::from) {
                Some(code) if UNAUTHENTICATED.contains(&code) => SmtpProblem::Unauthenticated(code),
                Some(code) => SmtpProblem::Refused(code),
                None => SmtpProblem::Unreachable(chain(&error)),
            }),
        }
    }
}

/// Why no mail could be sent. What a server says is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpProblem {
    /// The server does not know who we are, or does not believe it, and answers this.
    #[error("it does not take the user and the password, and answers {0}")]
    Unauthenticated(u16),
    /// The server does not want us, and answers this.
    #[error("it answers {0}")]
    Refused(u16),
    /// The server is not there, or it does not speak as it should.
    #[error("{0}")]
    Unreachable(String),
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse();
    host == "localhost" || address.is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &Message) -> Delivery {
        let address = |address: &str| address.parse::<Address>();
        let envelope = address(message.from.as_str()).and_then(|from| {
            Ok(Envelope::new(
                Some(from),
                vec![address(message.to.as_str())?],
            ))
        });
        let Ok(Ok(envelope)) = envelope else {
            return Delivery::Refused("SMTP cannot carry the address".into());
        };
        match self.0.send_raw(&envelope, &message.bytes).await {
            Ok(_) => Delivery::Sent,
            Err(error) => failed(&error),
        }
    }
}

/// What a failure comes to. What a server says is not repeated: it may name the address.
fn failed(error: &Error) -> Delivery {
    let later = |problem| Delivery::TryLater {
        after: None,
        problem,
    };
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && !UNAUTHENTICATED.contains(&code) => {
            Delivery::Refused(format!("the mail server answers {code}"))
        }
        Some(code) => later(format!("the mail server answers {code}")),
        None if error.is_client() => Delivery::Refused(chain(error)),
        None => later(chain(error)),
    }
}

fn setup_error(error: &Error) -> SmtpSetupError {
    SmtpSetupError(chain(error))
}

/// What went wrong, and the cause of that.
fn chain(error: &Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").finish_non_exhaustive()
    }
}
