//! The driver's state of an account, as the index keeps it.

use huddle_core::index::IndexError;
use huddle_core::index::repos::{self, Repo};
use huddle_firehose::{Account, Cid, Head, Hosting, Repository, Tid};
use huddle_syntax::data::CidLink;

pub(crate) fn write(account: &Account) -> Repo {
    let (rev, data) = match account.repository {
        Repository::Synced(Head { rev, data }) => (Some(rev), Some(data)),
        Repository::Desynchronized { at_least } => (at_least, None),
    };
    Repo {
        hosting: hosted(account.hosting),
        rev: rev.map_or(String::new(), |rev| rev.to_string()),
        data: data.map(|data| data.to_string()),
    }
}

pub(crate) fn read(repo: &Repo) -> Result<Account, IndexError> {
    let rev = match repo.rev.as_str() {
        "" => None,
        rev => Some(rev.parse::<Tid>().map_err(|_| unreadable(rev))?),
    };
    let repository = match (rev, &repo.data) {
        (Some(rev), Some(data)) => Repository::Synced(Head {
            rev,
            data: cid(data)?,
        }),
        (at_least, _) => Repository::Desynchronized { at_least },
    };
    let hosting = match repo.hosting {
        repos::Hosting::Active => Hosting::Active,
        repos::Hosting::Inactive => Hosting::Inactive,
        repos::Hosting::TakenDown => Hosting::TakenDown,
        repos::Hosting::Deleted => Hosting::Deleted,
    };
    Ok(Account {
        repository,
        hosting,
    })
}

/// An account of whose repository nothing is said.
pub(crate) fn unknown(hosting: Hosting) -> Repo {
    write(&Account {
        hosting,
        ..Account::new()
    })
}

fn hosted(hosting: Hosting) -> repos::Hosting {
    match hosting {
        Hosting::Active => repos::Hosting::Active,
        Hosting::Inactive => repos::Hosting::Inactive,
        Hosting::TakenDown => repos::Hosting::TakenDown,
        Hosting::Deleted => repos::Hosting::Deleted,
    }
}

fn cid(text: &str) -> Result<Cid, IndexError> {
    let link: CidLink = text.parse().map_err(|_| unreadable(text))?;
    Cid::from_bytes(link.as_bytes()).map_err(|_| unreadable(text))
}

fn unreadable(text: &str) -> IndexError {
    IndexError(format!("{text:?} is no state of a repository"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was_kept() {
        let rev: Tid = "3l3qo2vutsw2b".parse().unwrap();
        let head = Head {
            rev,
            data: Cid::of_cbor(b"\xa0"),
        };
        for hosting in [
            Hosting::Active,
            Hosting::Inactive,
            Hosting::TakenDown,
            Hosting::Deleted,
        ] {
            for repository in [
                Repository::Synced(head),
                Repository::Desynchronized { at_least: None },
                Repository::Desynchronized {
                    at_least: Some(rev),
                },
            ] {
                let account = Account {
                    repository,
                    hosting,
                };
                assert_eq!(read(&write(&account)), Ok(account));
            }
        }
    }
}
