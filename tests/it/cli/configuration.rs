//! Which model and which settings apply.

use super::workplace::{Workplace, args, contains};

#[test]
fn a_mistake_in_the_configuration_is_named_with_its_place() {
    let workplace = Workplace::new();
    let check = |content: &str, expected: &[&str]| {
        workplace.write("my.toml", content);
        contains(&workplace.fail(1, args!["--config", "my.toml", "model", "list"]), expected);
        // The user's own file is held to the same.
        workplace.write("config/earmark/earmark.toml", content);
        contains(&workplace.fail(1, args!["model", "list"]), expected);
    };
    check("[model]\nnam = 'x'\n", &["error: ", "toml: unknown key model.nam, did you mean model.name?"]);
    check("[model]\nname = 3\n", &["model.name is of type integer, expected string"]);
    check("[model\n", &["toml: ", "line 1"]);
    let missing = workplace.fail(1, args!["--config", "none.toml", "model", "list"]);
    assert_eq!(missing.trim_end(), "error: none.toml: cannot be read: No such file or directory (os error 2)");
}

#[test]
fn the_model_is_chosen_by_name_or_by_being_the_only_one() {
    let workplace = Workplace::new();
    let embed = args!["embed", "--text", "a"];
    let without = workplace.run(embed);
    assert_eq!(without.code, 0);
    contains(&without.stderr, &["demo model: ", "`earmark model pull audioclip-full`"]);

    workplace.succeed(args!["model", "import", crate::shared(super::workplace::TINY), "--name", "one"]);
    assert!(!workplace.run(embed).stderr.contains("demo"));
    std::fs::hard_link(workplace.models().join("one.safetensors"), workplace.models().join("two.safetensors")).unwrap();
    contains(&workplace.fail(1, embed), &["several models are installed", "--model", "one, two; built in: demo"]);

    let named = |name: &str| workplace.run_with(&[("EARMARK__MODEL__NAME", name)], embed);
    assert_eq!(named("two").code, 0);
    contains(&named("three").stderr, &["error: no model three is installed (installed: one, two; built in: demo)"]);
    let overridden = args!["embed", "--text", "a", "--model", "one"];
    assert_eq!(workplace.run_with(&[("EARMARK__MODEL__NAME", "three")], overridden).code, 0);
    let unknown = workplace.run_with(&[("EARMARK__MODEL__NAM", "x")], embed);
    assert_eq!(unknown.code, 1);
    contains(&unknown.stderr, &["EARMARK__MODEL__NAM: unknown key model.nam, did you mean model.name?"]);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_none_of_our_business() {
    use std::os::unix::ffi::OsStrExt as _;

    let workplace = Workplace::new();
    let mut command = workplace.command(args!["model", "list"]);
    let output = command.env("SOMETHING", std::ffi::OsStr::from_bytes(b"\xff")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
