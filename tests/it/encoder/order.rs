//! Who is served when: queries before files, in batches, and within bounds.

use std::sync::mpsc;
use std::time::Duration;

use earmark::engine::encoder::{Encoder, EncoderError, EncoderOptions};
use earmark::engine::model::EmbeddingModel;
use earmark::media::{MediaKind, RgbImage};

use super::{begin, picture, runtime, sound, submit};
use crate::stub_model::{self, Call, Probe, StubModel, vector_of, vector_of_text};

const AUDIO: MediaKind = MediaKind::Audio;
const IMAGE: MediaKind = MediaKind::Image;

/// An encoder whose model is held up in its first call, with one input of a file.
fn held_up(probe: &Probe, options: EncoderOptions) -> Encoder {
    let encoder = stub_model::encoder(probe, options);
    probe.close_gate();
    submit(&encoder, sound(0));
    probe.wait_for_calls(1);
    encoder
}

#[test]
fn vectors_are_those_of_their_inputs() {
    let probe = Probe::default();
    let encoder = stub_model::encoder(&probe, stub_model::options());
    assert_eq!((encoder.facts().name.as_str(), encoder.facts().space.clone()), ("stub", stub_model::space()));
    let pending: Vec<_> = (0..50).map(|mark| submit(&encoder, sound(mark))).collect();
    for (mark, pending) in (0..).zip(pending) {
        assert_eq!(pending.wait(), Ok(vector_of(&sound(mark))));
    }
    let runtime = runtime();
    let texts = runtime.block_on(encoder.text(vec!["a dog".into(), "rain".into()])).unwrap();
    let vectors: Vec<_> = texts.into_iter().map(|text| text.vector).collect();
    assert_eq!(vectors, [vector_of_text("a dog"), vector_of_text("rain")]);
    let media = runtime.block_on(encoder.query(vec![sound(1), picture(1)])).unwrap();
    assert_eq!(media, [vector_of(&sound(1)), vector_of(&picture(1))]);
    let image = RgbImage { width: 1, height: 1, pixels: vec![1, 2, 3] };
    assert_eq!(encoder.image_input(&image), (encoder.image_preparation())(&image));
    assert_eq!(runtime.block_on(encoder.text(Vec::new())), Ok(Vec::new()));
    assert_eq!(runtime.block_on(encoder.query(Vec::new())), Ok(Vec::new()));
    // Queries are no files.
    assert_eq!(encoder.embedded(), 50);
}

#[test]
fn a_query_waits_for_one_batch_at_most() {
    let (probe, runtime) = (Probe::default(), runtime());
    let encoder = held_up(&probe, EncoderOptions { batch_inputs: 2, ..stub_model::options() });
    let files: Vec<_> = (1..7).map(|mark| submit(&encoder, sound(mark))).collect();
    let ask = |prompt: &str| {
        let (encoder, prompt) = (encoder.clone(), prompt.to_owned());
        begin(&runtime, async move { encoder.text(vec![prompt]).await })
    };
    let media = encoder.clone();
    let queries = [ask("a"), ask("b")];
    let media = begin(&runtime, async move { media.query(vec![sound(100)]).await });
    probe.open_gate();
    for query in queries {
        assert_eq!(runtime.block_on(query).unwrap().unwrap().len(), 1);
    }
    assert_eq!(runtime.block_on(media).unwrap(), Ok(vec![vector_of(&sound(100))]));
    files.into_iter().for_each(|file| assert!(file.wait().is_ok()));
    let expected = [
        Call::Inputs(AUDIO, 1),
        Call::Prompts(vec!["a".into(), "b".into()]),
        Call::Inputs(AUDIO, 1),
        Call::Inputs(AUDIO, 2),
        Call::Inputs(AUDIO, 2),
        Call::Inputs(AUDIO, 2),
    ];
    assert_eq!(probe.calls(), expected);
}

