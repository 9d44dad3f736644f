//! `RateLimiter`: how much a caller may ask, and which of their tokens were used.
//!
//! One command spends an allowance and takes a token's nonce, because on Workers each is a request to
//! the caller's object. An actor whose bucket is full again and whose nonces are forgotten has no rows
//! left: there is one for every address that ever called.

use std::time::Duration;

use huddle_ports::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::commands;
use crate::sql::SqlError;
use crate::turn::Turn;

const TIMER: &str = "clear";
const MICRO: i64 = 1_000_000;

/// Spend from an allowance, and take a nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// The allowance; a change of it applies at once.
    pub rate: Rate,
    /// How many tokens the request costs.
    pub cost: u32,
    /// The nonce of the request's token, where it has one.
    pub nonce: Option<Nonce>,
}

/// An allowance: a bucket that holds `burst` and is filled at `per_minute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Tokens that come in every minute.
    pub per_minute: u32,
    /// Tokens that the bucket holds at most.
    pub burst: u32,
}

impl Rate {
    /// How long so many tokens take to come in, rounded up.
    pub fn time_to_gain(self, tokens: u32) -> Duration {
        time_to_gain(self, i64::from(tokens) * MICRO)
    }
}

/// What names a token of service auth, until it can no longer be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nonce {
    /// Its issuer and `jti`.
    pub text: String,
    /// When the token has expired everywhere.
    pub forget: Timestamp,
}

/// Whether the request may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Yes, and so many more tokens are left.
    Allowed {
        /// Whole tokens left.
        remaining: u32,
    },
    /// No: the allowance is spent.
    Limited {
        /// Whole tokens left, fewer than the request costs.
        remaining: u32,
        /// When it will do for this request.
        retry_at: Timestamp,
    },
    /// No: the nonce was taken before.
    Replayed,
}

commands! {
    RateLimiter {
        /// [`Spend`]
        Spend => Verdict,
    }
}

/// A token bucket. Fractions are kept, so that a caller who asks all the time still gets their rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// What is in it, in millionths of a token.
    pub microtokens: i64,
    /// When that was so.
    pub filled: Timestamp,
}

impl Bucket {
    /// A full bucket.
    pub fn full(rate: Rate, now: Timestamp) -> Self {
        Self {
            microtokens: i64::from(rate.burst) * MICRO,
            filled: now,
        }
    }

    /// The bucket at `now`.
    #[must_use]
    pub fn filled(self, rate: Rate, now: Timestamp) -> Self {
        let elapsed = i64::try_from(now.since(self.filled).as_millis()).unwrap_or(i64::MAX);
        // Per minute times a millisecond is 1/60,000 token.
        let gained = elapsed
            .saturating_mul(i64::from(rate.per_minute))
            .saturating_mul(MICRO / 1000)
            / 60;
        Self {
            microtokens: self
                .microtokens
                .saturating_add(gained)
                .min(i64::from(rate.burst) * MICRO),
            filled: now.max(self.filled),
        }
    }

    /// Takes `cost` tokens out, or all that the bucket can hold; or says when there will be enough, which is
    /// [`Verdict::Limited`], and takes nothing.
    pub fn take(self, rate: Rate, cost: u32) -> Result<Self, Verdict> {
        let left = self.microtokens - i64::from(cost.min(rate.burst)) * MICRO;
        if left >= 0 {
            return Ok(Self {
                microtokens: left,
                ..self
            });
        }
        Err(Verdict::Limited {
            remaining: self.tokens(),
            retry_at: self.filled + time_to_gain(rate, -left),
        })
    }

    /// When the bucket will be full.
    pub fn full_at(self, rate: Rate) -> Timestamp {
        self.filled + time_to_gain(rate, i64::from(rate.burst) * MICRO - self.microtokens)
    }

    /// Whole tokens in it.
    pub fn tokens(self) -> u32 {
        u32::try_from(self.microtokens / MICRO).unwrap_or(0)
    }
}

/// Rounded up, so that whoever comes back then is not refused again.
fn time_to_gain(rate: Rate, microtokens: i64) -> Duration {
    let per_minute = u64::from(rate.per_minute.max(1)) * (MICRO as u64) / 1000;
    let microtokens = u64::try_from(microtokens).unwrap_or(0);
    Duration::from_millis(microtokens.saturating_mul(60).div_ceil(per_minute))
}

pub(crate) fn handle(turn: &mut Turn<'_>, command: Command) -> Result<Reply, SqlError> {
    match command {
        Command::Spend(spend) => spend_from(turn, &spend).map(Reply::Spend),
    }
}

