//! Definitions side by side: records, methods, permission sets.

use super::effect::{Effect, Side};
use super::same::by_name;
use super::schema::list;
use super::{Change, Comparison, Direction, Impact};
use crate::model::{
    Body, DeclaredError, DefKind, Definition, KeyKind, Params, PermissionSet, Property, Record,
    Resource, Subscription,
};
use std::collections::BTreeSet;

impl Comparison<'_> {
    pub(super) fn definition(&mut self, old: &Definition, new: &Definition) {
        let path = new.path.as_str();
        self.side = Side::of(&old.kind);
        match (&old.kind, &new.kind) {
            (DefKind::Record(a), DefKind::Record(b)) => self.record(path, a, b),
            (DefKind::Query(a), DefKind::Query(b)) => {
                self.params(path, a.parameters.as_ref(), b.parameters.as_ref());
                self.body(
                    path,
                    "output",
                    Side::Answer,
                    a.output.as_ref(),
                    b.output.as_ref(),
                );
                self.errors(path, &a.errors, &b.errors);
            }
            (DefKind::Procedure(a), DefKind::Procedure(b)) => {
                self.params(path, a.parameters.as_ref(), b.parameters.as_ref());
                self.body(
                    path,
                    "input",
                    Side::Call,
                    a.input.as_ref(),
                    b.input.as_ref(),
                );
                self.body(
                    path,
                    "output",
                    Side::Answer,
                    a.output.as_ref(),
                    b.output.as_ref(),
                );
                self.errors(path, &a.errors, &b.errors);
            }
            (DefKind::Subscription(a), DefKind::Subscription(b)) => self.subscription(path, a, b),
            (DefKind::PermissionSet(a), DefKind::PermissionSet(b)) => {
                self.permission_set(path, a, b);
            }
            (DefKind::Token, DefKind::Token) => {}
            (DefKind::Type(a), DefKind::Type(b)) => self.schema(a, b),
            (a, b) => self.report(Change::TypeChange, path, Effect::BOTH, a.name(), b.name()),
        }
    }

    /// Runs a comparison of data that only one side writes.
    fn on(&mut self, side: Side, compare: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.side, side);
        compare(self);
        self.side = outer;
    }

    fn record(&mut self, path: &str, old: &Record, new: &Record) {
        let effect = match (&old.key, &new.key) {
            (a, b) if a == b => Effect::default(),
            (KeyKind::Any, _) => Effect::NARROWS,
            (_, KeyKind::Any) => Effect::WIDENS,
            _ => Effect::BOTH,
        };
        self.report(
            Change::RecordKeyType,
            &format!("{path}.key"),
            effect,
            &old.key,
            &new.key,
        );
        self.object(&format!("{path}.record"), &old.object, &new.object);
    }

    fn subscription(&mut self, path: &str, old: &Subscription, new: &Subscription) {
        self.params(path, old.parameters.as_ref(), new.parameters.as_ref());
        let message = format!("{path}.message.schema");
        self.on(Side::Answer, |comparison| {
            comparison.union(
                Change::MessageRefs,
                &message,
                &old.message.union,
                &new.message.union,
            );
        });
        self.errors(path, &old.errors, &new.errors);
    }

    fn params(&mut self, path: &str, old: Option<&Params>, new: Option<&Params>) {
        let path = format!("{path}.parameters");
        let old: &[Property] = old.map_or(&[], |params| &params.properties);
        let new: &[Property] = new.map_or(&[], |params| &params.properties);
        self.on(Side::Call, |comparison| {
            comparison.required(Change::ParamsRequired, &path, old, new);
            let remaining = by_name(new);
            let gone = |p: &&Property| !remaining.contains_key(p.name.as_str());
            for property in old.iter().filter(gone) {
                let at = &property.schema.path;
                comparison.push(
                    Change::ParamsRemoved,
                    at,
                    Direction::Backward,
                    Impact::Notice,
                    &property.name,
                    &"nothing",
                );
            }
            comparison.properties(old, new);
        });
    }

    fn body(&mut self, path: &str, key: &str, side: Side, old: Option<&Body>, new: Option<&Body>) {
        let path = format!("{path}.{key}");
        self.on(side, |comparison| match (old, new) {
            (Some(old), Some(new)) => comparison.bodies(&path, old, new),
            (None, None) => {}
            (old, new) => {
                let say = |body: Option<&Body>| body.map_or("no body", encoding).to_owned();
                // A caller that sends no body is refused where one is read; one that is not read
                // does no harm. An answer that has no body is refused where one is read.
                let effect = Effect::of_restriction(old.is_some(), new.is_some());
                comparison.report(Change::BodyPresence, &path, effect, say(old), say(new));
            }
        });
    }

    fn bodies(&mut self, path: &str, old: &Body, new: &Body) {
        let patterns = |body: &Body| -> Vec<String> {
            let patterns = body.encoding.split(',');
            patterns.map(|pattern| pattern.trim().to_owned()).collect()
        };
        let effect = Effect::of_mime_patterns(&patterns(old), &patterns(new));
        let at = format!("{path}.encoding");
        let (before, after) = (encoding(old), encoding(new));
        self.report(Change::BodyEncoding, &at, effect, before, after);
        match (&old.schema, &new.schema) {
            (Some(old), Some(new)) => self.schema(old, new),
            (old, new) => {
                let effect = Effect::of_restriction(old.is_some(), new.is_some());
                let say = |present: bool| if present { "a schema" } else { "no schema" };
                let (old, new) = (say(old.is_some()), say(new.is_some()));
                self.report(
                    Change::BodySchema,
                    &format!("{path}.schema"),
                    effect,
                    old,
                    new,
                );
            }
        }
    }

    /// Clients take unknown errors for what they are, and servers need not use all that they declare.
    fn errors(&mut self, path: &str, old: &[DeclaredError], new: &[DeclaredError]) {
        let names = |errors: &[DeclaredError]| -> Vec<String> {
            errors.iter().map(|error| error.name.clone()).collect()
        };
        let (old, new) = (names(old), names(new));
        let effect = Effect::of_sets(&old, &new);
        let path = format!("{path}.errors");
        self.on(Side::Answer, |comparison| {
            comparison.note(Change::ErrorNames, &path, effect, list(&old), list(&new));
        });
    }

    /// What a set no longer allows breaks the apps that asked for it; what it newly allows is more
    /// than people agreed to.
    fn permission_set(&mut self, path: &str, old: &PermissionSet, new: &PermissionSet) {
        let (old, new) = (grants(old), grants(new));
        let only = |some: &BTreeSet<String>, others: &BTreeSet<String>| {
            list(&some.difference(others).cloned().collect::<Vec<_>>())
        };
        let effect = Effect {
            narrows: !old.is_subset(&new),
            widens: !new.is_subset(&old),
        };
        let path = format!("{path}.permissions");
        let (lost, gained) = (only(&old, &new), only(&new, &old));
        if effect.narrows {
            self.report(
                Change::Permissions,
                &path,
                Effect::NARROWS,
                lost,
                "no permission",
            );
        }
        if effect.widens {
            self.report(
                Change::Permissions,
                &path,
                Effect::WIDENS,
                "no permission",
                gained,
            );
        }
    }
}

