//! Figures of retrieval: how many of the nearest are what was asked for.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many of the nearest count.
pub const NEAREST: usize = 5;

/// Share of the nearest that are of the query's class, as a mean over queries: of all of them, and of each class.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Precision(BTreeMap<usize, Shares>);

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Shares {
    sum: f64,
    queries: usize,
}

impl Precision {
    /// Of the `nearest` items of a gallery, for each query; both are given by their classes, and `similarity` is that
    /// of a query and an item. Of equally similar items the earlier is the nearer.
    pub fn measure(
        nearest: usize,
        queries: &[usize],
        gallery: &[usize],
        similarity: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let mut classes: BTreeMap<usize, Shares> = BTreeMap::new();
        for (query, class) in queries.iter().enumerate() {
            let mut ranked: Vec<(f32, usize)> =
                gallery.iter().enumerate().map(|(item, &class)| (similarity(query, item), class)).collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
            ranked.truncate(nearest);
            let right = ranked.iter().filter(|(_, found)| found == class).count();
            let shares = classes.entry(*class).or_default();
            // An empty gallery has nothing right.
            shares.sum += right as f64 / ranked.len().max(1) as f64;
            shares.queries += 1;
        }
        Self(classes)
    }

    /// Over all queries; `None` if there were none.
    pub fn overall(&self) -> Option<f64> {
        let (sum, queries) = self.0.values().fold((0.0, 0), |(sum, n), shares| (sum + shares.sum, n + shares.queries));
        (queries > 0).then(|| sum / queries as f64)
    }

    /// Over the queries of a class; `None` if there were none.
    pub fn of(&self, class: usize) -> Option<f64> {
        self.0.get(&class).map(|shares| shares.sum / shares.queries as f64)
    }
}

/// The figures of a model that finds sounds and pictures by words, sounds and pictures. `None` where nothing was asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RetrievalFigures {
    /// The name of a class to its sounds.
    pub text_to_audio_p5: Option<f64>,
    /// A sound to the name of its class.
    pub audio_to_text_top1: Option<f64>,
    /// A sound to pictures of its class.
    pub audio_to_image_p5: Option<f64>,
    /// A picture to sounds of its class.
    pub image_to_audio_p5: Option<f64>,
    /// A paraphrase of the name to sounds of its class.
    pub paraphrase_to_audio_p5: Option<f64>,
}

/// What was asked of what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Retrievals {
    /// Names → sounds.
    pub text_to_audio: Precision,
    /// Sounds → names, the nearest alone.
    pub audio_to_text: Precision,
    /// Sounds → pictures.
    pub audio_to_image: Precision,
    /// Pictures → sounds.
    pub image_to_audio: Precision,
    /// Paraphrases → sounds.
    pub paraphrase_to_audio: Precision,
}

impl Retrievals {
    /// Over all classes.
    pub fn overall(&self) -> RetrievalFigures {
        self.figures(Precision::overall)
    }

    /// Of one class.
    pub fn of(&self, class: usize) -> RetrievalFigures {
        self.figures(|precision| precision.of(class))
    }

    fn figures(&self, take: impl Fn(&Precision) -> Option<f64>) -> RetrievalFigures {
        RetrievalFigures {
            text_to_audio_p5: take(&self.text_to_audio),
            audio_to_text_top1: take(&self.audio_to_text),
            audio_to_image_p5: take(&self.audio_to_image),
            image_to_audio_p5: take(&self.image_to_audio),
            paraphrase_to_audio_p5: take(&self.paraphrase_to_audio),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items on a line are the more alike the closer they are.
    fn on_a_line(queries: &[(usize, f32)], gallery: &[(usize, f32)], nearest: usize) -> Precision {
        let classes = |items: &[(usize, f32)]| items.iter().map(|(class, _)| *class).collect::<Vec<_>>();
        Precision::measure(nearest, &classes(queries), &classes(gallery), |query, item| {
            -(queries[query].1 - gallery[item].1).abs()
        })
    }

    #[test]
    fn counts_what_is_right_among_the_nearest() {
        let gallery = [(0, 0.0), (0, 1.0), (1, 2.0), (0, 3.0), (1, 10.0), (1, 11.0)];
        // The two nearest of 0.2 are 0 0, of 2.2 are 1 0, of 10.4 are 1 1.
        let precision = on_a_line(&[(0, 0.2), (0, 2.2), (1, 10.4)], &gallery, 2);
        assert_eq!((precision.of(0), precision.of(1), precision.of(2)), (Some(0.75), Some(1.0), None));
        assert_eq!(precision.overall(), Some((1.0 + 0.5 + 1.0) / 3.0));
        assert_eq!(on_a_line(&[(1, 10.4)], &gallery, 3).overall(), Some(2.0 / 3.0));
    }

    #[test]
    fn the_nearest_alone_is_top1() {
        let labels = [(0, 0.0), (1, 5.0)];
        let precision = on_a_line(&[(0, 1.0), (0, 4.0), (1, 4.0), (1, 6.0)], &labels, 1);
        assert_eq!((precision.of(0), precision.of(1), precision.overall()), (Some(0.5), Some(1.0), Some(0.75)));
    }

    #[test]
    fn small_galleries_count_as_far_as_they_go() {
        assert_eq!(on_a_line(&[(0, 0.0)], &[(0, 0.0), (1, 1.0)], 5).overall(), Some(0.5));
        assert_eq!(on_a_line(&[(0, 0.0)], &[], 5).overall(), Some(0.0));
        assert_eq!(on_a_line(&[], &[(0, 0.0)], 5).overall(), None);
    }

    #[test]
    fn figures_are_those_of_their_retrieval() {
        let precision = |share: f32| on_a_line(&[(0, 0.0), (1, 100.0)], &[(0, 0.0), (0, share)], 1);
        let retrievals = Retrievals { text_to_audio: precision(1.0), ..Retrievals::default() };
        let (overall, first) = (retrievals.overall(), retrievals.of(0));
        assert_eq!((overall.text_to_audio_p5, first.text_to_audio_p5), (Some(0.5), Some(1.0)));
        assert_eq!((overall.audio_to_image_p5, retrievals.of(1).text_to_audio_p5), (None, Some(0.0)));
    }
}
