//! The contract of `ActorTransport`.

use std::time::Duration;

use huddle_core::actor::Ask;
use huddle_core::booking::{Attempt, BookingId};
use huddle_core::host_match::{
    Candidate, Disclose, Disclosure, Ending, Finish, Granted, Hold, HoldRefused, Margins, Prepare,
    PrepareRefused, Role,
};
use huddle_core::idempotency::Key;
use huddle_core::rate_limiter::{Rate, Spend, Verdict};
use huddle_core::transport::{ActorTransport, ask};
use huddle_core::user_connector::{GetPreferences, PreferencesDocument, PutPreferences};
use huddle_core::{ActorName, Interval};
use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{Broken, broken, expect};

/// Checks actors that know nothing of the people and bookings that are made up from `name`, at the
/// time `now` of their clock.
pub async fn actors(
    transport: &dyn ActorTransport,
    name: &str,
    now: Timestamp,
) -> Result<(), Broken> {
    let contract = Contract {
        transport,
        host: did(&format!("did:web:host.{name}.example"))?,
        guest: did(&format!("did:web:guest.{name}.example"))?,
        now,
    };
    contract.one_slot_is_given_once(name).await?;
    contract.what_is_prepared_is_booked(name).await?;
    contract.what_is_told_is_paid_for_once().await?;
    contract.preferences_are_kept().await?;
    contract.an_allowance_runs_out(name).await
}

struct Contract<'a> {
    transport: &'a dyn ActorTransport,
    host: Did,
    guest: Did,
    now: Timestamp,
}