/// What a body says of its encoding.
fn encoding(body: &Body) -> &str {
    match body.encoding.as_str() {
        "" => "no encoding",
        encoding => encoding,
    }
}

/// Every single thing that a set allows.
fn grants(set: &PermissionSet) -> BTreeSet<String> {
    let mut grants = BTreeSet::new();
    for permission in &set.permissions {
        match &permission.resource {
            Resource::Repo {
                collections,
                actions,
            } => {
                let all = ["create", "update", "delete"].map(str::to_owned);
                let actions = if actions.is_empty() {
                    all.as_slice()
                } else {
                    actions
                };
                for collection in collections {
                    grants.extend(
                        actions
                            .iter()
                            .map(|action| format!("{action} {collection}")),
                    );
                }
            }
            Resource::Rpc {
                methods,
                audience,
                inherit_audience,
            } => {
                let service = match (audience.as_deref(), inherit_audience) {
                    (None, true) => "the service asked for",
                    (Some(service), false) => service,
                    // Servers ignore what names no audience, and what names two.
                    (None, false) | (Some(_), true) => continue,
                };
                grants.extend(
                    methods
                        .iter()
                        .map(|method| format!("{method} of {service}")),
                );
            }
            // Nobody acts on it.
            Resource::Unsupported { .. } => {}
        }
    }
    grants
}
