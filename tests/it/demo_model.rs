//! The model that is built in: what ships, when it is chosen, and that it says what it is.

use std::path::{Path, PathBuf};

use earmark::checkpoint::{CheckpointFile, CheckpointLimits, Dtype};
use earmark::embed::{Embedder, ModelInput};
use earmark::model::{DeviceChoice, Precision, Weights};
use earmark::model_store::{BUNDLED, ModelName, ModelSource, ModelStore};
use earmark::world::Concept;

use crate::cli::workplace::{TINY, Workplace, args, contains, json};

/// Most that it may add to the program and to the repository.
const MAX_BYTES: u64 = 8_000_000;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo/demo.safetensors")
}

fn notice() -> String {
    format!("demo model: knows about {} kinds of sound; ", Concept::all().len())
}

#[test]
fn it_is_small_and_its_weights_are_halves() {
    let bytes = std::fs::metadata(shipped()).unwrap().len();
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    let file = CheckpointFile::open(&shipped(), &CheckpointLimits::default()).unwrap();
    let mut halves = 0;
    for tensor in file.tensors() {
        let expected = match (tensor.dtype, tensor.shape.len()) {
            (Dtype::I64, _) => Dtype::I64,
            (_, 2..) => Dtype::F16,
            (_, _) => Dtype::F32,
        };
        assert_eq!(tensor.dtype, expected, "{}", tensor.name);
        halves += usize::from(expected == Dtype::F16);
    }
    assert!(halves > 20, "only {halves} tensors are halves");
}

#[test]
fn what_is_built_in_is_what_ships_and_has_all_towers() {
    let store = ModelStore::new("/nonexistent/models");
    let installed = store.verify(&ModelName::bundled()).unwrap();
    assert_eq!((installed.source.clone(), installed.path()), (ModelSource::Bundled, None));
    assert_eq!(installed.bytes, std::fs::metadata(shipped()).unwrap().len());
    let from_file = ModelSource::File(shipped()).open().unwrap();
    assert_eq!(from_file.metadata(), &installed.metadata);
    assert_eq!((installed.metadata.weights, installed.metadata.dtype), (Weights::F16, Precision::Single));

    let embedder = Embedder::from_file(ModelSource::Bundled.open().unwrap(), DeviceChoice::Cpu).unwrap();
    let words = embedder.embed_text(&[embedder.tokenize("rain").unwrap()]).unwrap();
    let heard = embedder.embed(&[ModelInput::whole(vec![0.1; 44_100])]).unwrap();
    let side = embedder.resolution() as usize;
    let seen = embedder.embed(&[ModelInput::Image(vec![0.5; 3 * side * side])]).unwrap();
    for vector in [&words[0], &heard[0], &seen[0]] {
        assert_eq!(vector.len(), 1024);
    }
}

#[test]
fn it_is_taken_if_there_is_no_other() {
    let workplace = Workplace::new();
    let embed = args!["embed", "--text", "rain"];
    let run = workplace.run(embed);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // Once, and not where the result goes.
    assert_eq!(run.stderr.matches("demo model").count(), 1, "{}", run.stderr);
    contains(&run.stderr, &[&notice(), "`earmark model pull audioclip-full` gets the real one"]);
    let vector = |stdout: &[u8]| json(std::str::from_utf8(stdout).unwrap())["embedding"].clone();
    let by_default = vector(&run.stdout);
    assert_eq!(by_default.as_array().unwrap().len(), 1024);

    // A file that happens to be called as it is changes nothing.
    let demo = args!["embed", "--text", "rain", "--model", BUNDLED];
    workplace.write("data/earmark/models/demo.safetensors", "no model");
    assert_eq!(vector(&workplace.run(embed).stdout), by_default);
    assert_eq!(vector(&workplace.run(demo).stdout), by_default);

    // Any other model is taken before it, but does not hide it.
    workplace.succeed(args!["model", "import", crate::shared(TINY), "--name", "tiny"]);
    let other = workplace.run(embed);
    assert_ne!(vector(&other.stdout), by_default);
    assert!(!other.stderr.contains("demo"), "{}", other.stderr);
    let named = workplace.run(demo);
    assert_eq!(vector(&named.stdout), by_default);
    contains(&named.stderr, &[&notice(), "`--model tiny` uses one that is installed"]);
    let configured = workplace.run_with(&[("EARMARK__MODEL__NAME", BUNDLED)], embed);
    assert_eq!(vector(&configured.stdout), by_default);
}

#[test]
fn it_is_listed_shown_and_verified_and_cannot_be_changed() {
    let workplace = Workplace::new();
    let listed = json(&workplace.succeed(args!["model", "list", "--json"]));
    assert_eq!((&listed["name"], &listed["built_in"]), (&BUNDLED.into(), &true.into()));
    assert_eq!((&listed["path"], &listed["weights"]), (&serde_json::Value::Null, &"f16".into()));
    assert_eq!(json(&workplace.succeed(args!["model", "show", BUNDLED, "--json"])), listed);
    let space = listed["space"].as_str().unwrap();
    contains(&workplace.succeed(args!["model", "list"]), &["demo", "text, image, audio", &space[..16], "built in"]);
    contains(&workplace.succeed(args!["model", "show", BUNDLED]), &["built in", "f16", space]);
    contains(&workplace.succeed(args!["model", "verify", BUNDLED]), &["verified demo: ", "demo (built in)"]);

    let refused = |args: &[std::ffi::OsString], expected: &str| contains(&workplace.fail(1, args), &[expected]);
    refused(args!["model", "remove", BUNDLED], "demo is built in: it is part of the program");
    let taken = "demo is what the built-in model is called (give this one another name with --name)";
    refused(args!["model", "import", crate::shared(TINY), "--name", BUNDLED, "--force"], taken);
    workplace.bring(TINY, "Demo.pt");
    refused(args!["model", "import", "Demo.pt"], taken);
    refused(args!["model", "pull", BUNDLED], "demo is built in: there is nothing to download");
    assert!(!workplace.models().exists());

    workplace.succeed(args!["model", "import", "Demo.pt", "--name", "mine"]);
    let both = workplace.succeed(args!["model", "list", "--json"]);
    let names: Vec<_> = both.lines().map(|line| json(line)["name"].clone()).collect();
    assert_eq!(names, ["mine", BUNDLED]);
}

#[test]
fn a_library_that_was_made_with_it_stays_with_it() {
    let workplace = Workplace::new();
    workplace.bring("media/demo/cat_1.jpg", "media/cat.jpg");
    workplace.write("config/earmark/earmark.toml", "[ingest]\nsettle_ms = 1\n");
    let first = workplace.run(args!["index", "media"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(first.stderr.matches("demo model").count(), 1, "{}", first.stderr);
    let remembered = std::fs::read_to_string(workplace.path("data/earmark/library/model.json")).unwrap();
    assert_eq!(json(&remembered), serde_json::json!({ "bundled": BUNDLED }));

    workplace.succeed(args!["model", "import", crate::shared(TINY), "--name", "tiny"]);
    let found = workplace.run(args!["search", "cat", "--json"]);
    assert_eq!(found.code, 0, "{}", found.stderr);
    let hit = json(std::str::from_utf8(&found.stdout).unwrap().lines().next().unwrap());
    assert!(hit["path"].as_str().unwrap().ends_with("cat.jpg"), "{hit}");
    contains(&found.stderr, &[&notice(), "`--model tiny`"]);
}
