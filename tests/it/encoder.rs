//! The thread that owns the model, and reading content into windows.

mod failures;
#[cfg(unix)]
mod fetch;
mod order;
mod real_model;

use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use earmark::embed::ModelInput;
use earmark::engine::encoder::{Encoder, EncoderError};
use earmark::model::RawEmbedding;

/// A vector that will come.
struct Pending(mpsc::Receiver<Result<RawEmbedding, EncoderError>>);

impl Pending {
    fn wait(self) -> Result<RawEmbedding, EncoderError> {
        self.0.recv_timeout(Duration::from_secs(30)).expect("a reply, whatever it is")
    }
}

fn submit(encoder: &Encoder, input: ModelInput) -> Pending {
    let (sender, receiver) = mpsc::channel();
    encoder.submit(input, move |result| drop(sender.send(result))).unwrap();
    Pending(receiver)
}

fn sound(mark: u16) -> ModelInput {
    ModelInput::Audio(vec![vec![f32::from(mark)]])
}

fn picture(mark: u16) -> ModelInput {
    ModelInput::Image(vec![f32::from(mark)])
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Starts what a future does; the task ends with it.
fn begin<F: Future<Output: Send> + Send + 'static>(
    runtime: &tokio::runtime::Runtime,
    future: F,
) -> tokio::task::JoinHandle<F::Output> {
    let mut future = Box::pin(future);
    // Polled once here, so that it has put its query into the queue when this returns.
    let first = runtime.block_on(std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))));
    match first {
        Poll::Ready(output) => runtime.spawn(std::future::ready(output)),
        Poll::Pending => runtime.spawn(future),
    }
}

/// A WAVE file of 16-bit samples at 44.1 kHz.
fn wav(samples: &[f32]) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, reason = "they are whole numbers of 16 bits")]
    let data: Vec<u8> = samples.iter().flat_map(|&sample| (sample as i16).to_le_bytes()).collect();
    let mut file =
        b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data".to_vec();
    file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    file.extend(data);
    file
}
