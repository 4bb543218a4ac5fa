//! What half precision does to a model, judged by things that there is no doubt about.

use std::path::Path;

use crate::decode::audio::mono_at;
use crate::embed::{Probe, agreement};
use crate::model::{Agreement, ModelError};
use crate::preprocess::audio::SAMPLE_RATE_HZ;
use crate::world::{Concept, Dice};

/// Sounds, pictures and captions to judge by.
const PROBES: usize = 8;
const SEED: u64 = 1;
/// Rows and columns of a picture.
const SIDE: u32 = 256;

/// The least cosines between vectors in half precision and in f32, of what the world has.
///
/// # Errors
/// [`ModelError::NoHalfPrecision`] on a machine that is not faster in it, and those of loading the model.
///
/// # Panics
/// If the world's sounds had a rate that cannot be converted.
pub fn measure_half_precision(model: &Path) -> Result<Agreement, ModelError> {
    let mut dice = Dice::new(SEED);
    let all = Concept::all();
    let probe = |concept: &Concept| Probe {
        sound: mono_at(&concept.sound(&mut dice), SAMPLE_RATE_HZ).expect("the world's sounds have a usual rate"),
        picture: concept.picture(SIDE, &mut dice),
        words: concept.caption(&mut dice),
    };
    let probes: Vec<Probe> = all.iter().step_by(all.len().div_ceil(PROBES)).map(probe).collect();
    agreement(model, &probes)
}
