//! Programs that run on Node.js, and the folders from npm that they need.

use huddle_testdata::workspace_root;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A folder of `tests/peers`, copied to where its packages are installed, and removed when dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    folder: tempfile::TempDir,
    /// Where all peers are.
    peers: PathBuf,
}

impl Peer {
    /// `None` where it is not installed, as for [`huddle_testdata::skip`].
    pub(crate) fn stage(name: &str) -> Option<Self> {
        let peers = target_folder().join("peers");
        let installed = peers.join(name);
        if !installed.join(".installed").exists() {
            huddle_testdata::skip(&format!(
                "{name} is not installed; tests/peers/install does that"
            ));
            return None;
        }
        let folder = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(&installed)
            .expect("a folder can be made beside the packages");
        for file in workspace_root()
            .join("tests/peers")
            .join(name)
            .read_dir()
            .expect("a peer")
        {
            let file = file.expect("an entry of a folder");
            let copy = folder.path().join(file.file_name());
            fs::copy(file.path(), copy).expect("a source file can be copied");
        }
        Some(Self { folder, peers })
    }

    /// Where the copy is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a script of it.
    pub(crate) fn start(&self, script: &str, arguments: &[&str]) -> Program {
        let mut command = Command::new(self.peers.join("node/bin/node"));
        command
            .arg(script)
            .args(arguments)
            .current_dir(self.folder());
        // What a machine says of the network is not for peers on loopback.
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            command.env_remove(proxy);
        }
        Program::start(command)
    }

    /// Runs a command of its packages to the end.
    #[track_caller]
    pub(crate) fn run(&self, command: &str, arguments: &[&str]) {
        let script = format!("../node_modules/.bin/{command}");
        let output = Command::new(self.peers.join("node/bin/node"))
            .arg(&script)
            .args(arguments)
            .current_dir(self.folder())
            .output()
            .expect("Node.js runs");
        let text = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&text)
        );
    }
}

/// Where Cargo builds.
fn target_folder() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary
        .parent()
        .expect("the folder for tests lies in the target folder")
        .to_owned()
}

/// A program that prints lines of JSON. It is ended when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    /// Open for as long as the program is to run.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts it. What it says of errors goes to where the test's own goes.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("the output is piped")).lines();
        Self {
            child,
            input,
            output,
        }
    }

    /// The next line.
    ///
    /// # Panics
    /// When it ends without one.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Value {
        self.next_line()
            .expect("the program prints a line before it ends")
    }

    /// All lines up to its end, which must be a good one.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Vec<Value> {
        self.input = None;
        let lines = std::iter::from_fn(|| self.next_line()).collect();
        let status = self.child.wait().expect("the program is ours to wait for");
        assert!(status.success(), "{status} after {lines:#?}");
        lines
    }

    fn next_line(&mut self) -> Option<Value> {
        let line = self.output.next()?.expect("the program writes UTF-8");
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
