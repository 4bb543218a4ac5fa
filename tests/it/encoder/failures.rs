//! What goes wrong with the model, its inputs and its thread, and what it must not cost.

use std::sync::mpsc;

use earmark::engine::encoder::{Encoder, EncoderError, EncoderOptions};
use earmark::engine::model::EmbeddingModel;
use earmark::media::MediaKind;

use super::{begin, picture, runtime, sound, submit};
use crate::stub_model::{self, Call, Probe, Trouble, vector_of};

/// Embeds sixteen sounds together, of which some make trouble.
fn with_trouble(marks: &'static [u16], trouble: Trouble) -> (Probe, Vec<Result<Vec<f32>, EncoderError>>) {
    let probe = Probe::default();
    let encoder = stub_model::encoder(&probe, EncoderOptions { batch_inputs: 16, ..stub_model::options() });
    probe.upset(move |input| marks.iter().any(|&mark| *input == sound(mark)).then_some(trouble));
    probe.close_gate();
    let first = submit(&encoder, picture(0));
    probe.wait_for_calls(1);
    let files: Vec<_> = (0..16).map(|mark| submit(&encoder, sound(mark))).collect();
    probe.open_gate();
    assert!(first.wait().is_ok());
    let results = files.into_iter().map(super::Pending::wait).collect();
    // The thread has survived it.
    assert!(submit(&encoder, picture(1)).wait().is_ok());
    assert_eq!(encoder.embedded(), 2 + 16 - marks.len() as u64);
    (probe, results)
}

#[test]
fn a_bad_input_costs_itself_only() {
    let check = |trouble, reason: &str| {
        for marks in [&[5_u16][..], &[0, 15], &[3, 4, 9]] {
            let (_, results) = with_trouble(marks, trouble);
            for (mark, result) in (0_u16..).zip(results) {
                if marks.contains(&mark) {
                    let error = result.unwrap_err();
                    assert!(error.to_string().contains(reason), "{trouble:?}: {error}");
                } else {
                    assert!(result == Ok(vector_of(&sound(mark))), "{trouble:?} of {marks:?} has cost {mark}");
                }
            }
        }
    };
    check(Trouble::Refusal, "refused");
    check(Trouble::Panic, "the model broke down: no such input");
    check(Trouble::NotFinite, "value 7 of the vector is not finite");
    check(Trouble::Zero, "zero length");
    check(Trouble::Short, "gave 3 values, expected 1024");
}

