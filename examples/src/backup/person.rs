//! Who is asked, and who waits.

use super::Failure;
use crate::BadInput;
use std::{
    io::{self, IsTerminal, Write},
    process::exit,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};
use symbolon::backup::{Password, PasswordPolicy};
use zeroize::Zeroizing;

/// The person at the program: at a terminal, or in a test.
pub trait Person {
    /// Asks for a secret, which is not shown while it is typed.
    ///
    /// # Errors
    /// Nobody is there.
    fn secret(&mut self, prompt: &str) -> io::Result<Zeroizing<String>>;

    /// Asks for a line.
    ///
    /// # Errors
    /// Nobody is there.
    fn line(&mut self, prompt: &str) -> io::Result<String>;

    /// Shows a secret: to a person only, never to a file or a pipe.
    ///
    /// # Errors
    /// Nobody is there.
    fn show(&mut self, text: &str) -> io::Result<()>;

    /// Whether somebody watches the standard error.
    fn watches(&self) -> bool;
}

/// Exit status after Ctrl-C, as of a shell's.
const INTERRUPTED: i32 = 130;
/// While a secret is typed, the signal of Ctrl-C must not end the program: nobody would turn the terminal's echo on again.
static PROMPTING: AtomicBool = AtomicBool::new(false);
static HANDLER: Once = Once::new();

/// The person at the terminal. Ctrl-C ends the process with status 130.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "it has nothing")]
pub struct Terminal;

impl Person for Terminal {
    fn secret(&mut self, prompt: &str) -> io::Result<Zeroizing<String>> {
        HANDLER.call_once(|| {
            // where there is a handler already, the application has its own way to end
            let _ = ctrlc::set_handler(|| {
                if !PROMPTING.load(Ordering::SeqCst) {
                    exit(INTERRUPTED);
                }
            });
        });
        PROMPTING.store(true, Ordering::SeqCst);
        let typed = rpassword::prompt_password(prompt);
        PROMPTING.store(false, Ordering::SeqCst);
        match typed {
            // the terminal is as it was before
            Err(e) if e.kind() == io::ErrorKind::Interrupted => exit(INTERRUPTED),
            typed => typed.map(Zeroizing::new),
        }
    }

    fn line(&mut self, prompt: &str) -> io::Result<String> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(io::Error::other("not a terminal"));
        }
        io::stderr().write_all(prompt.as_bytes())?;
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line)
    }

    fn show(&mut self, text: &str) -> io::Result<()> {
        if !io::stderr().is_terminal() {
            return Err(io::Error::other("not a terminal"));
        }
        io::stderr().write_all(text.as_bytes())
    }

    fn watches(&self) -> bool {
        io::stderr().is_terminal()
    }
}

/// A secret, or the option that says it without a terminal.
pub(super) fn ask(person: &mut impl Person, prompt: &str, instead: &str) -> Result<Zeroizing<String>, BadInput> {
    person.secret(prompt).map_err(|_| BadInput::new(format!("there is no terminal to ask on: use {instead}")))
}

/// A new password, asked twice.
pub(super) fn ask_new(
    person: &mut impl Person,
    of: &str,
    instead: &str,
) -> Result<(Password, Zeroizing<String>), Failure> {
    let text = ask(person, &format!("New password for {of}: "), instead)?;
    // before it is asked again
    let password = new_password(&text)?;
    let again = ask(person, "The same again: ", instead)?;
    if *text != *again {
        return Err(BadInput::new("the two passwords differ: start again").into());
    }
    Ok((password, text))
}

pub(super) fn new_password(text: &str) -> Result<Password, BadInput> {
    Password::new(text, &PasswordPolicy::default()).map_err(BadInput::new)
}

/// Says every while how long this takes already, to somebody who watches.
#[allow(clippy::disallowed_methods, reason = "a program may look at the clock")]
pub(super) fn working<T>(person: &impl Person, what: &str, work: impl FnOnce() -> T) -> T {
    if !person.watches() {
        return work();
    }
    thread::scope(|scope| {
        let (done, wait) = mpsc::channel::<()>();
        scope.spawn(move || {
            let start = Instant::now();
            while wait.recv_timeout(Duration::from_millis(250)) == Err(RecvTimeoutError::Timeout) {
                let _ = write!(io::stderr(), "\r{what}: {:.1} s ", start.elapsed().as_secs_f32());
            }
            // the line is empty again
            let _ = write!(io::stderr(), "\r{:width$}\r", "", width = what.len() + 12);
        });
        let made = work();
        drop(done);
        made
    })
}
