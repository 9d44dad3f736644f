//! What an operator sets.
//!
//! Each setting is a flag. What no flag says, the environment says, and what neither says, a file: [`with_file`] puts
//! what is in it in the place of the defaults. So there is one list of settings, and clap has it.

mod file;
mod limits;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::builder::Resettable;
use clap::{Args as _, Command, FromArgMatches as _};
use huddle_appview_router::{OperatorToken, serves_did_document};
use huddle_identity::ServiceRef;
use huddle_ports::{HeaderName, Url};

use crate::logs::{LogFormat, LogLevel};
use crate::mail::MailSettings;
use crate::secrets;
pub use file::{File, with_file};
pub use limits::LimitSettings;

/// The folder of an installation.
#[derive(Clone, Debug, clap::Args)]
pub struct DataFolder {
    /// Folder of the databases and of the secrets that go with them.
    #[arg(
        long,
        env = "HUDDLE_DATA",
        value_name = "DIR",
        default_value = "huddle-data"
    )]
    pub data: PathBuf,
}

impl DataFolder {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.data
    }
}

/// Every setting.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Where its databases and secrets are.
    #[command(flatten)]
    pub data: DataFolder,

    /// Address and port to listen at.
    #[arg(long, env = "HUDDLE_LISTEN", default_value = DEFAULT_LISTEN)]
    pub listen: SocketAddr,

    /// DID and service that callers' tokens are made out to.
    #[arg(long, env = "HUDDLE_SERVICE", default_value = DEFAULT_SERVICE)]
    pub service: ServiceRef,

    /// Directory of did:plc.
    #[arg(
        long,
        env = "HUDDLE_PLC",
        value_name = "URL",
        default_value = "https://plc.directory"
    )]
    pub plc: Url,

    /// Look people up on this machine too, over plain HTTP: for trying things out, never in public.
    #[arg(long, env = "HUDDLE_DEVELOPMENT")]
    pub development: bool,

    /// Hosts of the firehose that keeps what is known of offers up to date, best first, e.g. `wss://relay.example.com`:
    /// a relay, or one data server. Without it nobody's offers are known.
    #[arg(
        long,
        env = "HUDDLE_FIREHOSE",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub firehose: Vec<Url>,

    /// AppView that tells who follows and who blocks whom.
    #[arg(
        long,
        env = "HUDDLE_GRAPH",
        value_name = "URL",
        default_value = "https://public.api.bsky.app"
    )]
    pub graph: Url,

    /// Header in which the reverse proxy in front says where a request comes from, e.g. `x-forwarded-for`: its last
    /// address counts. Without it, the address that connects does.
    #[arg(long, env = "HUDDLE_CLIENT_ADDRESS_HEADER", value_name = "NAME")]
    pub client_address_header: Option<HeaderName>,

    /// Where this is reached from outside, e.g. `https://huddle.example.com`. If the service's DID is that host's
    /// did:web, its document is served at /.well-known/did.json.
    #[arg(long, env = "HUDDLE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,

    /// Bearer token that shows /internal/metrics and /zpages, which are not there without it. Rather set it in the
    /// environment, or name a file: arguments can be read by everybody on this machine.
    #[arg(
        long,
        env = "HUDDLE_OPERATOR_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub operator_token: Option<OperatorToken>,

    /// File that holds the operator's token, where none is given otherwise.
    #[arg(long, env = "HUDDLE_OPERATOR_TOKEN_FILE", value_name = "FILE")]
    pub operator_token_file: Option<PathBuf>,

    /// How `huddle serve` says what it does, on standard error: `json` is for programs.
    #[arg(long, env = "HUDDLE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// From which level on it says something.
    #[arg(long, env = "HUDDLE_LOG_LEVEL", value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,

    /// How mail goes out.
    #[command(flatten)]
    pub mail: MailSettings,

    /// How much anybody may ask for, and how long things last.
    #[command(flatten)]
    pub limits: LimitSettings,
}

const DEFAULT_LISTEN: &str = "127.0.0.1:2480";
const DEFAULT_SERVICE: &str = "did:web:localhost#huddle_appview";

impl Config {
    /// The token that opens an operator's pages, from wherever it is to be had.
    pub(crate) fn operator_token(&self) -> Result<Option<OperatorToken>> {
        let (None, Some(path)) = (&self.operator_token, &self.operator_token_file) else {
            return Ok(self.operator_token.clone());
        };
        let read = || -> Result<OperatorToken> { Ok(secrets::read_text(path)?.parse()?) };
        let token =
            read().with_context(|| format!("the operator's token in {}", path.display()))?;
        Ok(Some(token))
    }

