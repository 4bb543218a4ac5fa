//! What the user has to know of the model in use: that the built-in one is small.

use std::sync::Once;

use crate::model_store::{BUNDLED, ModelSource, ModelStore};
use crate::world::Concept;

/// Says once in the life of the process, in the log, what the built-in model is, if that is what is used.
pub fn introduce(model: &ModelSource, store: &ModelStore) {
    static ONCE: Once = Once::new();
    if let Some(notice) = notice(model, store) {
        ONCE.call_once(|| tracing::warn!("{notice}"));
    }
}

/// What there is to be said of a model.
fn notice(model: &ModelSource, store: &ModelStore) -> Option<String> {
    if *model != ModelSource::Bundled {
        return None;
    }
    // That other models cannot be listed is said by whoever needs one of them.
    let better = match store.names().unwrap_or_default().first() {
        Some(installed) => format!("`--model {installed}` uses one that is installed"),
        None => "`earmark model pull audioclip-full` gets the real one".into(),
    };
    Some(format!("{BUNDLED} model: knows about {} kinds of sound; {better}", Concept::all().len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_built_in_model_is_introduced_with_what_is_better() {
        let directory = tempfile::tempdir().unwrap();
        let store = ModelStore::new(directory.path());
        assert_eq!(notice(&ModelSource::File("x.safetensors".into()), &store), None);
        let kinds = Concept::all().len();
        let start = format!("demo model: knows about {kinds} kinds of sound; ");
        let text = notice(&ModelSource::Bundled, &store).unwrap();
        assert_eq!(text, start.clone() + "`earmark model pull audioclip-full` gets the real one");
        std::fs::write(directory.path().join("mine.safetensors"), b"a model").unwrap();
        let text = notice(&ModelSource::Bundled, &store).unwrap();
        assert_eq!(text, start + "`--model mine` uses one that is installed");
    }
}
