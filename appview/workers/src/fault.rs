//! Faults on demand, so that tests can see what becomes of an object that fails half-way.
//!
//! Only where the variable `HUDDLE_TEST` is `1`; no configuration that is deployed sets it.

use huddle_core::SqlError;
use worker::{Env, Request};

use crate::config::testing;

/// The header that asks an object for a fault.
pub(crate) const HEADER: &str = "huddle-fault";

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The store fails, after the command has written and before that is committed.
    Fail,
    /// The code panics, at the same point.
    Panic,
    /// The code panics at the next alarm.
    PanicAtAlarm,
}

impl Fault {
    pub(crate) fn asked_for(request: &Request, env: &Env) -> worker::Result<Option<Self>> {
        if !testing(env) {
            return Ok(None);
        }
        Ok(match request.headers().get(HEADER)?.as_deref() {
            Some("fail") => Some(Self::Fail),
            Some("panic") => Some(Self::Panic),
            Some("panic at alarm") => Some(Self::PanicAtAlarm),
            _ => None,
        })
    }

    pub(crate) fn strike(fault: Option<Self>) -> Result<(), SqlError> {
        match fault {
            None | Some(Self::PanicAtAlarm) => Ok(()),
            Some(Self::Fail) => Err(SqlError::Store("a test asked for this".into())),
            Some(Self::Panic) => panic!("a test asked for this"),
        }
    }

    pub(crate) fn strike_at_alarm(fault: Option<Self>) {
        assert!(fault != Some(Self::PanicAtAlarm), "a test asked for this");
    }
}
