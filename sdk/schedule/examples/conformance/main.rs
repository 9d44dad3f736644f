//! Runs the conformance cases of a file: one line a case, then how many passed.
//!
//! ```text
//! cargo run --release -p huddle-schedule --example conformance -- SLOT_CASES.json
//! ```
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that reports"
)]

use std::path::Path;
use std::process::ExitCode;

use self::verdict::Verdict;

mod ics;
mod rrule;
mod slots;
mod verdict;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let verdicts = match arguments.as_slice() {
        [file] if !file.starts_with('-') => run_slots(file),
        ["--rrule", file] => rrule::compare(Path::new(file)).map(named),
        ["--ics", folder, occurrences] => {
            ics::compare(Path::new(folder), Path::new(occurrences)).map(named)
        }
        _ => Err(
            "usage: conformance SLOT_CASES.json | --rrule FILE | --ics FOLDER OCCURRENCES"
                .to_owned(),
        ),
    };
    match verdicts {
        Ok(verdicts) => report(&verdicts),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn named(outcomes: Vec<(String, Result<(), String>)>) -> Vec<Verdict> {
    let verdict = |(case, result): (String, Result<(), String>)| Verdict {
        case,
        wrong: result.err(),
    };
    outcomes.into_iter().map(verdict).collect()
}

fn run_slots(file: &str) -> Result<Vec<Verdict>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    slots::run(&text).map_err(|error| format!("{file}: {error}"))
}

fn report(verdicts: &[Verdict]) -> ExitCode {
    for Verdict { case, wrong } in verdicts {
        match wrong {
            None => println!("ok    {case}"),
            Some(wrong) => println!("FAIL  {case}: {wrong}"),
        }
    }
    let failed = verdicts
        .iter()
        .filter(|verdict| verdict.wrong.is_some())
        .count();
    println!("{} passed, {failed} failed", verdicts.len() - failed);
    ExitCode::from(u8::from(failed > 0))
}
