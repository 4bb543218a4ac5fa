//! What a model is computed in.

use serde::{Deserialize, Serialize};

/// A class of numbers, whose vectors can be compared: it is part of what makes an embedding space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32 throughout.
    #[default]
    #[serde(rename = "f32")]
    Single,
    /// 16 bits where the device is faster with them, f32 where it is not: vectors of both keep a cosine of
    /// [`Agreement::BOUND_PPM`] to f32's.
    Half,
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Single => "f32",
            Self::Half => "half",
        })
    }
}

/// How near vectors that were computed in half precision are to f32's: the least cosine of each kind, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Of sounds, if the model has a tower for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_ppm: Option<u32>,
    /// Of pictures.
    pub image_ppm: u32,
    /// Of prompts.
    pub text_ppm: u32,
}

impl Agreement {
    /// The least that is good enough: a cosine of 0.999.
    pub const BOUND_PPM: u32 = 999_000;

    /// The least of all.
    pub fn least_ppm(&self) -> u32 {
        self.audio_ppm.into_iter().fold(self.image_ppm.min(self.text_ppm), u32::min)
    }
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds = [("sounds", self.audio_ppm), ("pictures", Some(self.image_ppm)), ("prompts", Some(self.text_ppm))];
        let cosines = kinds.into_iter().filter_map(|(kind, ppm)| Some(format!("{kind} {:.6}", f64::from(ppm?) / 1e6)));
        f.write_str(&cosines.collect::<Vec<_>>().join(", "))
    }
}
