//! The demo: its library is made the same every time, and its tour tells whether it kept its promises.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use earmark::demo::{Ask, Content, Plan, Progress, Promise, TOUR, make};
use earmark::media::MediaKind;
use earmark::world::Concept;

use crate::cli::workplace::{Run, Workplace, args, contains, json};

/// A few files of everything, the long recording among them.
fn small_plan() -> Plan {
    Plan::new(&Concept::all(), 9, 8)
}

/// Every file below a directory, by its name, with its content.
fn content(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let plan = small_plan();
    plan.files.into_iter().map(|file| (file.path.clone(), fs::read(directory.join(&file.path)).unwrap())).collect()
}

#[test]
fn the_library_is_the_same_every_time() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made = make(&small_plan(), first.path(), &Progress::default()).unwrap();
    assert_eq!((made.files.len(), made.reused), (17, 0));
    assert_eq!(made.directory, first.path().canonicalize().unwrap().join("library"));
    make(&small_plan(), second.path(), &Progress::default()).unwrap();
    let whole = content(&first.path().join("library"));
    assert_eq!(whole, content(&second.path().join("library")));
    let manifest = json(&fs::read_to_string(first.path().join("library.json")).unwrap());
    assert_eq!(manifest["files"].as_array().unwrap().len(), 17);

    // What is missing or changed is made again, and nothing else.
    let library = first.path().join("library");
    let names: Vec<&String> = whole.keys().collect();
    fs::remove_file(library.join(names[3])).unwrap();
    fs::write(library.join(names[5]), b"not that").unwrap();
    let again = make(&small_plan(), first.path(), &Progress::default()).unwrap();
    assert_eq!(again.reused, 15);
    assert_eq!(whole, content(&library));
}

#[test]
fn the_whole_plan_has_everything_that_the_tour_asks_for() {
    let plan = Plan::whole();
    assert_eq!(plan.counts(), BTreeMap::from([(MediaKind::Audio, 200), (MediaKind::Image, 120)]));
    let of = |kind| {
        let files = plan.files.iter().filter(move |file| file.content.kind() == kind);
        files.filter_map(|file| match &file.content {
            Content::Sound { concept, .. } | Content::Picture { concept, .. } => Some(concept.name()),
            Content::Recording(_) => None,
        })
    };
    let count = |kind, names: &[&str]| of(kind).filter(|name| names.contains(name)).count();
    for step in &TOUR {
        for ask in step.asks {
            match ask {
                Ask::Sound(name) => assert!(count(MediaKind::Audio, &[name]) > 0, "{name}"),
                Ask::Picture(name) => assert!(count(MediaKind::Image, &[name]) > 0, "{name}"),
                Ask::Words(_) | Ask::Not(_) => {}
            }
        }
        if let Promise::First { hits, of: names, .. } = step.promise {
            assert!(hits <= step.limit as usize, "{}", step.title);
            assert!(count(step.kind.unwrap_or(MediaKind::Audio), names) >= hits, "{}", step.title);
        }
    }
    let concepts: BTreeSet<&str> = Concept::all().iter().map(Concept::name).collect();
    assert_eq!(of(MediaKind::Audio).collect::<BTreeSet<_>>(), concepts);
    assert_eq!(of(MediaKind::Image).collect::<BTreeSet<_>>(), concepts);
}

/// A tour as an object, after a look at all that does not depend on the model.
fn tour(workplace: &Workplace, run: &Run) -> serde_json::Value {
    let object = json(std::str::from_utf8(&run.stdout).unwrap());
    assert_eq!((&object["files"]["sounds"], &object["files"]["pictures"]), (&200.into(), &120.into()));
    let at = |name: &str| object[name].as_f64().unwrap();
    assert!(at("made_s") < at("first_answer_s") && at("first_answer_s") < at("total_s"), "{object}");
    assert!(object["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    let steps = object["steps"].as_array().unwrap();
    assert_eq!(steps.len(), TOUR.len());
    for (step, told) in TOUR.iter().zip(steps) {
        assert_eq!(told["expectation"], step.promise.to_string());
        let hits = told["hits"].as_array().unwrap();
        assert!(!hits.is_empty() && hits.len() <= step.limit as usize, "{told}");
        for hit in hits {
            let path = Path::new(hit["path"].as_str().unwrap());
            assert!(path.starts_with(workplace.path("tour/library").canonicalize().unwrap()), "{hit}");
            assert!(hit["score"].is_number() && hit["start_s"].is_number() && hit["end_s"].is_number(), "{hit}");
            assert!(hit["concept"].is_string() || path.to_string_lossy().contains("Field recordings"), "{hit}");
        }
    }
    object
}

#[test]
fn the_tour_finds_what_it_promises() {
    let workplace = Workplace::new();
    let run = workplace.run(args!["demo", "--once", "--json", "--dir", "tour"]);
    let object = tour(&workplace, &run);
    assert_eq!((run.code, &object["found"], &object["model"]), (0, &true.into(), &"demo".into()), "{object:#}");
    let asked = |query: &str| object["steps"].as_array().unwrap().iter().find(|step| step["query"] == query).unwrap();
    let thunder = &asked("thunder --in sounds --min-duration 60 -k 1")["hits"][0];
    assert!((90.0..=98.0).contains(&thunder["start_s"].as_f64().unwrap()), "{thunder}");

    // The library stays, can be searched, and is used again.
    let data = workplace.path("tour/data");
    let status = json(&workplace.succeed(args!["status", "--json", "--data-dir", data]));
    assert_eq!(
        (&status["files_indexed"], &status["files_failed"], &status["daemon"]),
        (&320.into(), &0.into(), &serde_json::Value::Null)
    );
    let again = workplace.run(args!["demo", "--once", "--dir", "tour"]);
    let text = String::from_utf8(again.stdout).unwrap();
    contains(
        &text,
        &["found 200 sounds and 120 pictures", "$ earmark search \"crackling fire\" --in sounds -k 5", "✓"],
    );
    assert_eq!((again.code, text.contains('✗')), (0, false), "{text}");
}

#[test]
fn a_model_that_knows_nothing_keeps_no_promise_and_the_exit_code_says_so() {
    let workplace = Workplace::with_model();
    let run = workplace.run(args!["demo", "--once", "--json", "--dir", "tour", "--model", "tiny"]);
    let object = tour(&workplace, &run);
    assert_eq!((run.code, &object["found"], &object["model"]), (1, &false.into(), &"tiny".into()), "{}", run.stderr);
    let steps = object["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["found"] == false) && steps.iter().any(|step| step["found"] == true));
}
