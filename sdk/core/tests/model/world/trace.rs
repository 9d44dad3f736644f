//! How steps read.

use super::{Step, World};
use crate::actors::Work;

impl World {
    /// How a step reads in a trace.
    pub(crate) fn describe(&self, step: &Step) -> String {
        let message = |driver: u32| {
            let message = self.drivers[driver as usize].message;
            self.actors.describe(message)
        };
        match step {
            Step::Answered {
                driver,
                answer,
                copied,
            } => {
                let copied = if *copied { ", and a copy is late" } else { "" };
                let answer = calendars(*answer);
                format!("driver {driver}: {}{answer}{copied}", message(*driver))
            }
            Step::PutOff(driver) => format!("driver {driver} runs out of time"),
            Step::Died { driver, late } => {
                let then = if *late { "late" } else { "lost" };
                format!("driver {driver} dies: {} is {then}", message(*driver))
            }
            Step::Late(message) => format!("late: {}", self.actors.describe(*message)),
            Step::Outbox { actor, task, kept } => {
                let work = match self.actors.work(*task) {
                    Work::Tell(message) => self.actors.describe(message),
                    Work::Resume { .. } => "Resume".into(),
                };
                let kept = if *kept { ", and it stays there" } else { "" };
                format!("outbox of {}: {work}{kept}", self.actors.label(*actor))
            }
            Step::Wake(actor) => format!("{} wakes", self.actors.label(*actor)),
            Step::Clock(clock) => format!("the clock shows {clock} s"),
            Step::Wish { wish, answer } => {
                let message = self.actors.describe(self.wishes[*wish]);
                format!("asked: {message}{}", calendars(*answer))
            }
            Step::ReleaseEarly(driver) => format!("driver {driver} releases what it prepared"),
        }
    }
}

fn calendars(answer: usize) -> String {
    match answer {
        0 => String::new(),
        answer => format!(", then trouble {answer} with calendars"),
    }
}
