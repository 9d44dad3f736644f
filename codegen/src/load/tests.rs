use super::{MAX_FILE_BYTES, load, read};
use std::fs;
use std::path::Path;

fn lexicon(id: &str) -> String {
    format!(r#"{{"lexicon": 1, "id": "{id}", "defs": {{"main": {{"type": "token"}}}}}}"#)
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What is wrong with a folder, with its own path left out.
fn problems(root: &Path) -> String {
    let error = load(root).unwrap_err().to_string();
    error.replace(&format!("{}/", root.display()), "")
}

#[test]
fn every_json_file_of_a_folder_is_a_lexicon() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lexicons");
    put(&root, "com/example/b.json", &lexicon("com.example.b"));
    put(&root, "a.json", &lexicon("com.example.a"));
    put(&root, "com/example/README.md", "no lexicon");
    put(&root, ".git/config.json", "no lexicon");
    put(&root, ".hidden.json", "no lexicon");
    let catalog = load(&root).unwrap();
    let found: Vec<_> = catalog
        .documents()
        .map(|d| (d.id.as_str(), d.source.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("com.example.a", "lexicons/a.json"),
            ("com.example.b", "lexicons/com/example/b.json")
        ]
    );
}

#[test]
fn a_file_can_be_loaded_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lexicons");
    put(&root, "com/example/b.json", &lexicon("com.example.b"));
    let file = root.join("com/example/b.json");
    let catalog = load(&file).unwrap();
    let found: Vec<_> = catalog
        .documents()
        .map(|d| (d.file.clone(), d.source.as_str()))
        .collect();
    assert_eq!(found, [(file, "example/b.json")]);
}

#[test]
fn the_source_is_the_same_however_the_folder_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lexicons");
    put(&root, "a.json", &lexicon("com.example.a"));
    fs::create_dir(root.join("com")).unwrap();
    for written in [".", "../lexicons", "", "com/.."].map(|end| root.join(end)) {
        let catalog = load(&written).unwrap();
        assert_eq!(
            catalog.documents().next().unwrap().source,
            "lexicons/a.json"
        );
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "b.json", "{}");
    put(root, "a.json", "nonsense");
    put(root, "c/one.json", &lexicon("com.example.twin"));
    put(root, "c/two.json", &lexicon("com.example.twin"));
    assert_eq!(
        problems(root),
        "a.json: line 1, column 2: [schema-json-parse] expected ident\n\
         b.json: [lexicon-schema] the key `lexicon` is missing\n\
         c/two.json: id: [duplicate-nsid] com.example.twin is defined in c/one.json already"
    );
    let loaded = read(root).unwrap();
    assert_eq!((loaded.catalog.len(), loaded.problems.len()), (1, 3));
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert!(
        load(&root.join("nowhere"))
            .unwrap_err()
            .to_string()
            .contains("nowhere: ")
    );

    put(
        root,
        "huge.json",
        &" ".repeat(usize::try_from(MAX_FILE_BYTES).unwrap() + 1),
    );
    assert_eq!(
        problems(root),
        format!("cannot read huge.json: it has more than {MAX_FILE_BYTES} bytes")
    );
}

#[cfg(unix)]
#[test]
fn a_name_that_would_break_the_line_of_a_generated_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "com/a\nfn b() {}.json", &lexicon("com.example.a"));
    put(root, "com\u{202e}/b.json", &lexicon("com.example.b"));
    put(root, "com/naïve name.json", &lexicon("com.example.c"));
    let said = problems(root);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with(r"com/a\nfn b() {}.json: [lexicon-schema] generated files name"));
    assert!(lines[1].starts_with(r"com\u{202e}/b.json: [lexicon-schema] generated files name"));

    let gone = load(&root.join("a\nb")).unwrap_err().to_string();
    assert!(gone.contains(r"a\nb: "), "{gone}");
}

#[cfg(unix)]
#[test]
fn the_source_has_the_name_of_a_link_and_not_of_what_it_leads_to() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "checkout-7f3a/a.json",
        &lexicon("com.example.a"),
    );
    let link = folder.path().join("lexicons");
    std::os::unix::fs::symlink("checkout-7f3a", &link).unwrap();
    for written in [link.clone(), link.join("."), link.join("a.json")] {
        let catalog = load(&written).unwrap();
        let source = &catalog.documents().next().unwrap().source;
        assert_eq!(source, "lexicons/a.json", "{}", written.display());
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lexicons");
    let elsewhere = folder.path().join("elsewhere");
    put(&elsewhere, "a.json", &lexicon("com.example.a"));
    fs::create_dir_all(&root).unwrap();
    symlink(&elsewhere, root.join("linked")).unwrap();
    assert_eq!(load(&root).unwrap().len(), 1);

    symlink(root.join("gone.json"), root.join("dangling.json")).unwrap();
    assert!(problems(&root).starts_with("cannot read dangling.json: "));
    fs::remove_file(root.join("dangling.json")).unwrap();

    symlink(&root, root.join("circle")).unwrap();
    symlink(&root, elsewhere.join("circle")).unwrap();
    symlink(&elsewhere, root.join("linked twice")).unwrap();
    assert_eq!(load(&root).unwrap().len(), 1);
}
