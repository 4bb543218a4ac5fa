//! A model on a device that may be lost, and what goes on without it.
//!
//! A GPU can fall off its bus, or its driver be replaced below a daemon that runs for months. Invariant: an input is
//! given up only if a device that works refuses it.

use std::cell::{Cell, RefCell};

use super::model::{EmbeddedText, EmbeddingModel, ModelFacts, ModelFailure};
use crate::embed::ModelInput;
use crate::media::RgbImage;
use crate::model::RawEmbedding;

/// A model, and another one for when its device is lost.
pub struct Fallback {
    current: RefCell<Box<dyn EmbeddingModel>>,
    is_lost: Box<dyn Fn() -> bool + Send>,
    load: Box<dyn Fn() -> Result<Box<dyn EmbeddingModel>, ModelFailure> + Send>,
    fallen_back: Cell<bool>,
}

impl Fallback {
    /// `is_lost` is asked after each failure of `model`; `load` makes the one that takes its place, of the same space.
    pub fn new(
        model: Box<dyn EmbeddingModel>,
        is_lost: impl Fn() -> bool + Send + 'static,
        load: impl Fn() -> Result<Box<dyn EmbeddingModel>, ModelFailure> + Send + 'static,
    ) -> Self {
        let current = RefCell::new(model);
        Self { current, is_lost: Box::new(is_lost), load: Box::new(load), fallen_back: Cell::new(false) }
    }

    /// Does it, and once more with the other model if the device is lost.
    fn attempt<T>(&self, work: impl Fn(&dyn EmbeddingModel) -> Result<T, ModelFailure>) -> Result<T, ModelFailure> {
        let failure = match work(&**self.current.borrow()) {
            Ok(made) => return Ok(made),
            Err(failure) => failure,
        };
        if self.fallen_back.get() || !(self.is_lost)() {
            return Err(failure);
        }
        let device = self.current.borrow().facts().device;
        tracing::warn!("{device} is lost ({failure}), going on with the CPU; restart the daemon once it is back");
        let other = (self.load)()?;
        if other.facts().space != self.current.borrow().facts().space {
            return Err(ModelFailure("the model's file is another by now; restart the daemon".into()));
        }
        self.fallen_back.set(true);
        self.current.replace(other);
        work(&**self.current.borrow())
    }
}

impl EmbeddingModel for Fallback {
    fn facts(&self) -> ModelFacts {
        self.current.borrow().facts()
    }

    fn image_preparation(&self) -> Box<dyn Fn(&RgbImage) -> ModelInput + Send + Sync> {
        self.current.borrow().image_preparation()
    }

    fn embed(&self, inputs: &[ModelInput]) -> Result<Vec<RawEmbedding>, ModelFailure> {
        self.attempt(|model| model.embed(inputs))
    }

    fn embed_text(&self, prompts: &[String]) -> Result<Vec<EmbeddedText>, ModelFailure> {
        self.attempt(|model| model.embed_text(prompts))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;
    use crate::embedding::SpaceId;
    use crate::model::LogitScales;

    /// Gives its one number as the vector of all prompts, unless its device is broken.
    struct Stub {
        number: f32,
        broken: Arc<AtomicBool>,
        space: char,
    }

    impl EmbeddingModel for Stub {
        fn facts(&self) -> ModelFacts {
            let scales = LogitScales { audio_image: None, audio_text: None, image_text: 1.0 };
            let space = SpaceId::from_digest(self.space.to_string().repeat(64));
            let (name, numeric_type, device) = ("stub".into(), "f32".into(), format!("device {}", self.number));
            ModelFacts { name, space, dimensions: 1, numeric_type, device, parameters: 0, scales }
        }

        fn image_preparation(&self) -> Box<dyn Fn(&RgbImage) -> ModelInput + Send + Sync> {
            Box::new(|_| ModelInput::Image(Vec::new()))
        }

        fn embed(&self, inputs: &[ModelInput]) -> Result<Vec<RawEmbedding>, ModelFailure> {
            if self.broken.load(Ordering::Relaxed) || inputs.is_empty() {
                return Err(ModelFailure("no vector".into()));
            }
            Ok(vec![vec![self.number]; inputs.len()])
        }

        fn embed_text(&self, prompts: &[String]) -> Result<Vec<EmbeddedText>, ModelFailure> {
            let inputs = vec![ModelInput::Image(Vec::new()); prompts.len()];
            Ok(self.embed(&inputs)?.into_iter().map(|vector| EmbeddedText { vector, note: None }).collect())
        }
    }

    #[test]
    fn a_lost_device_costs_no_input_its_vector() {
        let (broken, sound) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let loads = Arc::new(AtomicUsize::new(0));
        let first = Box::new(Stub { number: 1.0, broken: broken.clone(), space: '0' });
        let (lost, counted) = (broken.clone(), loads.clone());
        let model = Fallback::new(
            first,
            move || lost.load(Ordering::Relaxed),
            move || {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok(Box::new(Stub { number: 2.0, broken: sound.clone(), space: '0' }))
            },
        );
        let inputs = [ModelInput::Image(Vec::new())];
        assert_eq!(model.embed(&inputs).unwrap(), [[1.0]]);
        // What a working device refuses stays refused, and costs nobody the device.
        assert!(model.embed(&[]).is_err());
        assert_eq!((model.facts().device.as_str(), loads.load(Ordering::Relaxed)), ("device 1", 0));
        broken.store(true, Ordering::Relaxed);
        assert_eq!(model.embed(&inputs).unwrap(), [[2.0]]);
        assert_eq!(model.embed_text(&["door".into()]).unwrap()[0].vector, [2.0]);
        assert!(model.embed(&[]).is_err());
        assert_eq!((model.facts().device.as_str(), loads.load(Ordering::Relaxed)), ("device 2", 1));
    }

    #[test]
    fn without_another_model_the_failure_is_told() {
        let broken = Arc::new(AtomicBool::new(true));
        let first = || Box::new(Stub { number: 1.0, broken: broken.clone(), space: '0' });
        let model = Fallback::new(first(), || true, || Err(ModelFailure("the model's file is gone".into())));
        let failure = model.embed_text(&["door".into()]).unwrap_err();
        assert_eq!(failure.0, "the model's file is gone");
        let other =
            || Ok(Box::new(Stub { number: 2.0, broken: Arc::default(), space: '1' }) as Box<dyn EmbeddingModel>);
        let failure = Fallback::new(first(), || true, other).embed_text(&["door".into()]).unwrap_err();
        assert_eq!(failure.0, "the model's file is another by now; restart the daemon");
    }
}
