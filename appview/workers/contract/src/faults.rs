//! Faults on demand, so that tests can see what becomes of an object that fails half-way.

use huddle_appview_workers::build::Moment;
use huddle_core::{ActorName, SqlError};
use worker::js_sys::{self, Reflect};
use worker::wasm_bindgen::JsValue;

const WHY: &str = "a test asked for this";

/// Has an actor meet the fault of that name, in place of any other; any other name is no fault.
///
/// It is known to the isolate, in which all objects run, so that a panic does not end it.
pub(crate) fn want(actor: &ActorName, fault: &str) -> Result<(), JsValue> {
    Reflect::set(&js_sys::global(), &key(actor), &fault.into()).map(drop)
}

/// Strikes whoever is to meet a fault at that moment: once, or with every ring.
pub(crate) fn strike(actor: &ActorName, moment: Moment) -> Result<(), SqlError> {
    let wanted = Reflect::get(&js_sys::global(), &key(actor)).ok();
    let wanted = wanted.and_then(|fault| fault.as_string());
    match (moment, wanted.as_deref()) {
        (Moment::Commit, Some("fail")) => {
            forget(actor);
            Err(SqlError::Store(WHY.into()))
        }
        (Moment::Commit, Some("panic"))
        | (Moment::Wake, Some("panic at alarm"))
        | (Moment::Done, Some("panic once done")) => {
            forget(actor);
            panic!("{WHY}")
        }
        (Moment::Ring, Some("panic at every ring")) => panic!("{WHY}"),
        _ => Ok(()),
    }
}

fn forget(actor: &ActorName) {
    // What is not there need not be forgotten.
    let _ = Reflect::delete_property(&js_sys::global(), &key(actor));
}

fn key(actor: &ActorName) -> JsValue {
    format!("the fault of {actor}").into()
}
