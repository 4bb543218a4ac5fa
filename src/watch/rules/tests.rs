//! Globs against paths.

use super::*;

fn rules(include: &[&str], exclude: &[&str], hidden: bool) -> Rules {
    let texts = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect::<Vec<_>>();
    let root = RootRules { include: texts(include), exclude: texts(exclude), ..RootRules::default() };
    Rules::new(&root, &texts(&["@eaDir", "*.tmp"]), hidden).unwrap()
}

fn path(bytes: impl AsRef<[u8]>) -> RelativePath {
    RelativePath::from_bytes(bytes.as_ref()).unwrap()
}

#[test]
fn an_excluded_folder_excludes_all_below() {
    let check = |exclude: &str, file: &str, counts: bool| {
        assert_eq!(rules(&[], &[exclude], false).counts(&path(file)), counts, "{file} with {exclude} excluded");
    };
    check("old", "a/old/b/c.wav", false);
    check("old", "a/old", false);
    check("old", "a/older/c.wav", true);
    check("OLD", "a/old/c.wav", false);
    check("old/", "a/old/c.wav", false);
    check("old/", "a/old", true);
    check("/old", "old/c.wav", false);
    check("/old", "a/old/c.wav", true);
    check("a/old", "a/old/c.wav", false);
    check("a/old", "b/a/old/c.wav", true);
    check("a/*", "a/c.wav", false);
    check("a/*/x", "a/b/x/c.wav", false);
    check("a/*/x", "a/b/c/x/d.wav", true);
    check("a/**/x", "a/b/c/x/d.wav", false);
    check("**/x", "x/c.wav", false);
    check("*.wav", "a/b/C.WAV", false);
    check("take?.wav", "take1.wav", false);
    check("take?.wav", "take10.wav", true);
    check("*.{mp3,ogg}", "a/b.ogg", false);
    check("[ab].wav", "a.wav", false);
    check("\\!a.wav", "!a.wav", false);
    check("nothing", "a/b.tmp", false);
    check("nothing", "a/@EADIR/b.wav", false);
}

#[test]
fn everything_below_a_folder_is_the_folder() {
    let rules = rules(&[], &["a/old/**"], false);
    assert!(!rules.enters(&path("a/old")));
    assert!(rules.enters(&path("a")));
    assert!(rules.counts(&path("a/old")), "a file of that name is not below a folder of that name");
}

#[test]
fn included_are_files_and_all_of_a_folder() {
    let check = |include: &[&str], file: &str, counts: bool| {
        let rules = rules(include, &["no"], false);
        assert_eq!(rules.counts(&path(file)), counts, "{file} with {include:?} included");
    };
    check(&["*.wav"], "a/b.wav", true);
    check(&["*.wav"], "a/b.mp3", false);
    check(&["*.wav", "*.mp3"], "a/b.mp3", true);
    check(&["sounds"], "sounds/a/b.mp3", true);
    check(&["sounds/"], "x/sounds/b.mp3", true);
    check(&["sounds/"], "x/sounds", false);
    check(&["sounds/**"], "sounds/a/b.mp3", true);
    check(&["*.wav"], "no/b.wav", false);
    assert!(rules(&["*.wav"], &[], false).enters(&path("a/b")), "globs for files keep no folder out");
}

#[test]
fn hidden_is_what_has_a_name_with_a_dot_in_front() {
    let check = |file: &str, expected: [bool; 2]| {
        let counts = [false, true].map(|hidden| rules(&[], &[], hidden).counts(&path(file)));
        assert_eq!(counts, expected, "{file} without and with hidden files");
    };
    check(".a.wav", [false, true]);
    check("a/.git/b.wav", [false, true]);
    check("a/b.wav", [true, true]);
    check("a./..b/c.wav", [false, true]);
}

#[test]
fn the_root_is_always_entered() {
    assert!(rules(&[], &["*", "**"], false).enters(&RelativePath::root()));
    assert!(!rules(&[], &["*"], false).enters(&path("a")));
}

#[cfg(unix)]
#[test]
fn names_need_not_be_unicode() {
    assert!(!rules(&[], &["*.wav"], false).counts(&path(b"a\xff/b\xfe.WAV")));
    assert!(rules(&["*.wav"], &[], false).counts(&path(b"a\xff/b\xfe.wav")));
    assert!(!rules(&[], &["b?"], false).counts(&path(b"b\xfe")));
    assert!(!rules(&[], &["gerä?sch"], false).counts(&path("geräusch")));
}

#[test]
fn a_glob_without_meaning_is_refused() {
    let check = |glob: &str, reason: &str| {
        let root = RootRules { exclude: vec![glob.to_owned()], ..RootRules::default() };
        let error = Rules::new(&root, &[], false).unwrap_err();
        assert_eq!(error.glob, glob);
        assert!(error.reason.contains(reason), "{error}");
    };
    check("[a", "unclosed");
    check("{a", "unclosed");
    check("", "expected names");
    check("/", "expected names");
    check("//a", "expected names");
    check("a//", "expected names");
    check("../a", "below the root");
    check("!a", "not supported");
}