fn spend_from(turn: &mut Turn<'_>, spend: &Spend) -> Result<Verdict, SqlError> {
    let now = turn.now();
    let bucket = stored(turn)?
        .unwrap_or(Bucket::full(spend.rate, now))
        .filled(spend.rate, now);
    let bucket = match bucket.take(spend.rate, spend.cost) {
        Ok(bucket) => bucket,
        Err(limited) => return Ok(limited),
    };
    if let Some(nonce) = &spend.nonce
        && !take_nonce(turn, nonce)?
    {
        return Ok(Verdict::Replayed);
    }
    turn.write(
        "INSERT INTO bucket (actor, microtokens, filled) VALUES (?1, ?2, ?3) \
         ON CONFLICT (actor) DO UPDATE SET microtokens = excluded.microtokens, filled = excluded.filled",
        &[
            turn.name().as_str().into(),
            bucket.microtokens.into(),
            bucket.filled.into(),
        ],
    )?;
    let idle = bucket.full_at(spend.rate);
    let idle = match &spend.nonce {
        Some(nonce) => idle.max(nonce.forget),
        None => idle,
    };
    turn.set_timer(TIMER, idle)?;
    Ok(Verdict::Allowed {
        remaining: bucket.tokens(),
    })
}

fn stored(turn: &mut Turn<'_>) -> Result<Option<Bucket>, SqlError> {
    let rows = turn.read(
        "SELECT microtokens, filled FROM bucket WHERE actor = ?1",
        &[turn.name().as_str().into()],
    )?;
    rows.first()
        .map(|row| {
            Ok(Bucket {
                microtokens: row.get(0)?,
                filled: row.get(1)?,
            })
        })
        .transpose()
}

/// Whether the nonce is taken for the first time. One whose token has expired never is.
fn take_nonce(turn: &mut Turn<'_>, nonce: &Nonce) -> Result<bool, SqlError> {
    let now = turn.now();
    if nonce.forget <= now {
        return Ok(false);
    }
    turn.write(
        "DELETE FROM nonce WHERE actor = ?1 AND forget <= ?2",
        &[turn.name().as_str().into(), now.into()],
    )?;
    let taken = turn.write(
        "INSERT INTO nonce (actor, nonce, forget) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING RETURNING nonce",
        &[
            turn.name().as_str().into(),
            (&nonce.text).into(),
            nonce.forget.into(),
        ],
    )?;
    Ok(!taken.is_empty())
}

/// Nothing that is worth keeping is left when the timer rings: the bucket is full, and the nonces have
/// expired, unless an earlier one lives longer than the last. The actor's time goes with them: from here
/// on it is the expiry in the token itself that refuses an old one.
pub(crate) fn wake(turn: &mut Turn<'_>) -> Result<(), SqlError> {
    let now = turn.now();
    let rows = turn.read(
        "SELECT max(forget) FROM nonce WHERE actor = ?1",
        &[turn.name().as_str().into()],
    )?;
    let last: Option<Timestamp> = rows.first().map_or(Ok(None), |row| row.get(0))?;
    if let Some(last) = last
        && last > now
    {
        return turn.set_timer(TIMER, last);
    }
    for statement in [
        "DELETE FROM nonce WHERE actor = ?1",
        "DELETE FROM bucket WHERE actor = ?1",
    ] {
        turn.write(statement, &[turn.name().as_str().into()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_minute: 60,
        burst: 3,
    };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_burst_is_spent_and_comes_back_at_the_rate() {
        let mut bucket = Bucket::full(RATE, at(0));
        for left in [2, 1, 0] {
            bucket = bucket.take(RATE, 1).unwrap();
            assert_eq!(bucket.tokens(), left);
        }
        let limited = |remaining, millis| {
            Err(Verdict::Limited {
                remaining,
                retry_at: at(millis),
            })
        };
        assert_eq!(bucket.take(RATE, 1), limited(0, 1000));
        assert_eq!(
            bucket.filled(RATE, at(1500)).take(RATE, 3),
            limited(1, 3000)
        );
        assert!(bucket.filled(RATE, at(999)).take(RATE, 1).is_err());
        assert!(bucket.filled(RATE, at(1000)).take(RATE, 1).is_ok());
        assert_eq!(bucket.full_at(RATE), at(3000));
        assert_eq!(RATE.time_to_gain(3), Duration::from_secs(3));
    }

    #[test]
    fn a_caller_who_asks_all_the_time_still_gets_their_rate() {
        let mut bucket = Bucket::full(RATE, at(0));
        let mut granted = 0;
        for millis in (0..60_000).step_by(7) {
            bucket = bucket.filled(RATE, at(millis));
            if let Ok(less) = bucket.take(RATE, 1) {
                bucket = less;
                granted += 1;
            }
        }
        assert_eq!(granted, 3 + 59);
    }

    #[test]
    fn a_clock_set_back_neither_fills_nor_empties() {
        let bucket = Bucket::full(RATE, at(5000)).take(RATE, 3).unwrap();
        let asked_before = bucket.filled(RATE, at(0));
        assert_eq!(asked_before, bucket);
    }
}