    /// Whether its DID is a `did:web` whose document is not served at the place that it is reached at.
    fn is_found_elsewhere(&self) -> bool {
        let Some(url) = &self.public_url else {
            return false;
        };
        self.service.did().method() == "web" && !serves_did_document(&self.service, url)
    }

    /// What keeps this from being a service to others, one line each.
    pub(crate) fn missing_for_production(&self) -> Vec<&'static str> {
        let is_default = self.service.to_string() == DEFAULT_SERVICE;
        let no_token = self.operator_token.is_none() && self.operator_token_file.is_none();
        let gaps = [
            (
                is_default,
                "nobody can call it: name your service with --service, e.g. did:web:huddle.example.com#huddle_appview",
            ),
            (
                self.firehose.is_empty(),
                "nobody's offers are known: name a relay with --firehose, e.g. wss://relay.example.com",
            ),
            (
                self.public_url.is_none(),
                "its DID document is not served: say with --public-url where it is reached from outside",
            ),
            (
                !is_default && self.is_found_elsewhere(),
                "its DID document is not served here: name the did:web of the host of --public-url with --service, or \
                 serve the document where the DID says",
            ),
            (
                self.public_url
                    .as_ref()
                    .is_some_and(|url| url.scheme() == "http"),
                "what people type into its pages can be read on its way: have a reverse proxy speak TLS, and write \
                 https:// in --public-url",
            ),
            (
                self.public_url.is_some() && self.client_address_header.is_none(),
                "all who ask through a reverse proxy share one allowance: name the header in which it says where they \
                 are with --client-address-header, e.g. x-forwarded-for",
            ),
            (
                self.mail.smtp_url.is_none() && self.mail.smtp_url_file.is_none(),
                "nobody gets an invitation: set HUDDLE_SMTP_URL or --smtp-url-file, and name a sender with --mail-from",
            ),
            (
                no_token,
                "nobody can look at its metrics: set HUDDLE_OPERATOR_TOKEN or --operator-token-file",
            ),
            (
                self.development,
                "it asks machines of its own network: leave --development out where others can reach it",
            ),
        ];
        let gaps = gaps.into_iter().filter(|(is_gap, _)| *is_gap);
        gaps.map(|(_, gap)| gap).collect()
    }
}

impl Default for Config {
    fn default() -> Self {
        let command = settings().mut_args(|arg| arg.env(Resettable::Reset));
        let matches = command.try_get_matches_from(["huddle"]);
        let config = matches.and_then(|it| Self::from_arg_matches(&it));
        config.expect("a default is a value that its setting takes")
    }
}

/// A command that takes the settings and nothing else.
fn settings() -> Command {
    Config::augment_args(Command::new("huddle"))
}

/// The name in the list that is nearest to what was written, if one is near.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let distances = known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(written, name), name));
    let near = distances.filter(|(likeness, _)| *likeness > 0.8);
    let best = near.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, name)| name)
}

/// Variables of the environment that are named like settings and are none, each with what may have been meant.
pub(crate) fn unknown_variables(
    names: impl Iterator<Item = String>,
) -> Vec<(String, Option<String>)> {
    let settings = settings();
    let known = settings.get_arguments().filter_map(|arg| arg.get_env());
    let mut known: Vec<&str> = known.filter_map(|name| name.to_str()).collect();
    known.push(CONFIG_VARIABLE);
    let unknown = names.filter(|it| it.starts_with("HUDDLE_") && !known.contains(&&**it));
    unknown
        .map(|name| {
            let meant = nearest(&name, known.iter().copied()).map(str::to_owned);
            (name, meant)
        })
        .collect()
}

