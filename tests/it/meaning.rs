//! What the built-in model means: recordings that it was not trained on are found by words and by pictures.

use std::ffi::OsString;
use std::fs;

use earmark::world::{Concept, Dice};

use crate::cli::workplace::{Workplace, args, json};

const ESC10: &str = "media/esc10";

/// Recordings of fold 4, which the training did not have, each in a folder of its class.
fn bring_fold_4(workplace: &Workplace) {
    let classes = fs::read_dir(crate::shared(ESC10)).unwrap().map(|entry| entry.unwrap().path());
    for class in classes.filter(|path| path.is_dir()) {
        let name = class.file_name().unwrap().to_str().unwrap().to_owned();
        for recording in fs::read_dir(&class).unwrap() {
            let file = recording.unwrap().file_name().into_string().unwrap();
            if file.starts_with("4-") {
                workplace.bring(&format!("{ESC10}/{name}/{file}"), &format!("media/{name}/{file}"));
            }
        }
    }
}

/// The folders of the first three hits.
fn found(workplace: &Workplace, query: &[OsString]) -> Vec<String> {
    let lines = workplace.succeed(&[query, args!["-k", "3", "--json"]].concat());
    let folder = |line: &str| json(line)["path"].as_str().unwrap().rsplit('/').nth(1).unwrap().to_owned();
    lines.lines().map(folder).collect()
}

#[test]
fn recordings_are_found_by_words_and_by_pictures() {
    let workplace = Workplace::new();
    bring_fold_4(&workplace);
    workplace.succeed(args!["index", "media"]);
    for (words, class) in [
        ("rain", "002 - Rain"),
        ("a dog barking", "001 - Dog bark"),
        ("waves on a beach", "003 - Sea waves"),
        ("somebody sneezes", "006 - Person sneeze"),
        ("crackling campfire", "010 - Fire crackling"),
        ("the rooster crows", "009 - Rooster"),
    ] {
        assert_eq!(found(&workplace, args!["search", words]), [class; 3], "{words}");
    }
    for (name, class) in [("chainsaw", "008 - Chainsaw"), ("helicopter", "007 - Helicopter")] {
        let picture = Concept::named(name).unwrap().picture(256, &mut Dice::new(1 << 41));
        let path = workplace.path(&format!("{name}.png"));
        let mut encoder = png::Encoder::new(fs::File::create(&path).unwrap(), picture.width, picture.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&picture.pixels).unwrap();
        assert_eq!(found(&workplace, args!["search", "--image", path]), [class; 3], "{name}");
    }
}

/// What `earmark eval world` measures, in the order of the bars.
const FIGURES: [&str; 5] =
    ["text_to_audio_p5", "audio_to_text_top1", "audio_to_image_p5", "image_to_audio_p5", "paraphrase_to_audio_p5"];

fn check(options: &[OsString], bars: [f64; 5]) {
    let figures = json(&Workplace::new().succeed(&[args!["eval", "world", "--json"], options].concat()));
    for (name, bar) in FIGURES.into_iter().zip(bars) {
        assert!(figures[name].as_f64().unwrap() >= bar, "{name} is {}, asked is {bar}", figures[name]);
    }
}

#[test]
fn the_world_is_known() {
    check(args!["--per-concept", "5", "--seed", "77"], [0.9, 0.9, 0.8, 0.8, 0.75]);
}

#[test]
fn recordings_that_were_held_out_are_known() {
    check(args!["--sounds", crate::shared(ESC10), "--folds", "4"], [0.8, 0.75, 0.65, 0.65, 0.65]);
}
