//! Runs the command.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use huddle_ports::Url;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

/// The command with nothing of the environment of whoever runs the tests, in a folder that is its own.
pub(crate) fn huddle(folder: &Path) -> Command {
    plain(Command::new(env!("CARGO_BIN_EXE_huddle")), folder)
}

/// The same behind a line of the shell, which ends with `exec "$@"`.
pub(crate) fn huddle_after(line: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    let line = format!("{line}; exec \"$@\"");
    command.args(["-c", &line, "sh", env!("CARGO_BIN_EXE_huddle")]);
    plain(command, folder)
}

/// The same with a disk of its own for its data, of so many bytes, which nobody else sees; `None` where this user may
/// make none.
pub(crate) fn huddle_on_a_disk_of(bytes: u64, folder: &Path) -> Option<Command> {
    let data = folder.join("huddle-data");
    fs::create_dir(&data).unwrap();
    let alone = |line: &str| {
        let mut command = Command::new("unshare");
        let line = format!("mount -t tmpfs -o mode=700,size={bytes} none huddle-data && {line}");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &line]);
        plain(command, folder)
    };
    let may = alone("true").stderr(Stdio::null()).status();
    may.is_ok_and(|status| status.success()).then(|| {
        let mut command = alone("exec \"$@\"");
        command.args(["sh", env!("CARGO_BIN_EXE_huddle")]);
        command
    })
}

fn plain(mut command: Command, folder: &Path) -> Command {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("HUDDLE_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder);
    command
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) printed: String,
    pub(crate) complained: String,
}

/// Runs the command to its end.
pub(crate) fn run<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Done {
    finish(huddle(folder).args(arguments))
}

pub(crate) fn finish(command: &mut Command) -> Done {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Done {
        code: output.status.code(),
        printed: String::from_utf8(output.stdout).unwrap(),
        complained: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Done {
    /// What it printed, where it succeeded.
    #[track_caller]
    pub(crate) fn text(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.printed
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    #[track_caller]
    pub(crate) fn fails(self, code: i32, complaint: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.complained.contains(complaint), "{self:?}");
    }
}

/// A server at work; it is killed with the value.
pub(crate) struct Serving {
    /// Its process.
    pub(crate) child: Child,
    log: Receiver<String>,
    /// Where it answers.
    pub(crate) url: Url,
    /// What it said before it listened.
    pub(crate) beginning: String,
}

impl Serving {
    /// Starts `huddle serve` and waits until it listens, or gives what it said instead.
    pub(crate) fn start(mut command: Command) -> Result<Self, Done> {
        let command = command.args(["--listen", "127.0.0.1:0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = lines(child.stderr.take().unwrap());
        let mut beginning = String::new();
        while let Ok(line) = log.recv() {
            beginning.push_str(&line);
            beginning.push('\n');
            let mut words = line.split_whitespace();
            let address = words.find_map(|word| word.strip_prefix("address="));
            if let Some(address) = address.filter(|_| line.contains("listening")) {
                let url = Url::parse(&format!("http://{address}")).unwrap();
                return Ok(Self {
                    child,
                    log,
                    url,
                    beginning,
                });
            }
        }
        Err(Done {
            code: child.wait().unwrap().code(),
            printed: String::new(),
            complained: beginning,
        })
    }

    /// Ends it as the power would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end, and waits until it has, in peace.
    pub(crate) fn stop(self) {
        self.terminate();
        assert!(self.wait().0.success());
    }

    /// Tells it to end.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Lets it write nothing beyond so many bytes of a file, from now on; `None` is no limit.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        let process = Pid::from_child(&self.child);
        prlimit(Some(process), Resource::Fsize, limit).unwrap();
    }

    /// Where a path is that it sees, though it may have disks of its own.
    pub(crate) fn seen(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        root.join(path.strip_prefix("/").unwrap())
    }

    /// Waits until it says something of this text.
    pub(crate) fn until_it_says(&self, text: &str) {
        while !self.log.recv().unwrap().contains(text) {}
    }

    /// Waits for its end; gives what it has said since it listened, too.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let said: Vec<String> = self.log.iter().collect();
        (status, said.join("\n"))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines that it says, as they come: it must never wait for somebody to read them.
fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // Whoever listened may be gone.
            let _ = sender.send(line);
        }
    });
    lines
}