#[test]
fn too_large_a_batch_costs_nothing() {
    let probe = Probe::default();
    let encoder = stub_model::encoder(&probe, EncoderOptions { batch_inputs: 16, ..stub_model::options() });
    probe.refuse_batches_above(5);
    probe.close_gate();
    let first = submit(&encoder, picture(0));
    probe.wait_for_calls(1);
    let files: Vec<_> = (0..16).map(|mark| submit(&encoder, sound(mark))).collect();
    probe.open_gate();
    for (mark, file) in (0..).zip(files) {
        assert_eq!(file.wait(), Ok(vector_of(&sound(mark))));
    }
    assert!(first.wait().is_ok());
    let sizes = probe.calls().into_iter().map(|call| match call {
        Call::Inputs(_, count) => count,
        Call::Prompts(_) => 0,
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [1, 16, 8, 4, 4, 8, 4, 4]);
}

#[test]
fn queries_overtake_what_is_left_of_a_failed_batch() {
    let (probe, runtime) = (Probe::default(), runtime());
    let encoder = stub_model::encoder(&probe, EncoderOptions { batch_inputs: 4, ..stub_model::options() });
    probe.refuse_batches_above(1);
    probe.close_gate();
    let first = submit(&encoder, picture(0));
    probe.wait_for_calls(1);
    let files: Vec<_> = (0..4).map(|mark| submit(&encoder, sound(mark))).collect();
    probe.open_gate_for(2);
    probe.wait_for_calls(3);
    let asking = encoder.clone();
    let query = begin(&runtime, async move { asking.text(vec!["a".into()]).await });
    probe.open_gate();
    assert_eq!(runtime.block_on(query).unwrap().unwrap().len(), 1);
    files.into_iter().chain([first]).for_each(|file| assert!(file.wait().is_ok()));
    let [picture, calls @ ..] = &probe.calls()[..] else { panic!("no calls") };
    let sounds = |count| Call::Inputs(MediaKind::Audio, count);
    let before = [sounds(4), sounds(2), Call::Prompts(vec!["a".into()])];
    let after = [sounds(1), sounds(1), sounds(2), sounds(1), sounds(1)];
    assert_eq!((picture, calls), (&Call::Inputs(MediaKind::Image, 1), &[&before[..], &after].concat()[..]));
}

#[test]
fn a_bad_prompt_costs_its_own_query_only() {
    let (probe, runtime) = (Probe::default(), runtime());
    let encoder = stub_model::encoder(&probe, stub_model::options());
    probe.refuse_prompt("bad");
    let ask = |prompts: &[&str]| encoder.text(prompts.iter().map(|&prompt| prompt.to_owned()).collect());
    let (one, two, three) = runtime.block_on(async { tokio::join!(ask(&["a"]), ask(&["b", "bad", "c"]), ask(&["d"])) });
    assert_eq!(two.unwrap_err(), EncoderError::Model("refused".into()));
    assert_eq!((one.unwrap().len(), three.unwrap().len()), (1, 1));
    probe.upset(|input| (*input == sound(13)).then_some(Trouble::NotFinite));
    let error = runtime.block_on(encoder.query(vec![sound(12), sound(13)])).unwrap_err();
    assert!(matches!(error, EncoderError::Model(_)), "{error}");
    assert!(runtime.block_on(encoder.query(vec![sound(12)])).is_ok());
}

#[test]
fn stopping_leaves_nobody_waiting() {
    let (probe, runtime) = (Probe::default(), runtime());
    let encoder = stub_model::encoder(&probe, EncoderOptions { queue_inputs: 2, ..stub_model::options() });
    probe.close_gate();
    let under_way = submit(&encoder, sound(0));
    probe.wait_for_calls(1);
    let waiting = [submit(&encoder, sound(1)), submit(&encoder, sound(2))];
    let query = runtime.spawn({
        let encoder = encoder.clone();
        async move { encoder.query(vec![sound(3)]).await }
    });
    let blocked = std::thread::spawn({
        let encoder = encoder.clone();
        move || encoder.submit(sound(4), |_| panic!("it was never taken"))
    });
    encoder.stop();
    assert_eq!(blocked.join().unwrap(), Err(EncoderError::Gone));
    probe.open_gate();
    assert_eq!(under_way.wait(), Ok(vector_of(&sound(0))));
    for file in waiting {
        assert_eq!(file.wait(), Err(EncoderError::Gone));
    }
    assert_eq!(runtime.block_on(query).unwrap(), Err(EncoderError::Gone));
    probe.wait_until_gone();
    assert_eq!(encoder.submit(sound(5), |_| panic!("it was never taken")), Err(EncoderError::Gone));
    assert_eq!(runtime.block_on(encoder.text(vec!["a".into()])), Err(EncoderError::Gone));
    assert_eq!(probe.calls().len(), 1);
}

#[test]
fn the_thread_ends_with_the_last_handle() {
    let probe = Probe::default();
    let encoder = stub_model::encoder(&probe, stub_model::options());
    let other = encoder.clone();
    drop(encoder);
    assert!(submit(&other, sound(0)).wait().is_ok());
    drop(other);
    probe.wait_until_gone();
}

#[test]
fn a_reply_that_breaks_down_stops_nothing() {
    let probe = Probe::default();
    let encoder = stub_model::encoder(&probe, stub_model::options());
    encoder.submit(sound(0), |_| panic!("clumsy")).unwrap();
    assert!(submit(&encoder, sound(1)).wait().is_ok());
    // A reply may itself hold the last handle.
    let (sender, receiver) = mpsc::channel();
    let last = encoder.clone();
    encoder
        .submit(sound(2), move |result| {
            drop(last);
            sender.send(result.is_ok()).unwrap();
        })
        .unwrap();
    drop(encoder);
    assert!(receiver.recv().is_ok());
    probe.wait_until_gone();
}

#[test]
fn a_model_that_cannot_be_loaded_is_the_callers_error() {
    let load = || Err::<Box<dyn EmbeddingModel>, _>("no such model");
    assert_eq!(Encoder::start(load, stub_model::options()).err(), Some("no such model"));
    let load = || -> Result<Box<dyn EmbeddingModel>, String> { panic!("out of luck") };
    let panic = std::panic::catch_unwind(|| Encoder::start(load, stub_model::options()).is_ok()).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"out of luck"));
}
