//! A mail server that has something wrong with it, until it is mended.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use huddle_testkit::{MailServer, SmtpSession};

/// What it answers to a command in place of what it should.
type Wrong = fn(&str) -> Option<&'static str>;

/// A server on this machine, for as long as the test runs.
#[derive(Clone)]
pub(crate) struct Smtp {
    /// Where it listens: a host and a port.
    pub(crate) place: String,
    /// The mail that it took.
    pub(crate) mail: Arc<MailServer>,
    is_mended: Arc<AtomicBool>,
}

impl Smtp {
    pub(crate) fn start(wrong: Wrong) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            place: listener.local_addr().unwrap().to_string(),
            mail: Arc::default(),
            is_mended: Arc::default(),
        };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serving = serving.clone();
                // Whoever connects may hang up at any time.
                thread::spawn(move || serving.talk(stream, wrong).unwrap_or_default());
            }
        });
        server
    }

    /// From now on it does all as it should.
    pub(crate) fn mend(&self) {
        self.is_mended.store(true, Ordering::SeqCst);
    }

    fn talk(&self, mut stream: TcpStream, wrong: Wrong) -> std::io::Result<()> {
        let reader = BufReader::new(stream.try_clone()?);
        let mut session = SmtpSession::new(self.mail.clone());
        stream.write_all(SmtpSession::GREETING.as_bytes())?;
        for line in reader.lines() {
            let line = line?;
            let verb = line.split(' ').next().unwrap_or_default();
            let is_mended = self.is_mended.load(Ordering::SeqCst);
            if let Some(answer) = wrong(verb).filter(|_| !is_mended) {
                stream.write_all(answer.as_bytes())?;
            } else if let Some(reply) = session.line(&line) {
                stream.write_all(reply.text.as_bytes())?;
                if reply.is_last {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