impl Contract<'_> {
    async fn one_slot_is_given_once(&self, name: &str) -> Result<(), Broken> {
        let first = self.hold(&booking(name, "first")?, Attempt::FIRST);
        let granted = Ok(self.granted());
        expect(
            "a free slot is held",
            self.ask(first.clone()).await?,
            granted,
        )?;
        expect(
            "the same again is the same",
            self.ask(first.clone()).await?,
            granted,
        )?;
        let second = self.hold(&booking(name, "second")?, Attempt::FIRST);
        let refused = Err(HoldRefused::NoneFree);
        expect(
            "a held slot is not held twice",
            self.ask(second.clone()).await?,
            refused,
        )?;
        self.ask(finish(&first, Ending::Released)).await?;
        expect(
            "what is over stays over",
            self.ask(first).await?,
            Err(HoldRefused::Over {
                highest: Attempt::FIRST,
            }),
        )?;
        expect(
            "a slot that is let go is free",
            self.ask(second.clone()).await?,
            granted,
        )?;
        self.ask(finish(&second, Ending::Released)).await
    }

    async fn what_is_prepared_is_booked(&self, name: &str) -> Result<(), Broken> {
        let hold = self.hold(&booking(name, "third")?, Attempt::FIRST.next());
        let prepare = Prepare {
            booking: hold.booking.clone(),
            attempt: hold.attempt,
            slot: self.slot(),
        };
        let not_held = Err(PrepareRefused::NotHeld);
        expect(
            "nothing is prepared before it is held",
            self.ask(prepare.clone()).await?,
            not_held,
        )?;
        expect(
            "the slot is held",
            self.ask(hold.clone()).await?,
            Ok(self.granted()),
        )?;
        expect(
            "what is held is prepared",
            self.ask(prepare.clone()).await?,
            Ok(()),
        )?;
        self.ask(finish(&hold, Ending::Confirmed)).await?;
        expect(
            "what is booked stays prepared",
            self.ask(prepare.clone()).await?,
            Ok(()),
        )?;
        let other = self.hold(&booking(name, "fourth")?, Attempt::FIRST);
        expect(
            "a booked slot is taken",
            self.ask(other).await?,
            Err(HoldRefused::NoneFree),
        )?;
        self.ask(finish(&hold, Ending::Released)).await?;
        expect("what is let go is gone", self.ask(prepare).await?, not_held)
    }

    async fn what_is_told_is_paid_for_once(&self) -> Result<(), Broken> {
        let wanted = ["first", "second"].map(|mark| Disclosure {
            start: self.slot().start(),
            mark: mark.to_owned(),
        });
        for (at_most, told) in [(1, vec![0]), (2, vec![0, 1]), (2, vec![0, 1])] {
            let disclose = Disclose {
                to: self.guest.clone(),
                wanted: wanted.to_vec(),
                at_most,
            };
            expect("the most wanted is told", self.ask(disclose).await?, told)?;
        }
        Ok(())
    }

    async fn preferences_are_kept(&self) -> Result<(), Broken> {
        let actor = ActorName::user_connector(&self.host);
        let unset = self.ask_of(&actor, GetPreferences {}).await?;
        expect("nothing was set", unset.revision, 0)?;
        let document = r#"{"tz":"Europe/Madrid"}"#.to_owned();
        let put = PutPreferences {
            key: Key {
                caller: self.host.clone(),
                method: "put".to_owned(),
                key: "first".to_owned(),
                body_hash: "same".to_owned(),
            },
            document: document.clone(),
            swap_revision: Some(0),
        };
        let kept = PreferencesDocument {
            document,
            revision: 1,
        };
        for _ in 0..2 {
            let answer = self.ask_of(&actor, put.clone()).await?;
            expect("the same again is the same", answer, Ok(kept.clone()))?;
        }
        let read = self.ask_of(&actor, GetPreferences {}).await?;
        expect("preferences stay as they were written", read, kept)
    }

    async fn an_allowance_runs_out(&self, name: &str) -> Result<(), Broken> {
        let limiter = ActorName::rate_limiter(&format!("contract/{name}"));
        let spend = Spend {
            rate: Rate {
                per_minute: 1,
                burst: 2,
            },
            cost: 1,
            nonce: None,
        };
        for remaining in [1, 0] {
            let verdict = self.ask_of(&limiter, spend.clone()).await?;
            expect(
                "what is left is counted",
                verdict,
                Verdict::Allowed { remaining },
            )?;
        }
        match self.ask_of(&limiter, spend).await? {
            Verdict::Limited { retry_at, .. } if self.now < retry_at => Ok(()),
            verdict => Err(Broken(format!("an empty bucket gives {verdict:?}"))),
        }
    }

    fn slot(&self) -> Interval {
        let start = self.now + Duration::from_hours(24);
        Interval::new(start, start + Duration::from_mins(30)).expect("half an hour is not empty")
    }

    fn granted(&self) -> Granted {
        Granted {
            slot: self.slot(),
            until: self.now + Duration::from_mins(15),
            sharded: false,
        }
    }

    fn hold(&self, booking: &BookingId, attempt: Attempt) -> Hold {
        Hold {
            booking: booking.clone(),
            attempt,
            candidates: vec![Candidate {
                slot: self.slot(),
                margins: Margins::default(),
            }],
            until: self.granted().until,
            role: Role::Host,
            counterpart: self.guest.clone(),
            limited: false,
        }
    }

    async fn ask<A: Ask>(&self, question: A) -> Result<A::Answer, Broken> {
        self.ask_of(&ActorName::host_match(&self.host), question)
            .await
    }

    async fn ask_of<A: Ask>(&self, actor: &ActorName, question: A) -> Result<A::Answer, Broken> {
        ask(self.transport, actor, question)
            .await
            .map_err(|error| broken("an actor", error))
    }
}

fn finish(hold: &Hold, ending: Ending) -> Finish {
    Finish {
        booking: hold.booking.clone(),
        attempt: hold.attempt,
        ending,
    }
}

fn did(text: &str) -> Result<Did, Broken> {
    text.parse().map_err(|error| broken(text, error))
}

fn booking(name: &str, which: &str) -> Result<BookingId, Broken> {
    let id = format!("{name}contract{which}0000");
    id.parse().map_err(|error| broken(&id, error))
}
