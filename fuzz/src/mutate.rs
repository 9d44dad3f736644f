//! Mutations that keep an input in shape: most bytes would be refused at the first of them.

use serde_json::{Map, Value};

/// Numbers that are spread evenly, the same ones from the same seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u32) -> Self {
        Self(seed.into())
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // The bias of the remainder is of no concern here.
        usize::try_from(self.number() % bound as u64).expect("it is below a `usize`")
    }

    /// True once in so many times.
    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    /// One of these; `None` of none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        items.get(self.below(items.len()))
    }
}

/// Makes another input of one; `None` where it finds nothing to do.
pub type Mutator = fn(&[u8], &mut Random) -> Option<Vec<u8>>;

/// Mutates `data[..size]` in place to at most `max_size` bytes, and returns how many they are: mostly by
/// `in_shape`, else by `plain`, which is the fuzzer's own way and knows only bytes.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    in_shape: Mutator,
    plain: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut random = Random::new(seed);
    let mutated = (!random.one_in(4)).then(|| in_shape(&data[..size], &mut random));
    match mutated.flatten() {
        Some(input) if input.len() <= max_size => {
            data[..input.len()].copy_from_slice(&input);
            input.len()
        }
        _ => plain(data, size, max_size),
    }
}

/// Edits a text of JSON in a few places, with parts of the `donors`; a text that is no JSON becomes one
/// of them.
pub fn json(input: &[u8], donors: &[Value], random: &mut Random) -> Option<Vec<u8>> {
    let mut value = match serde_json::from_slice(input) {
        Ok(value) if !random.one_in(64) => value,
        _ => {
            return random
                .pick(donors)
                .map(|donor| donor.to_string().into_bytes());
        }
    };
    for _ in 0..=random.below(3) {
        let mut place = random.below(count(&value));
        if let Some(node) = node_mut(&mut value, &mut place) {
            edit(node, donors, random);
        }
    }
    Some(value.to_string().into_bytes())
}

/// How many values there are in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// The value at this place among those in a value, itself the first; `place` is counted down.
fn node<'a>(value: &'a Value, place: &mut usize) -> Option<&'a Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter().find_map(|item| node(item, place)),
        Value::Object(fields) => fields.values().find_map(|field| node(field, place)),
        _ => None,
    }
}

/// As [`node`].
fn node_mut<'a>(value: &'a mut Value, place: &mut usize) -> Option<&'a mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| node_mut(item, place)),
        Value::Object(fields) => fields.values_mut().find_map(|field| node_mut(field, place)),
        _ => None,
    }
}

/// Some part of some donor.
fn part<'a>(donors: &'a [Value], random: &mut Random) -> Option<&'a Value> {
    let donor = random.pick(donors)?;
    node(donor, &mut random.below(count(donor)))
}

/// Some part that is of a kind; none, if it takes too long to find one.
fn part_of<'a, T>(
    donors: &'a [Value],
    random: &mut Random,
    kind: impl Fn(&'a Value) -> Option<T>,
) -> Option<T> {
    (0..16).find_map(|_| part(donors, random).and_then(&kind))
}

fn edit(value: &mut Value, donors: &[Value], random: &mut Random) {
    if random.one_in(4)
        && let Some(part) = part(donors, random)
    {
        *value = part.clone();
        return;
    }
    match value {
        Value::Object(fields) => edit_fields(fields, donors, random),
        Value::Array(items) => edit_items(items, donors, random),
        Value::String(text) => edit_text(text, donors, random),
        Value::Bool(flag) => *flag = !*flag,
        Value::Number(_) | Value::Null => *value = number(random),
    }
}

fn edit_fields(fields: &mut Map<String, Value>, donors: &[Value], random: &mut Random) {
    let names: Vec<String> = fields.keys().cloned().collect();
    let (one, other) = (random.pick(&names), random.pick(&names));
    match (random.below(4), one, other) {
        (0, Some(name), _) => drop(fields.remove(name)),
        (1, Some(name), _) => {
            let value = fields.remove(name).unwrap_or_default();
            let mut name = name.clone();
            edit_text(&mut name, donors, random);
            fields.insert(name, value);
        }
        (2, Some(one), Some(other)) => {
            let values = (fields[one].clone(), fields[other].clone());
            fields.insert(one.clone(), values.1);
            fields.insert(other.clone(), values.0);
        }
        _ => {
            let lender = part_of(donors, random, Value::as_object);
            let lent: Vec<_> = lender.into_iter().flatten().collect();
            if let Some((name, value)) = random.pick(&lent) {
                fields.insert((*name).clone(), (*value).clone());
            }
        }
    }
}

fn edit_items(items: &mut Vec<Value>, donors: &[Value], random: &mut Random) {
    match random.below(4) {
        0 if !items.is_empty() => drop(items.remove(random.below(items.len()))),
        1 if !items.is_empty() => items.push(items[random.below(items.len())].clone()),
        2 => items.reverse(),
        _ => items.extend(part(donors, random).cloned()),
    }
}

/// Texts that many a program has stumbled over.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "\n",
    "\r",
    "\t*/ \"#",
    "\u{feff}",
    "\u{202e}",
    "é",
    "e\u{301}",
    "ﬁ",
    "👨‍👩‍👧",
    "𝒳",
    "_",
    "-",
    "0",
    "%",
    "#",
    ".",
    "$type",
    "$link",
    "$bytes",
];

fn edit_text(text: &mut String, donors: &[Value], random: &mut Random) {
    let oddity = random.pick(TEXTS).copied().unwrap_or_default();
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
    let place = random.pick(&places).copied().unwrap_or_default();
    match random.below(6) {
        0 => text.insert_str(place, oddity),
        1 => text.truncate(place),
        2 => drop(text.drain(..place)),
        3 => oddity.clone_into(text),
        4 => text.push_str(&text.clone()),
        _ => {
            if let Some(other) = part_of(donors, random, Value::as_str) {
                other.clone_into(text);
            }
        }
    }
}

fn number(random: &mut Random) -> Value {
    let numbers = [
        0.into(),
        1.into(),
        (-1).into(),
        2.into(),
        63.into(),
        64.into(),
        1000.into(),
        ((1_i64 << 53) - 1).into(),
        (1_i64 << 53).into(),
        i64::MAX.into(),
        i64::MIN.into(),
        u64::MAX.into(),
        1.0.into(),
        0.5.into(),
        1e300.into(),
        Value::Null,
    ];
    random.pick(&numbers).cloned().unwrap_or_default()
}