/// Names the file, as a variable of the environment.
pub(crate) const CONFIG_VARIABLE: &str = "HUDDLE_CONFIG";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_the_settings_is_printed() {
        let token = "0123456789abcdef".repeat(2);
        let server = "smtps://frieda:hidden@mail.example.com";
        let arguments = ["huddle", "--operator-token", &token, "--smtp-url", server];
        let matches = settings().try_get_matches_from(arguments).unwrap();
        let config = Config::from_arg_matches(&matches).unwrap();
        let printed = format!("{config:?}");
        assert!(printed.contains("SmtpServer") && printed.contains("OperatorToken"));
        for secret in [&*token, "frieda", "hidden"] {
            assert!(!printed.contains(secret), "{secret} is in {printed}");
        }
    }

    /// Everything that a service to others has.
    const COMPLETE: [(&str, &str); 6] = [
        ("--service", "did:web:huddle.example.com#huddle_appview"),
        ("--public-url", "https://huddle.example.com"),
        ("--client-address-header", "x-forwarded-for"),
        ("--firehose", "wss://relay.example.com"),
        ("--smtp-url-file", "smtp-url"),
        ("--operator-token-file", "operator-token"),
    ];

    /// What is missing where one setting is another, or none; the beginnings of the lines.
    #[track_caller]
    fn missing(flag: &str, value: Option<&str>, expect: &[&str]) {
        missing_with(&[(flag, value)], expect);
    }

    /// The same for a service of this DID that is reached here.
    #[track_caller]
    fn missing_at(public_url: &str, service: &str, expect: &[&str]) {
        let changed = [
            ("--public-url", Some(public_url)),
            ("--service", Some(service)),
        ];
        missing_with(&changed, expect);
    }

    #[track_caller]
    fn missing_with(changed: &[(&str, Option<&str>)], expect: &[&str]) {
        let is_other = |name: &str| changed.iter().all(|(flag, _)| *flag != name);
        let others = COMPLETE.into_iter().filter(|(name, _)| is_other(name));
        let set = changed.iter().copied();
        let set = set.filter_map(|(flag, value)| Some((flag, value?)));
        let arguments = others.chain(set).flat_map(|(flag, value)| [flag, value]);
        let command = settings().mut_args(|arg| arg.env(Resettable::Reset));
        let matches = command.try_get_matches_from(["huddle"].into_iter().chain(arguments));
        let config = Config::from_arg_matches(&matches.unwrap()).unwrap();
        let missing = config.missing_for_production();
        let is_told = |(line, expect): (&&str, &&str)| line.starts_with(*expect);
        assert!(
            missing.len() == expect.len() && missing.iter().zip(expect).all(is_told),
            "{changed:?}: {missing:#?}"
        );
    }

    #[test]
    fn what_is_missing_for_production_is_told_and_nothing_else() {
        missing("--service", Some(COMPLETE[0].1), &[]);
        missing("--service", None, &["nobody can call it: "]);
        missing("--service", Some("did:plc:ewvi7nxzyoun6zhxrhs64oiz"), &[]);
        missing("--service", Some("did:web:HUDDLE.example.com"), &[]);
        let not_here = "its DID document is not served here: ";
        for other in ["did:web:other.example.com", "did:web:huddle.example.com:x"] {
            missing("--service", Some(other), &[not_here]);
        }
        let port = Some("https://huddle.example.com:8443");
        missing("--public-url", port, &[not_here]);
        let with_port = "https://h.example:8443";
        missing_at(with_port, "did:web:h.example%3a8443", &[]);
        missing_at(with_port, "did:web:h.example:8443", &[not_here]);
        missing_at("https://h.example", "did:web:h.example%3A443", &[not_here]);
        missing_at("https://192.0.2.1", "did:web:192.0.2.1", &[not_here]);
        missing("--public-url", None, &["its DID document is not served: "]);
        let http = Some("http://huddle.example.com");
        let read = "what people type into its pages can be read on its way: ";
        missing("--public-url", http, &[read]);
        let shared = "all who ask through a reverse proxy share one allowance: ";
        missing("--client-address-header", None, &[shared]);
        missing("--firehose", None, &["nobody's offers are known: "]);
        missing("--smtp-url-file", None, &["nobody gets an invitation: "]);
        let metrics = "nobody can look at its metrics: ";
        missing("--operator-token-file", None, &[metrics]);
    }

    #[test]
    fn a_variable_that_is_no_setting_is_told_with_the_one_that_may_be_meant() {
        let set = ["HUDDLE_LISTEN", "HUDDLE_LISTN", "HUDDLE_HOLD_SECS", "PATH"];
        let unknown = unknown_variables(set.into_iter().map(str::to_owned));
        let meant = Some("HUDDLE_LISTEN".to_owned());
        assert_eq!(unknown, [("HUDDLE_LISTN".to_owned(), meant)]);
    }
}
