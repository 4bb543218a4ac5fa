//! A model whose vectors are what the test says: words are read as numbers.

use std::convert::Infallible;
use std::sync::mpsc;
use std::time::Duration;

use earmark::embed::ModelInput;
use earmark::engine::encoder::{Encoder, EncoderOptions};
use earmark::engine::model::{EmbeddedText, EmbeddingModel, ModelFacts, ModelFailure};
use earmark::media::RgbImage;
use earmark::model::{LogitScales, RawEmbedding};

use super::library::{DIMENSIONS, space};

/// Scales of the pairs audio–image, audio–text and image–text.
pub const SCALES: LogitScales = LogitScales { audio_image: Some(5.0), audio_text: Some(10.0), image_text: 20.0 };

/// "1 0 2" is the vector (1, 0, 2, 0, …). A sound points along the first axis by its positive samples and along the
/// second by its negative ones; a picture along the first three by its red, green and blue.
pub struct PlantedModel {
    /// If there is one, every call waits for a word from it.
    pub gate: Option<mpsc::Receiver<()>>,
}

impl PlantedModel {
    pub fn start(gate: Option<mpsc::Receiver<()>>) -> Encoder {
        let options = EncoderOptions {
            batch_inputs: 4,
            batch_wait: Duration::ZERO,
            queue_inputs: 16,
            queue_queries: 64,
            remembered_prompts: 0,
        };
        let load = || Ok::<_, Infallible>(Box::new(Self { gate }) as Box<dyn EmbeddingModel>);
        let Ok(encoder) = Encoder::start(load, options);
        encoder
    }

    fn pass_gate(&self) {
        if let Some(gate) = &self.gate {
            // A test that has gone holds nobody up.
            gate.recv().ok();
        }
    }
}

fn padded(mut values: Vec<f32>) -> RawEmbedding {
    values.resize(DIMENSIONS, 0.0);
    values
}

impl EmbeddingModel for PlantedModel {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            name: "planted".into(),
            space: space(),
            dimensions: DIMENSIONS,
            numeric_type: "f32".into(),
            device: "cpu".into(),
            parameters: 0,
            scales: SCALES,
        }
    }

    fn image_preparation(&self) -> Box<dyn Fn(&RgbImage) -> ModelInput + Send + Sync> {
        Box::new(|image| {
            let pixels = image.pixels.chunks(3).fold([0.0; 3], |mut sum, pixel| {
                sum.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += f32::from(value));
                sum
            });
            ModelInput::Image(pixels.to_vec())
        })
    }

    fn embed(&self, inputs: &[ModelInput]) -> Result<Vec<RawEmbedding>, ModelFailure> {
        self.pass_gate();
        let vector = |input: &ModelInput| match input {
            ModelInput::Audio(channels) => {
                let sum = |sign: f32| channels[0].iter().map(|sample| (sample * sign).max(0.0)).sum();
                padded(vec![sum(1.0), sum(-1.0), 1e-3])
            }
            ModelInput::Image(colours) => padded(colours.clone()),
        };
        Ok(inputs.iter().map(vector).collect())
    }

    fn embed_text(&self, prompts: &[String]) -> Result<Vec<EmbeddedText>, ModelFailure> {
        self.pass_gate();
        let text = |prompt: &String| {
            let numbers = prompt.trim_start_matches("cut ").split_whitespace().map(str::parse);
            let numbers: Result<Vec<f32>, _> = numbers.collect();
            let vector = padded(numbers.map_err(|_| ModelFailure(format!("{prompt:?} is no vector")))?);
            Ok(EmbeddedText { vector, note: prompt.starts_with("cut ").then(|| "it was cut".into()) })
        };
        prompts.iter().map(text).collect()
    }
}
