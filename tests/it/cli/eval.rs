//! `earmark eval` on miniature datasets.

use earmark::world::Concept;
use serde_json::json;

use super::workplace::{Workplace, args, contains, json as parse};

const DOG: &str = "media/esc10/001 - Dog bark/1-100032-A.ogg";
const RAIN: &str = "media/esc10/002 - Rain/1-17367-A.ogg";

#[test]
fn folders_of_classes_with_folds_and_a_broken_clip() {
    let workplace = Workplace::with_model();
    workplace.bring(DOG, "set/001 - Dog bark/1-a.ogg");
    workplace.bring(DOG, "set/001 - Dog bark/2-a.ogg");
    workplace.bring(RAIN, "set/002 - Rain/1-a.ogg");
    let all = parse(&workplace.succeed(args!["eval", "folders", "--root", "set", "--json"]));
    assert_eq!((&all["n"], &all["failed"]), (&json!(3), &json!(0)));
    assert_eq!(all["classes"], json!(["Dog bark", "Rain"]));
    assert_eq!((&all["per_class"]["Dog bark"]["n"], &all["per_class"]["Rain"]["n"]), (&json!(2), &json!(1)));
    let correct = |class: &str| all["per_class"][class]["correct"].as_u64().unwrap();
    let top1 = (correct("Dog bark") + correct("Rain")) as f64 / 3.0;
    assert_eq!(all["top1"].as_f64().unwrap(), top1);

    let none = workplace.fail(1, args!["eval", "folders", "--root", "set", "--folds", "7"]);
    contains(&none, &["error: set: no clips in the given folds"]);

    workplace.write("set/002 - Rain/3-broken.ogg", "OggS and no more");
    let run = workplace.run(args!["eval", "folders", "--root", "set", "--folds", "2,3", "--json"]);
    contains(&run.stderr, &["error: set/002 - Rain/3-broken.ogg: "]);
    let counted = parse(&String::from_utf8(run.stdout).unwrap());
    assert_eq!((run.code, &counted["failed"], &counted["n"]), (1, &json!(1), &json!(1)));
    assert_eq!(counted["per_class"].as_object().unwrap().len(), 1);
    let run = workplace.run(args!["eval", "folders", "--root", "set", "--folds", "2,3"]);
    assert_eq!(run.code, 1);
    let table = String::from_utf8(run.stdout).unwrap();
    contains(&table, &["CLASS", "Dog bark", "of 1 clips", "could not be embedded: 1"]);
}

#[test]
fn the_layouts_of_esc50_and_urbansound8k() {
    let workplace = Workplace::with_model();
    let table =
        "filename,fold,target,category,esc10,src_file,take\n1-a.ogg,1,0,dog,True,1,A\n2-b.ogg,2,10,rain,True,2,A\n";
    workplace.write("esc/meta/esc50.csv", table);
    workplace.bring(DOG, "esc/audio/1-a.ogg");
    workplace.bring(RAIN, "esc/audio/2-b.ogg");
    let esc = parse(&workplace.succeed(args!["eval", "esc50", "--root", "esc", "--json"]));
    assert_eq!((&esc["n"], &esc["classes"]), (&json!(2), &json!(["dog", "rain"])));
    assert_eq!(esc["published_top1"], 0.694);
    contains(&workplace.succeed(args!["eval", "esc50", "--root", "esc", "--folds", "1"]), &["of 1 clips", "69.40 %"]);

    let table = "slice_file_name,fsID,start,end,salience,fold,classID,class\na.ogg,1,0,4,1,3,3,dog_bark\n";
    workplace.write("urban/metadata/UrbanSound8K.csv", table);
    workplace.bring(DOG, "urban/audio/fold3/a.ogg");
    let urban = parse(&workplace.succeed(args!["eval", "us8k", "--root", "urban", "--json"]));
    assert_eq!((&urban["n"], &urban["classes"]), (&json!(1), &json!(["dog bark"])));
}

#[test]
fn what_is_no_dataset_is_said_before_a_model_is_needed() {
    let workplace = Workplace::new();
    workplace.write("set/readme.txt", "");
    let check = |args: &[std::ffi::OsString], expected: &[&str]| {
        let stderr = workplace.fail(1, args);
        contains(&stderr, expected);
        assert!(stderr.matches("No such file").count() <= 1, "{stderr}");
    };
    check(args!["eval", "folders", "--root", "set"], &["error: set: no clips"]);
    check(args!["eval", "folders", "--root", "none"], &["error: none: ", "a directory of classes"]);
    check(args!["eval", "esc50", "--root", "set"], &["error: set/meta/esc50.csv: ", "--root"]);
    check(args!["eval", "us8k", "--root", "set"], &["error: set/metadata/UrbanSound8K.csv: ", "--root"]);
}

