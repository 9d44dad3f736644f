//! Whether generated Rust has what the compiler would not let pass, as far as that can be seen at once.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeSet, HashMap};
use syn::{
    Fields, FnArg, ImplItem, Item, ItemEnum, ItemImpl, ItemTrait, Pat, Signature, TraitItem, Type,
    UseTree,
};

/// Says what is wrong: it is not Rust, it has characters that are not seen, it gives a name twice, or
/// what it imports is not used.
pub(super) fn check(text: &str) -> Result<(), String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    if let Some(character) = text.chars().find(|c| is_unseen(*c)) {
        return Err(format!("{character:?} is in it"));
    }
    let imported = names(&file).map_err(|name| format!("{name} is there twice"))?;
    let tokens = text
        .parse()
        .map_err(|error: proc_macro2::LexError| error.to_string())?;
    let mut mentions = HashMap::new();
    count(tokens, &mut mentions);
    let unused = imported
        .0
        .iter()
        .find(|name| mentions.get(*name) == Some(&1));
    unused.map_or(Ok(()), |name| {
        Err(format!("{name} is imported and not used"))
    })
}

/// Whether a character is a control character, or one that makes text read other than it is.
fn is_unseen(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Counts the mentions of every name.
fn count(tokens: TokenStream, mentions: &mut HashMap<String, usize>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => count(group.stream(), mentions),
            TokenTree::Ident(name) => *mentions.entry(name.to_string()).or_default() += 1,
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The imported names, or the first name that stands twice where it must not.
fn names(file: &syn::File) -> Result<Names, String> {
    let mut imported = Names::default();
    let mut types = Names::default();
    let mut values = Names::default();
    let mut members = Names::default();
    for item in &file.items {
        match item {
            Item::Use(item) => imports(&item.tree, &mut imported)?,
            Item::Mod(item) => types.add(&item.ident)?,
            Item::Type(item) => types.add(&item.ident)?,
            Item::Const(item) => values.add(&item.ident)?,
            Item::Struct(item) => {
                types.add(&item.ident)?;
                fields(&item.fields)?;
            }
            Item::Enum(item) => {
                types.add(&item.ident)?;
                variants(item)?;
            }
            Item::Trait(item) => {
                types.add(&item.ident)?;
                trait_items(item)?;
            }
            Item::Fn(function) => {
                values.add(&function.sig.ident)?;
                arguments(&function.sig)?;
            }
            Item::Impl(item) => impl_items(item, &mut members)?,
            _ => {}
        }
    }
    types.0.iter().try_for_each(|name| imported.free(name))?;
    Ok(imported)
}

fn variants(item: &ItemEnum) -> Result<(), String> {
    let mut names = Names::default();
    item.variants.iter().try_for_each(|variant| {
        names.add(&variant.ident)?;
        fields(&variant.fields)
    })
}

fn trait_items(item: &ItemTrait) -> Result<(), String> {
    let mut names = Names::default();
    item.items.iter().try_for_each(|item| match item {
        TraitItem::Fn(function) => {
            names.add(&function.sig.ident)?;
            arguments(&function.sig)
        }
        TraitItem::Const(item) => names.add(&item.ident),
        _ => Ok(()),
    })
}

/// What several inherent `impl`s of a type hold together counts as one: those are the `members`.
fn impl_items(item: &ItemImpl, members: &mut Names) -> Result<(), String> {
    let owner = match (&item.trait_, &*item.self_ty) {
        (None, Type::Path(path)) => path.path.segments.last(),
        _ => None,
    };
    let mut names = Names::default();
    item.items.iter().try_for_each(|item| {
        let name = match item {
            ImplItem::Fn(function) => {
                arguments(&function.sig)?;
                &function.sig.ident
            }
            ImplItem::Const(item) => &item.ident,
            ImplItem::Type(item) => &item.ident,
            _ => return Ok(()),
        };
        match owner {
            Some(owner) => members.add(&format!("{}::{name}", owner.ident)),
            None => names.add(name),
        }
    })
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, name: &impl ToString) -> Result<(), String> {
        let name = name.to_string();
        self.free(&name)?;
        self.0.insert(name);
        Ok(())
    }

    fn free(&self, name: &str) -> Result<(), String> {
        if self.0.contains(name) {
            Err(name.to_owned())
        } else {
            Ok(())
        }
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
