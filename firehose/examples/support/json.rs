//! Frames as lines of JSON, as the reference implementation was made to print them.

use huddle_firehose::car::{BlockStore as _, Car};
use huddle_firehose::frame::{CommitEvent, RepoOp};
use huddle_firehose::{Cid, Frame};
use huddle_syntax::data;
use serde_json::value::{RawValue, to_raw_value};

use super::input::Error;

/// The frames whose records are all printed; of later ones only those of [`PRINTED`] are.
const SAMPLE: usize = 300;
const PRINTED: &str = "com.huddle.";

/// The lines of all frames but those that carry no event. That of a frame that cannot be decoded says why.
pub(crate) fn lines(frames: &[Vec<u8>]) -> impl Iterator<Item = String> {
    let frames = frames.iter().enumerate();
    frames.filter_map(|(i, frame)| line(i, frame).unwrap_or_else(|error| Some(refusal(i, &error))))
}

fn refusal(i: usize, error: &Error) -> String {
    let mut line = Object::new();
    line.add("i", &i).add("error", &error.to_string());
    line.finish()
}

/// The line of a frame; `None` for what carries no event.
fn line(i: usize, frame: &[u8]) -> Result<Option<String>, Error> {
    let mut line = Object::new();
    line.add("i", &i);
    match Frame::decode(frame)? {
        Frame::Commit(event) => commit(i, &event, &mut line)?,
        Frame::Sync(event) => {
            line.about("#sync", event.seq, event.time)
                .add("did", event.did);
            let commit = Car::read(event.blocks)?.root();
            line.add("rev", event.rev).cid("commit", Some(commit));
        }
        Frame::Identity(event) => {
            line.about("#identity", event.seq, event.time)
                .add("did", event.did);
            if let Some(handle) = event.handle {
                line.add("handle", handle);
            }
        }
        Frame::Account(event) => {
            line.about("#account", event.seq, event.time)
                .add("did", event.did);
            line.add("active", &event.active);
            if let Some(status) = event.status {
                line.add("status", status.as_str());
            }
        }
        Frame::Info(_) | Frame::Error(_) | Frame::Unknown(_) => return Ok(None),
    }
    Ok(Some(line.finish()))
}

fn commit(i: usize, event: &CommitEvent<'_>, line: &mut Object) -> Result<(), Error> {
    let car = Car::read(event.blocks)?;
    line.about("#commit", event.seq, event.time)
        .add("repo", event.repo)
        .cid("commit", Some(event.commit))
        .add("rev", event.rev)
        .add("since", &event.since)
        .cid("prevData", event.prev_data)
        .add("nblocks", &car.len());
    let ops = event.ops.iter().map(|op| operation(i, &op, &car));
    let ops: Vec<Box<RawValue>> = ops.collect::<Result<_, _>>()?;
    line.add("ops", &ops);
    Ok(())
}

fn operation(i: usize, op: &RepoOp<'_>, car: &Car<'_>) -> Result<Box<RawValue>, Error> {
    let mut line = Object::new();
    line.add("a", op.action.as_str())
        .add("p", op.path)
        .cid("cid", op.cid);
    if op.prev.is_some() {
        line.cid("prev", op.prev);
    }
    match op.cid.map(|cid| car.block(&cid)) {
        None => {}
        Some(None) => drop(line.add("missing", &true)),
        Some(Some(block)) => {
            let record: data::Map = data::from_cbor(block)?;
            line.add("len", &block.len())
                .add("type", &record.get("$type"));
            if i < SAMPLE || op.path.starts_with(PRINTED) {
                line.add(
                    "record",
                    &RawValue::from_string(data::to_json_string(&record)?)?,
                );
            }
        }
    }
    Ok(RawValue::from_string(line.finish())?)
}

/// An object whose fields stay in the order in which they come.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self(String::new())
    }

    fn about(&mut self, event: &str, seq: i64, time: &str) -> &mut Self {
        self.add("t", event).add("seq", &seq).add("time", time)
    }

    fn cid(&mut self, name: &str, cid: Option<Cid>) -> &mut Self {
        self.add(name, &cid.map(|cid| cid.to_string()))
    }

    fn add<T: serde::Serialize + ?Sized>(&mut self, name: &str, value: &T) -> &mut Self {
        let value = to_raw_value(value).expect("the values are texts, numbers and lists");
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0 += &to_raw_value(name).expect("a name is a text").to_string();
        self.0.push(':');
        self.0 += value.get();
        self
    }

    fn finish(self) -> String {
        self.0 + "}"
    }
}
