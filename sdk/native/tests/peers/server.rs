//! A mail server that runs on this machine for one test, and libraries that read what it was given.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use huddle_testdata::workspace_root;
use serde_json::Value;

/// Where a peer is installed; `None` where it is not, as for [`huddle_testdata::skip`].
fn installed(name: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let folder = target
        .expect("the folder for tests lies in the target folder")
        .join("peers")
        .join(name);
    if folder.join(".installed").exists() {
        return Some(folder);
    }
    huddle_testdata::skip(&format!(
        "{name} is not installed; tests/peers/{name}/install does that"
    ));
    None
}

fn script(path: &str) -> PathBuf {
    workspace_root().join("tests/peers").join(path)
}

/// The mail server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct MailServer {
    child: Child,
    /// Open for as long as the server is to run.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    pub(crate) port: u64,
}

impl MailServer {
    /// Starts one that speaks as `serve.py` says.
    pub(crate) fn start(kind: &str, certificate: &[&Path]) -> Option<Self> {
        let python = installed("smtp")?.join("venv/bin/python");
        let mut child = Command::new(python)
            .arg(script("smtp/serve.py"))
            .arg(kind)
            .args(certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("the output is piped");
        let mut server = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
            port: 0,
        };
        server.port = server.next()["port"].as_u64().expect("a number");
        Some(server)
    }

    /// The next message that it takes.
    pub(crate) fn next(&mut self) -> Value {
        let line = self.output.next().expect("the server runs");
        let line = line.expect("the server writes UTF-8");
        serde_json::from_str(&line).expect("a line of JSON")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// What the libraries of Python and of Node.js say of some calendar files, in that order.
pub(crate) fn read(files: &[String]) -> Option<[Vec<Value>; 2]> {
    let folder = installed("ics")?;
    let mut python = Command::new(folder.join("venv/bin/python"));
    python.arg(script("ics/read.py"));
    let mut node = Command::new("node");
    node.arg(script("ics/read.mjs")).arg(&folder);
    Some([python, node].map(|program| run(program, files)))
}

fn run(mut program: Command, files: &[String]) -> Vec<Value> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let input = serde_json::to_vec(files).expect("texts are JSON");
    let mut stdin = child.stdin.take().expect("the input is piped");
    stdin
        .write_all(&input)
        .expect("the program reads all of it");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success(), "{program:?}: {}", output.status);
    let output = String::from_utf8(output.stdout).expect("the program writes UTF-8");
    let lines = output.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("lines of JSON")
}
