//! Whether generated Rust gives each name once: the parser does not ask, the compiler does.

use std::collections::HashSet;
use syn::{Fields, FnArg, ImplItem, Item, Pat, Signature, TraitItem, Type, UseTree};

/// The first name that stands twice where it must not.
pub(super) fn check(file: &syn::File) -> Result<(), String> {
    let mut types = Names::default();
    let mut values = Names::default();
    let mut members = Names::default();
    for item in &file.items {
        match item {
            Item::Use(item) => imports(&item.tree, &mut types)?,
            Item::Mod(item) => types.add(&item.ident)?,
            Item::Type(item) => types.add(&item.ident)?,
            Item::Const(item) => values.add(&item.ident)?,
            Item::Struct(item) => {
                types.add(&item.ident)?;
                fields(&item.fields)?;
            }
            Item::Enum(item) => {
                types.add(&item.ident)?;
                let mut variants = Names::default();
                for variant in &item.variants {
                    variants.add(&variant.ident)?;
                    fields(&variant.fields)?;
                }
            }
            Item::Trait(item) => {
                types.add(&item.ident)?;
                let mut items = Names::default();
                for item in &item.items {
                    match item {
                        TraitItem::Fn(function) => {
                            items.add(&function.sig.ident)?;
                            arguments(&function.sig)?;
                        }
                        TraitItem::Const(item) => items.add(&item.ident)?,
                        _ => {}
                    }
                }
            }
            Item::Fn(function) => {
                values.add(&function.sig.ident)?;
                arguments(&function.sig)?;
            }
            Item::Impl(item) => {
                // What several inherent `impl`s of a type hold together counts as one.
                let owner = match (&item.trait_, &*item.self_ty) {
                    (None, Type::Path(path)) => path.path.segments.last(),
                    _ => None,
                };
                let mut items = Names::default();
                for item in &item.items {
                    let name = match item {
                        ImplItem::Fn(function) => {
                            arguments(&function.sig)?;
                            &function.sig.ident
                        }
                        ImplItem::Const(item) => &item.ident,
                        ImplItem::Type(item) => &item.ident,
                        _ => continue,
                    };
                    match owner {
                        Some(owner) => members.add(&format!("{}::{name}", owner.ident))?,
                        None => items.add(name)?,
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn add(&mut self, name: &impl ToString) -> Result<(), String> {
        let name = name.to_string();
        if self.0.contains(&name) {
            return Err(name);
        }
        self.0.insert(name);
        Ok(())
    }
}

fn fields(fields: &Fields) -> Result<(), String> {
    let mut names = Names::default();
    fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .try_for_each(|name| names.add(name))
}

fn arguments(signature: &Signature) -> Result<(), String> {
    let mut names = Names::default();
    for argument in &signature.inputs {
        if let FnArg::Typed(argument) = argument
            && let Pat::Ident(pattern) = &*argument.pat
        {
            names.add(&pattern.ident)?;
        }
    }
    Ok(())
}

fn imports(tree: &UseTree, names: &mut Names) -> Result<(), String> {
    match tree {
        // Of `a::{self}` the name is `a`.
        UseTree::Path(path) => match &*path.tree {
            UseTree::Name(name) if name.ident == "self" => names.add(&path.ident),
            UseTree::Group(group) => group.items.iter().try_for_each(|tree| match tree {
                UseTree::Name(name) if name.ident == "self" => names.add(&path.ident),
                tree => imports(tree, names),
            }),
            tree => imports(tree, names),
        },
        UseTree::Group(group) => group.items.iter().try_for_each(|tree| imports(tree, names)),
        UseTree::Name(name) => names.add(&name.ident),
        UseTree::Rename(rename) if rename.rename == "_" => Ok(()),
        UseTree::Rename(rename) => names.add(&rename.rename),
        UseTree::Glob(_) => Ok(()),
    }
}
