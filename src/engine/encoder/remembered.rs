//! Vectors of prompts that were asked for lately: whoever types, filters or pages asks the same again and again.
//!
//! Invariant: it never holds more prompts, nor longer ones, than it may.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::engine::model::EmbeddedText;

/// Longer prompts are not kept; the model reads no more of one anyway.
const LONGEST_BYTES: usize = 1_024;

pub(super) struct Remembered(Option<Mutex<LruCache<String, EmbeddedText>>>);

impl Remembered {
    /// As many prompts as `most`.
    pub(super) fn new(most: usize) -> Self {
        Self(NonZeroUsize::new(most).map(|most| Mutex::new(LruCache::new(most))))
    }

    /// What is known of each prompt.
    pub(super) fn look_up(&self, prompts: &[String]) -> Vec<Option<EmbeddedText>> {
        match self.lock() {
            Some(mut known) => prompts.iter().map(|prompt| known.get(prompt).cloned()).collect(),
            None => vec![None; prompts.len()],
        }
    }

    pub(super) fn keep(&self, prompts: Vec<String>, texts: &[EmbeddedText]) {
        let Some(mut known) = self.lock() else { return };
        for (prompt, text) in prompts.into_iter().zip(texts).filter(|(prompt, _)| prompt.len() <= LONGEST_BYTES) {
            known.put(prompt, text.clone());
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, LruCache<String, EmbeddedText>>> {
        self.0.as_ref().map(|known| known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
