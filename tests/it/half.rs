//! Half precision: chosen at the import, where it leaves vectors where they are.

use earmark::decode::audio::read_mono;
use earmark::decode::{AudioLimits, ImageLimits, Rotation, read_image};
use earmark::embed::{Probe, agreement};
use earmark::model::{Agreement, AudioClip, DeviceChoice, ModelError, Precision};
use earmark::model_store::{ImportOptions, ModelName, ModelStore, StoreError};
use earmark::preprocess::audio::SAMPLE_RATE_HZ;

use crate::cli::workplace::{Workplace, args, contains};
use crate::{golden, shared};

/// Recordings of each kind, and photographs for as long as there are some.
fn real_media() -> Vec<Probe> {
    let entries = |folder: &str| {
        let entries = std::fs::read_dir(shared(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = entries.collect();
        paths.sort();
        paths
    };
    let photographs: Vec<_> =
        entries("media/demo").into_iter().filter(|path| path.extension().unwrap() == "jpg").collect();
    let folders = entries("media/esc10").into_iter().filter(|path| path.is_dir());
    let probe = |(index, folder): (usize, std::path::PathBuf)| {
        let words = folder.file_name().unwrap().to_str().unwrap()[6..].to_owned();
        let mut recordings = entries(&format!("media/esc10/{}", folder.file_name().unwrap().to_str().unwrap()));
        let recording = recordings.swap_remove(index % recordings.len());
        let photograph = &photographs[index % photographs.len()];
        Probe {
            sound: read_mono(&recording, SAMPLE_RATE_HZ, &AudioLimits::default()).unwrap().samples,
            picture: read_image(photograph, &ImageLimits::default(), Rotation::Upright).unwrap().image,
            words,
        }
    };
    folders.enumerate().map(probe).collect()
}

fn named(name: &str) -> ImportOptions {
    ImportOptions { name: Some(ModelName::new(name).unwrap()), ..ImportOptions::default() }
}

#[test]
fn vectors_of_real_recordings_and_photographs_stay_where_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let model = store.import(&golden::path("tiny/audioclip_tiny.pt"), &named("tiny")).unwrap();
    match agreement(model.path().unwrap(), &real_media()) {
        Ok(agreement) => assert!(agreement.least_ppm() >= Agreement::BOUND_PPM, "{agreement}"),
        Err(ModelError::NoHalfPrecision) => eprintln!("skipped: this processor has nothing for half precision"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn half_precision_is_a_space_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let checkpoint = golden::path("tiny/audioclip_tiny.pt");
    let single = store.import(&checkpoint, &named("single")).unwrap();
    let measured = Agreement { audio_ppm: Some(999_000), image_ppm: 999_990, text_ppm: 1_000_000 };
    let options = ImportOptions {
        half: Some(|_| Ok(Agreement { audio_ppm: Some(999_000), image_ppm: 999_990, text_ppm: 1_000_000 })),
        ..named("half")
    };
    let half = store.import(&checkpoint, &options).unwrap();
    assert_eq!((half.metadata.dtype, half.metadata.half), (Precision::Half, Some(measured)));
    assert_eq!((single.metadata.dtype, single.metadata.half), (Precision::Single, None));
    assert_eq!(half.metadata.data_sha256, single.metadata.data_sha256);
    assert_ne!(half.metadata.space, single.metadata.space);
    store.verify(&half.name).unwrap();
    // Whatever this processor computes in, it is near enough.
    let vector = |model: &earmark::model_store::InstalledModel| {
        let model = AudioClip::load(model.path().unwrap(), DeviceChoice::Cpu).unwrap();
        model.embed_images(&golden::images().iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
    };
    golden::Tolerance { rel_l2: 0.05, cosine: 0.999 }.check("half", &vector(&half), &vector(&single));
    // The other precision under the same name is another model.
    assert!(matches!(store.import(&checkpoint, &named("half")), Err(StoreError::Taken { .. })));
    assert_eq!(store.import(&checkpoint, &options).unwrap().metadata, half.metadata);
}

#[test]
fn half_precision_that_takes_too_much_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = ModelStore::new(directory.path());
    let refused = |measure| {
        let options = ImportOptions { half: Some(measure), ..named("half") };
        let error = store.import(&golden::path("tiny/audioclip_tiny.pt"), &options).unwrap_err();
        assert_eq!(store.names().unwrap(), []);
        error.to_string()
    };
    let coarse = refused(|_| Ok(Agreement { audio_ppm: None, image_ppm: 998_999, text_ppm: 1_000_000 }));
    contains(&coarse, &["pictures 0.998999, prompts 1.000000", "at least 0.999 is needed", "without --precision half"]);
    contains(&refused(|_| Err(ModelError::NoHalfPrecision)), &["audioclip_tiny.pt", "AVX-512 BF16"]);
}

#[test]
fn the_command_line_measures_before_it_imports() {
    let workplace = Workplace::new();
    let run = workplace.run(args![
        "model",
        "import",
        golden::path("tiny/audioclip_tiny.pt"),
        "--name",
        "half",
        "--precision",
        "half"
    ]);
    if run.code == 0 {
        contains(
            str::from_utf8(&run.stdout).unwrap(),
            &["installed half", "in half precision; least cosines to f32: sounds 0.99"],
        );
        contains(&workplace.succeed(args!["model", "show", "half"]), &["half precision", "pictures 0.99"]);
    } else {
        contains(&run.stderr, &["half precision needs AVX-512 BF16"]);
    }
}