#[test]
fn the_world_is_measured_and_measured_alike() {
    let workplace = Workplace::with_model();
    let names: Vec<&str> = Concept::all().iter().map(Concept::name).take(2).collect();
    let only = names.join(",");
    let run = |seed: &str| {
        let few = args!["eval", "world", "--per-concept", "5", "--concepts", only, "--seed", seed, "--json"];
        parse(&workplace.succeed(few))
    };
    let figures = run("3");
    assert_eq!((&figures["concepts"], &figures["sounds"], &figures["pictures"]), (&json!(2), &json!(10), &json!(10)));
    assert_eq!((&figures["failed"], &figures["seed"]), (&json!(0), &json!(3)));
    for figure in
        ["text_to_audio_p5", "audio_to_text_top1", "audio_to_image_p5", "image_to_audio_p5", "paraphrase_to_audio_p5"]
    {
        let of = |name: &str| figures["per_concept"][name][figure].as_f64().unwrap();
        let overall = figures[figure].as_f64().unwrap();
        assert!(
            (0.0..=1.0).contains(&overall) && (of(names[0]) + of(names[1]) - 2.0 * overall).abs() < 1e-9,
            "{figure}"
        );
    }
    assert_eq!(run("3"), figures);
    let table = workplace.succeed(args!["eval", "world", "--per-concept", "5", "--concepts", only]);
    contains(&table, &["CONCEPT", "TEXT→AUDIO", names[0], names[1], "all", "10 sounds and 10 pictures of 2 concepts"]);
    let error = workplace.fail(1, args!["eval", "world", "--concepts", "nonsense"]);
    contains(&error, &["no concept \"nonsense\", expected ", names[0]]);
    contains(&workplace.fail(2, args!["eval", "world", "--per-concept", "4"]), &["4 is not in"]);
    contains(&workplace.fail(2, args!["eval", "world", "--folds", "1"]), &["--sounds"]);
}

#[test]
fn the_world_is_measured_on_recordings() {
    let workplace = Workplace::with_model();
    workplace.bring(DOG, "set/001 - Dog bark/1-a.ogg");
    workplace.bring(RAIN, "set/002 - Rain/1-a.ogg");
    workplace.bring(RAIN, "set/002 - Rain/2-a.ogg");
    workplace.bring(RAIN, "set/003 - Nonsense/1-a.ogg");
    let measured = args!["eval", "world", "--sounds", "set", "--per-concept", "5", "--json"];
    let run = workplace.run(measured);
    assert_eq!(run.code, 0, "{}", run.stderr);
    contains(&run.stderr, &["set: left out, because the world has no \"Nonsense\""]);
    let figures = parse(&String::from_utf8(run.stdout).unwrap());
    assert_eq!((&figures["concepts"], &figures["sounds"], &figures["pictures"]), (&json!(2), &json!(3), &json!(10)));
    // Three sounds are all there are, so that whatever is asked for, its share is known.
    assert!((figures["per_concept"]["rain"]["text_to_audio_p5"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);

    workplace.write("set/002 - Rain/2-broken.ogg", "OggS and no more");
    let fold = args!["eval", "world", "--sounds", "set", "--folds", "2", "--per-concept", "5", "--json"];
    let run = workplace.run(fold);
    contains(&run.stderr, &["error: set/002 - Rain/2-broken.ogg: "]);
    let figures = parse(&String::from_utf8(run.stdout).unwrap());
    assert_eq!((run.code, &figures["sounds"], &figures["failed"]), (1, &json!(1), &json!(1)));
    assert_eq!((&figures["concepts"], &figures["audio_to_text_top1"]), (&json!(1), &json!(1.0)));

    let missing = workplace.fail(1, args!["eval", "world", "--sounds", "none"]);
    contains(&missing, &["error: none: ", "a directory of classes"]);
    workplace.bring(RAIN, "odd/Nonsense/1-a.ogg");
    let odd = workplace.fail(1, args!["eval", "world", "--sounds", "odd"]);
    contains(&odd, &["odd: no recordings of anything that the world has"]);
}