#[test]
fn long_queries_give_others_their_turn() {
    let (probe, runtime) = (Probe::default(), runtime());
    let encoder = held_up(&probe, stub_model::options());
    let many: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let (one, other) = (encoder.clone(), encoder.clone());
    let prompts = many.clone();
    let long = begin(&runtime, async move { one.text(prompts).await });
    let short = begin(&runtime, async move { other.text(vec!["short".into()]).await });
    probe.open_gate();
    let texts = runtime.block_on(long).unwrap().unwrap();
    let expected: Vec<_> = many.iter().map(|prompt| vector_of_text(prompt)).collect();
    assert!(texts.into_iter().map(|text| text.vector).eq(expected));
    assert_eq!(runtime.block_on(short).unwrap().unwrap().len(), 1);
    // The last eight of the long one fill up no batch, and by then the short one is done.
    let prompts = |call: &Call| match call {
        Call::Prompts(prompts) => prompts.len(),
        Call::Inputs(..) => 0,
    };
    assert_eq!(probe.calls().iter().map(prompts).collect::<Vec<_>>(), [0, 16, 1, 16, 8]);
}

#[test]
fn files_are_embedded_together_by_kind() {
    let probe = Probe::default();
    let encoder = held_up(&probe, stub_model::options());
    let kinds = [true, false, true, true, false, true, true, false, true];
    let files: Vec<_> = (1..)
        .zip(kinds)
        .map(|(mark, is_sound)| if is_sound { sound(mark) } else { picture(mark) })
        .map(|input| (vector_of(&input), submit(&encoder, input)))
        .collect();
    probe.open_gate();
    for (expected, file) in files {
        assert_eq!(file.wait(), Ok(expected));
    }
    // Six sounds, four of which fit on a processor, and three pictures; the oldest decides.
    let [_, rest @ ..] = &probe.calls()[..] else { panic!("no calls") };
    assert_eq!(rest, [Call::Inputs(AUDIO, 4), Call::Inputs(IMAGE, 3), Call::Inputs(AUDIO, 2)]);
}

#[test]
fn batches_suit_the_device() {
    let probe = Probe::default();
    let model = StubModel::new(&probe).on("cuda:0");
    let options = EncoderOptions { queue_inputs: 0, batch_wait: Duration::ZERO, ..stub_model::options() };
    let loaded = move || Ok::<_, String>(Box::new(model) as Box<dyn EmbeddingModel>);
    let encoder = Encoder::start(loaded, options).ok().unwrap();
    probe.close_gate();
    let first = submit(&encoder, sound(0));
    probe.wait_for_calls(1);
    let files: Vec<_> = (1..101).map(|mark| submit(&encoder, sound(mark))).collect();
    probe.open_gate();
    files.into_iter().chain([first]).for_each(|file| assert!(file.wait().is_ok()));
    assert_eq!(probe.calls(), [Call::Inputs(AUDIO, 1), Call::Inputs(AUDIO, 64), Call::Inputs(AUDIO, 36)]);
}

#[test]
fn inputs_wait_for_others_but_not_for_ever() {
    let patient = |batch_wait| {
        let probe = Probe::default();
        let options = EncoderOptions { batch_inputs: 3, batch_wait, queue_inputs: 8, ..stub_model::options() };
        (stub_model::encoder(&probe, options), probe)
    };
    let (encoder, probe) = patient(Duration::from_hours(1));
    let files: Vec<_> = (0..3).map(|mark| submit(&encoder, sound(mark))).collect();
    files.into_iter().for_each(|file| assert!(file.wait().is_ok()));
    assert_eq!(probe.calls(), [Call::Inputs(AUDIO, 3)]);
    // A full queue keeps others out, so it is not waited for more. Two of each kind are no batch.
    let inputs = [sound(0), sound(1), picture(0), picture(1), picture(2)];
    let files: Vec<_> = inputs.into_iter().map(|input| submit(&encoder, input)).collect();
    probe.wait_for_calls(2);
    assert_eq!(probe.calls()[1], Call::Inputs(IMAGE, 3));
    drop(encoder);
    let answers: Vec<_> = files.into_iter().map(|file| file.wait().is_ok()).collect();
    assert_eq!(answers, [false, false, true, true, true]);

    let (encoder, probe) = patient(Duration::from_millis(20));
    assert!(submit(&encoder, sound(0)).wait().is_ok());
    assert_eq!(probe.calls(), [Call::Inputs(AUDIO, 1)]);
}

