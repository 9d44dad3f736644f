//! What strangers are told is counted.

use data_encoding::BASE32_NOPAD;
use huddle_ports::Timestamp;
use huddle_schedule::disclosure::widened;
use huddle_schedule::{Interval, Match};
use sha2::{Digest as _, Sha256};

use super::Matching;
use super::facts::{Facts, Question, Standing};
use crate::actor::ActorName;
use crate::host_match::{Disclose, Disclosure};
use crate::transport::{Unreachable, ask};

impl Matching {
    /// Of slots, the best first, those that a stranger is told, `at_most` so many. That there is none is told, too.
    pub(super) async fn told(
        &self,
        question: &Question<'_>,
        facts: &Facts,
        slots: Vec<Match>,
        at_most: usize,
    ) -> Result<Vec<Match>, Unreachable> {
        let mut wanted: Vec<_> = slots
            .iter()
            .map(|slot| Disclosure {
                start: slot.interval.start(),
                mark: mark_of_slot(slot, &facts.standing),
            })
            .collect();
        if wanted.is_empty() {
            wanted.push(self.none(question, facts.now));
        }
        let disclose = Disclose {
            to: question.guest.clone(),
            wanted,
            at_most: at_most.try_into().unwrap_or(u32::MAX),
        };
        let host = ActorName::host_match(question.host);
        let told = ask(&*self.sources.actors, &host, disclose).await?;
        let mut slots: Vec<_> = slots.into_iter().map(Some).collect();
        let told = told.into_iter().filter_map(|index| {
            let index = usize::try_from(index).ok()?;
            slots.get_mut(index)?.take()
        });
        Ok(told.collect())
    }

    /// The answer that there is no slot: one for each question.
    fn none(&self, question: &Question<'_>, now: Timestamp) -> Disclosure {
        let mut asked = question.constraints.clone();
        // What is past cannot be asked for, and whoever asks again in the same block asks the same.
        let first = asked.earliest.map_or(now, |earliest| earliest.max(now));
        let last = asked.latest.unwrap_or(Timestamp::MAX);
        let blocks =
            Interval::new(first, last).map(|times| widened(&times.into(), self.narrowest()));
        let block = blocks.as_ref().and_then(|blocks| blocks.iter().next());
        let start = block.map_or(first, Interval::start);
        (asked.earliest, asked.latest) = (Some(start), block.map(Interval::end));
        let text = serde_json::to_string(&(asked, question.offer));
        let text = text.expect("numbers, words and addresses are JSON");
        let hash = BASE32_NOPAD.encode(&Sha256::digest(text));
        Disclosure {
            start,
            mark: format!("none {hash}"),
        }
    }
}

fn mark_of_slot(slot: &Match, standing: &Standing) -> String {
    let (start, end) = (slot.interval.start(), slot.interval.end());
    let record = &standing.records[slot.offer];
    format!("{} {} {record}", start.as_millis(), end.as_millis())
}
