//! The contract of `ActorTransport`.

use std::time::Duration;

use huddle_core::actor::Ask;
use huddle_core::availability::{Availability as _, Checked};
use huddle_core::booking::{
    Asked, Attempt, Booking, BookingId, Cancel, Create, CreateRefused, Finalize, FinalizeRefused,
    NotFound, Read, Refused, Standing,
};
use huddle_core::driver::{Action, Driver, Event};
use huddle_core::host_match::{
    Candidate, Disclose, Disclosure, Ending, Finish, Granted, Hold, HoldRefused, Margins, Prepare,
    PrepareRefused, Role,
};
use huddle_core::idempotency::Key;
use huddle_core::rate_limiter::{Rate, Spend, Verdict};
use huddle_core::transport::{ActorTransport, ask};
use huddle_core::user_connector::{GetPreferences, PreferencesDocument, PutPreferences};
use huddle_core::{ActorName, Interval, Limits};
use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{Broken, broken, expect};
use crate::ListedWindows;

/// Checks actors that know nothing of the people and bookings that are made up from `name`, at the
/// time `now` of their clock.
///
/// Where commands to a booking are driven on by whoever carries them, and not by who has asked, a host
/// `did:web:host.NAME.example` must have time there within the next days, and need not approve.
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
    contract.an_allowance_runs_out(name).await?;
    contract.a_booking_is_confirmed_and_called_off(name).await
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
            key: request(&self.host, "put"),
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

    async fn a_booking_is_confirmed_and_called_off(&self, name: &str) -> Result<(), Broken> {
        let actor = ActorName::booking(&booking(name, "fifth")?);
        let unknown = self.ask_of(&actor, read(&self.guest)).await?;
        expect("what never was is not there", unknown, Err(NotFound))?;
        let held = self.a_request_is_held(&actor).await?;
        self.it_is_confirmed(&actor, &held).await?;
        if let Some(place) = held.phase.place() {
            let mut rival = self.hold(&booking(name, "sixth")?, Attempt::FIRST);
            rival.candidates[0].slot = place.slot;
            let taken = Err(HoldRefused::NoneFree);
            expect("its time is taken", self.ask(rival).await?, taken)?;
        }
        self.it_is_called_off(&actor).await?;
        let stranger = did(&format!("did:web:stranger.{name}.example"))?;
        let seen = self.ask_of(&actor, read(&stranger)).await?;
        expect("who is no party does not see it", seen, Err(NotFound))
    }

    async fn a_request_is_held(&self, actor: &ActorName) -> Result<Booking, Broken> {
        let create = self.create("same");
        let begun = self.ask_of(actor, create.clone()).await?;
        let held = self.driven("a request", begun).await?;
        expect("a slot is held", held.phase.word(), "held")?;
        expect("it is as it was asked for", &held.asked, &create.asked)?;
        let again = self.ask_of(actor, create).await?;
        let again = self.driven("the same request", again).await?;
        expect("the same again is the same", &again.phase, &held.phase)?;
        let other = self.ask_of(actor, self.create("other")).await?;
        let mismatch = Err(CreateRefused::Mismatch);
        expect("a key is for one request", other, mismatch)?;
        Ok(held)
    }

    async fn it_is_confirmed(&self, actor: &ActorName, held: &Booking) -> Result<(), Broken> {
        let finalize = |by| Finalize {
            key: request(by, "finalize"),
        };
        let by_host = self.ask_of(actor, finalize(&self.host)).await?;
        let not_accepted = Err(Refused::Because(FinalizeRefused::NotAccepted));
        expect("it is for the guest to accept", by_host, not_accepted)?;
        for _ in 0..2 {
            let accepted = self.ask_of(actor, finalize(&self.guest)).await?;
            let confirmed = self.driven("an acceptance", accepted).await?;
            expect("it is confirmed", confirmed.phase.word(), "confirmed")?;
            let [before, after] = [held, &confirmed].map(|it| it.phase.place());
            expect("its slot stays", after, before)?;
        }
        Ok(())
    }

    async fn it_is_called_off(&self, actor: &ActorName) -> Result<(), Broken> {
        let cancel = Cancel {
            key: request(&self.guest, "cancel"),
            reason: None,
        };
        let canceled = self.ask_of(actor, cancel).await?;
        let canceled = self.driven("calling off", canceled).await?;
        expect("it is off", canceled.phase.word(), "canceled")?;
        for party in [&self.host, &self.guest] {
            let seen = self.ask_of(actor, read(party)).await?;
            let seen = seen.map(|booking| booking.phase);
            expect("both sides see it", seen, Ok(canceled.phase.clone()))?;
        }
        Ok(())
    }

    fn create(&self, body_hash: &str) -> Create {
        Create {
            asked: Asked::new(self.host.clone(), self.guest.clone()),
            body_hash: body_hash.to_owned(),
        }
    }

    /// Drives a booking on from where a command has brought it, as far as the transport has not: the host has time, and
    /// nobody is busy.
    async fn driven<R: std::fmt::Debug>(
        &self,
        what: &str,
        answer: Result<Standing, R>,
    ) -> Result<Booking, Broken> {
        let standing = answer.map_err(|refusal| Broken(format!("{what}: {refusal:?}")))?;
        let slot = self.slot();
        let mut windows = ListedWindows::default();
        windows
            .add(&self.host, slot.start(), slot.end())
            .map_err(|error| broken(what, error))?;
        let mut driver = Driver::new(standing);
        loop {
            let event = match driver.action() {
                Action::Done => return Ok(driver.booking().clone()),
                Action::Search => {
                    Event::Found(windows.search(&driver.search(), Timestamp::MAX).await)
                }
                Action::Check(_) => Event::Checked(Checked::Free),
                Action::Ask(actor, command) => {
                    let reply = self.transport.send(&actor, command).await;
                    Event::Replied(Box::new(reply.map_err(|error| broken(what, error))?))
                }
            };
            driver
                .advance(event, self.now, &Limits::default())
                .map_err(|error| broken(what, error))?;
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

fn read(by: &Did) -> Read {
    Read {
        by: Some(by.clone()),
    }
}

fn request(caller: &Did, method: &str) -> Key {
    Key {
        caller: caller.clone(),
        method: method.to_owned(),
        key: "first".to_owned(),
        body_hash: "same".to_owned(),
    }
}

fn did(text: &str) -> Result<Did, Broken> {
    text.parse().map_err(|error| broken(text, error))
}

fn booking(name: &str, which: &str) -> Result<BookingId, Broken> {
    let id = format!("{name}contract{which}0000");
    id.parse().map_err(|error| broken(&id, error))
}