#[test]
fn a_full_queue_is_a_batch_whatever_is_in_it() {
    let probe = Probe::default();
    let options = EncoderOptions {
        batch_inputs: 64,
        batch_wait: Duration::from_hours(1),
        queue_inputs: 2,
        ..stub_model::options()
    };
    let encoder = stub_model::encoder(&probe, options);
    let files: Vec<_> = [sound(0), picture(0), picture(1), sound(1), sound(2)]
        .into_iter()
        .map(|input| submit(&encoder, input))
        .collect();
    probe.wait_for_calls(3);
    encoder.stop();
    assert!(files.into_iter().filter_map(|file| file.wait().ok()).count() >= 3);
}

#[test]
fn what_nobody_waits_for_is_not_computed() {
    let (probe, runtime) = (Probe::default(), runtime());
    let encoder = held_up(&probe, EncoderOptions { queue_queries: 2, ..stub_model::options() });
    let ask = |prompt: &str| {
        let (encoder, prompt) = (encoder.clone(), prompt.to_owned());
        begin(&runtime, async move { encoder.text(vec![prompt]).await })
    };
    let gone = [ask("gone"), ask("gone, too")];
    let overloaded = runtime.block_on(encoder.text(vec!["overload".into()]));
    assert_eq!(overloaded.unwrap_err(), EncoderError::Overloaded);
    for query in gone {
        query.abort();
        assert!(runtime.block_on(query).unwrap_err().is_cancelled());
    }
    // Those that are gone keep nobody out.
    let kept = ask("kept");
    probe.open_gate();
    assert_eq!(runtime.block_on(kept).unwrap().unwrap()[0].vector, vector_of_text("kept"));
    assert_eq!(probe.calls(), [Call::Inputs(AUDIO, 1), Call::Prompts(vec!["kept".into()])]);
}

#[test]
fn submitting_waits_while_the_queue_is_full() {
    let probe = Probe::default();
    let encoder = held_up(&probe, EncoderOptions { queue_inputs: 2, ..stub_model::options() });
    let waiting = [submit(&encoder, sound(1)), submit(&encoder, sound(2))];
    let (sender, submitted) = mpsc::channel();
    let handle = encoder.clone();
    let late = std::thread::spawn(move || {
        let pending = submit(&handle, sound(3));
        sender.send(()).unwrap();
        pending
    });
    assert_eq!(submitted.recv_timeout(Duration::from_millis(100)), Err(mpsc::RecvTimeoutError::Timeout));
    probe.open_gate();
    submitted.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(late.join().unwrap().wait(), Ok(vector_of(&sound(3))));
    waiting.into_iter().for_each(|file| assert!(file.wait().is_ok()));
}

#[test]
fn what_was_asked_lately_is_not_asked_of_the_model() {
    let (probe, runtime) = (Probe::default(), runtime());
    let encoder = stub_model::encoder(&probe, EncoderOptions { remembered_prompts: 2, ..stub_model::options() });
    let ask = |prompts: &[&str]| {
        let texts = runtime.block_on(encoder.text(prompts.iter().map(|&it| it.into()).collect())).unwrap();
        let vectors: Vec<_> = texts.into_iter().map(|text| text.vector).collect();
        assert_eq!(vectors, prompts.iter().map(|prompt| vector_of_text(prompt)).collect::<Vec<_>>());
    };
    let long = "long ".repeat(300);
    ask(&["door"]);
    ask(&["rain", "door", "rain"]);
    ask(&["door", "rain"]);
    ask(&["wind"]);
    ask(&["rain", "door"]);
    ask(&[&long]);
    ask(&[&long]);
    ask(&[]);
    let prompts = |prompts: &[&str]| Call::Prompts(prompts.iter().map(|&it| it.into()).collect());
    let asked = [&["door"][..], &["rain", "rain"], &["wind"], &["door"], &[&long], &[&long]];
    assert_eq!(probe.calls(), asked.map(prompts));
}
