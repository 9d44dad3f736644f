//! A CalDAV server that runs on this machine for one test.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use huddle_testdata::workspace_root;
use serde_json::Value;

/// The server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Open for as long as the server is to run.
    input: Option<ChildStdin>,
    /// Where it is, with a `/` at the end.
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server of this name, with no calendars but its own. `None` where it is not installed, as for
    /// [`huddle_testdata::skip`].
    #[expect(
        clippy::print_stderr,
        reason = "a test's word to the person running it"
    )]
    pub(crate) fn start(name: &str) -> Option<Self> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .expect("the folder for tests lies in the target folder");
        let installed = target.join("peers/caldav");
        // It comes from Debian, and not everywhere where the others do.
        if name == "sabredav" && !installed.join(".sabredav").exists() {
            eprintln!("SabreDAV is not asked: tests/peers/caldav/install says why");
            return None;
        }
        if !installed.join(".installed").exists() {
            huddle_testdata::skip(&format!(
                "{name} is not installed; tests/peers/caldav/install does that"
            ));
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut child = Command::new(installed.join("venv/bin/python"))
            .arg(workspace_root().join("tests/peers/caldav/serve.py"))
            .args([name.as_ref(), folder.path()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let input = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("the output is piped"))
            .read_line(&mut line)
            .expect("the program writes UTF-8");
        let started: Value = serde_json::from_str(&line).expect("the first line is JSON");
        Some(Self {
            child,
            input,
            url: started["url"].as_str().expect("an address").to_owned(),
            _folder: folder,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The program ends its server when its input ends; were it killed, the server would go on.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
