//! Programs that a test starts: their output, their end, and that they do end.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest that a program may take for anything. Only what hangs comes near it.
const PATIENCE: Duration = Duration::from_mins(2);

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Fails the test, with all that the program said, unless it ended with this code and without a panic.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        self.expect_one_of(&[code])
    }

    /// Like [`Finished::expect_code`], where several codes are right.
    #[track_caller]
    pub fn expect_one_of(self, codes: &[i32]) -> Self {
        let is_right = self.code.is_some_and(|code| codes.contains(&code)) && !self.stderr.contains("panicked at");
        assert!(is_right, "exit code {codes:?} was expected, it is {self}");
        self
    }

    /// Fails the test unless standard error has each of these words, in whatever case.
    #[track_caller]
    pub fn expect_error(self, words: &[&str]) -> Self {
        let said = self.stderr.to_lowercase();
        for word in words {
            assert!(said.contains(&word.to_lowercase()), "the error does not say {word:?}: {self}");
        }
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr } = self;
        write!(f, "{code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// A program that was started. It is killed when this goes away.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    stdin: Option<ChildStdin>,
}

impl Running {
    /// Starts the program with all its streams in our hands.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut stderr = child.stderr.take().expect("standard error is piped");
        // Unbounded, since a program must never stand still because a test does not listen.
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Once nobody wants the lines, reading on still keeps the program from a broken pipe.
                let _ = sender.send(line);
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stderr.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        });
        Self { child, lines, stderr: Some(stderr), stdin }
    }

    /// The next line of standard output; `None` once there are no more.
    pub fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line of output in {PATIENCE:?}"),
        }
    }

    /// Gives the program its whole standard input.
    pub fn write_input(&mut self, text: &str) {
        if let Some(mut stdin) = self.stdin.take() {
            stdin.write_all(text.as_bytes()).expect("the program reads its input");
        }
    }

    /// Asks until `is_so`, while the program runs. Fails the test if it ends, or takes too long.
    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_so() {
            if self.child.try_wait().expect("the program can be asked for").is_some() {
                // It may have come between the two questions.
                assert!(is_so(), "the program ended before {what}: {}", self.collect());
                return;
            }
            assert!(started.elapsed() < PATIENCE, "still waiting for {what} after {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the program at once, as `kill -9` does.
    pub fn kill(mut self) -> Finished {
        let _ = self.child.kill();
        self.collect()
    }

    /// Asks the program to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Asks the program to end, as a service manager does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Asks the program to end twice, as near to each other as can be told apart.
    pub fn terminate_twice(&self) {
        let id = self.child.id();
        send(&format!("kill -TERM {id}; sleep 0.05; kill -TERM {id} 2>/dev/null || true"));
    }

    fn signal(&self, name: &str) {
        send(&format!("kill -{name} {}", self.child.id()));
    }

    /// Waits for the program's end.
    pub fn finish(mut self) -> Finished {
        self.stdin = None;
        self.collect()
    }

    fn collect(&mut self) -> Finished {
        let mut stdout = String::new();
        while let Some(line) = self.next_line() {
            stdout.push_str(&line);
            stdout.push('\n');
        }
        let status = self.child.wait().expect("the program can be waited for");
        let stderr = self.stderr.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        Finished { code: status.code(), stdout, stderr }
    }
}

fn send(kill: &str) {
    let sent = Command::new("sh").args(["-c", kill]).status().expect("a shell can be started");
    assert!(sent.success(), "the program cannot be signalled");
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
