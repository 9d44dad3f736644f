//! `huddle doctor`: looks whether all is well, and says what to do where it is not.

mod local;
mod network;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use huddle_core::Limits;
use serde::Serialize;
use tokio::time::timeout;

use crate::config::Config;
use crate::output::Output;

/// Look whether all is well, and say what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    config: Config,

    #[command(flatten)]
    output: Output,
}

/// How long each check may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            found: found.into(),
            advice: None,
        }
    }

    fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            advice: Some(advice.into()),
            ..Self::ok(check, found)
        }
    }

    fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(check, found, advice)
        }
    }
}

#[derive(Serialize)]
struct Report {
    findings: Vec<Finding>,
    limits: Vec<LimitRow>,
}

#[derive(Serialize)]
struct LimitRow {
    name: &'static str,
    value: u32,
    default: u32,
    least: u32,
    most: u32,
}

impl Options {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let findings = self.findings().await;
        let worst = findings.iter().map(|it| it.verdict).max();
        self.output.print(&Report {
            findings,
            limits: limits(&self.config.limits.0),
        })?;
        Ok(match worst {
            Some(Verdict::Fail) => ExitCode::FAILURE,
            Some(Verdict::Ok | Verdict::Warn) | None => ExitCode::SUCCESS,
        })
    }

    async fn findings(&self) -> Vec<Finding> {
        let config = &self.config;
        let folder = config.data.path();
        let mut findings = local::configuration(config);
        findings.extend(local::folder(folder));
        findings.extend(local::secrets(folder));
        // Side by side: none makes another late.
        let (keys, databases, outbox, bookings, network) = futures_util::join!(
            within("keys", folder, local::sealed),
            within("database", folder, local::databases),
            within("outbox", folder, local::outbox),
            within("bookings", folder, local::bookings),
            network::findings(config),
        );
        findings.extend([keys, databases, outbox, bookings, network].concat());
        findings.push(local::time_zones());
        findings
    }
}

/// What a check finds that works on files, or that it takes too long.
async fn within(
    check: &'static str,
    folder: &Path,
    look: fn(&Path) -> Vec<Finding>,
) -> Vec<Finding> {
    let folder = folder.to_owned();
    let looking = tokio::task::spawn_blocking(move || look(&folder));
    match timeout(PATIENCE, looking).await {
        Ok(Ok(findings)) => findings,
        Ok(Err(error)) => vec![Finding::fail(check, error.to_string(), "report this")],
        Err(_) => vec![Finding::warn(
            check,
            format!("not looked through within {} seconds", PATIENCE.as_secs()),
            "`huddle backup` reads all of it, however long that takes, and says whether it is intact",
        )],
    }
}

fn limits(limits: &Limits) -> Vec<LimitRow> {
    let defaults = Limits::default().table().into_iter();
    let rows = limits.table().into_iter().zip(defaults);
    rows.map(|(limit, default)| LimitRow {
        name: limit.name,
        value: limit.value,
        default: default.value,
        least: limit.least,
        most: limit.most,
    })
    .collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let verdict = match finding.verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            writeln!(f, "{verdict:<5} {:<14} {}", finding.check, finding.found)?;
            if let Some(advice) = &finding.advice {
                writeln!(f, "{:20} → {advice}", "")?;
            }
        }
        writeln!(f, "\n{:<32} {:>8}  allowed", "limit", "value")?;
        for (position, limit) in self.limits.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            let LimitRow {
                name,
                value,
                least,
                most,
                default,
            } = limit;
            write!(f, "{name:<32} {value:>8}  {least} to {most}")?;
            if value != default {
                write!(f, ", by default {default}")?;
            }
        }
        Ok(())
    }
}
