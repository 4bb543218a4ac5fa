//! The tour: what is asked, and what every answer promises.

use crate::media::MediaKind;

/// One query of the tour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// What it shows.
    pub title: &'static str,
    /// What is asked with.
    pub asks: &'static [Ask],
    /// Only these are looked for.
    pub kind: Option<MediaKind>,
    /// Only sounds at most this long.
    pub longest_s: Option<u32>,
    /// Only sounds at least this long.
    pub shortest_s: Option<u32>,
    /// Most hits.
    pub limit: u32,
    /// What is found.
    pub promise: Promise,
}

/// An ingredient of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Words.
    Words(&'static str),
    /// Words to lead away from.
    Not(&'static str),
    /// A sound of a thing, out of the library.
    Sound(&'static str),
    /// A picture of a thing, out of the library.
    Picture(&'static str),
}

/// What an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// The first so many hits are of any of these things, and no hit is of any of the others.
    First {
        /// How many.
        hits: usize,
        /// What they are of.
        of: &'static [&'static str],
        /// What none is of.
        never: &'static [&'static str],
    },
    /// Nothing: the model does not know it.
    Nothing,
}

/// A hit, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// What is heard or seen there, by the plan.
    pub concept: Option<&'static str>,
    /// Length of the sound.
    pub duration_s: Option<f64>,
}

const STEP: Step = Step {
    title: "",
    asks: &[],
    kind: Some(MediaKind::Audio),
    longest_s: None,
    shortest_s: None,
    limit: 5,
    promise: Promise::Nothing,
};

/// The tour, in its order.
pub const TOUR: [Step; 10] = [
    Step {
        title: "words find sounds, whatever their files are called",
        asks: &[Ask::Words("crackling fire")],
        promise: Promise::First { hits: 3, of: &["fire crackling"], never: &[] },
        ..STEP
    },
    Step {
        title: "in whole sentences, too",
        asks: &[Ask::Words("a dog is barking")],
        promise: Promise::First { hits: 3, of: &["dog bark"], never: &[] },
        ..STEP
    },
    Step {
        title: "among much that is alike",
        asks: &[Ask::Words("rain")],
        promise: Promise::First { hits: 2, of: &["rain"], never: &[] },
        ..STEP
    },
    Step {
        title: "words find pictures",
        asks: &[Ask::Words("helicopter")],
        kind: Some(MediaKind::Image),
        limit: 3,
        promise: Promise::First { hits: 2, of: &["helicopter"], never: &[] },
        ..STEP
    },
    Step {
        title: "a sound finds pictures of what is heard",
        asks: &[Ask::Sound("rooster")],
        kind: Some(MediaKind::Image),
        limit: 3,
        promise: Promise::First { hits: 2, of: &["rooster"], never: &[] },
        ..STEP
    },
    Step {
        title: "a picture finds sounds of what is seen",
        asks: &[Ask::Picture("clock tick")],
        promise: Promise::First { hits: 3, of: &["clock tick"], never: &[] },
        ..STEP
    },
    Step {
        title: "and where they are in a long recording",
        asks: &[Ask::Words("thunder")],
        shortest_s: Some(60),
        limit: 1,
        promise: Promise::First { hits: 1, of: &["thunder"], never: &[] },
        ..STEP
    },
    Step {
        title: "something rings, but it is no telephone",
        asks: &[Ask::Words("ringing bell"), Ask::Not("telephone")],
        promise: Promise::First { hits: 2, of: &["bell", "doorbell", "alarm", "gong"], never: &["telephone"] },
        ..STEP
    },
    Step {
        title: "a siren of three seconds at most",
        asks: &[Ask::Words("siren")],
        longest_s: Some(3),
        limit: 3,
        promise: Promise::First { hits: 1, of: &["siren"], never: &[] },
        ..STEP
    },
    Step {
        title: "what the model was never taught it cannot know: these are guesses",
        asks: &[Ask::Words("a lecture about tax law")],
        kind: None,
        limit: 3,
        ..STEP
    },
];

impl Step {
    /// Whether an answer is what was promised.
    pub fn is_kept_by(&self, hits: &[Seen]) -> bool {
        let within = |seen: &Seen| {
            let seconds = seen.duration_s;
            self.longest_s.is_none_or(|longest| seconds.is_some_and(|seconds| seconds <= f64::from(longest)))
                && self.shortest_s.is_none_or(|shortest| seconds.is_some_and(|seconds| seconds >= f64::from(shortest)))
        };
        hits.iter().all(within)
            && match self.promise {
                Promise::First { hits: count, of, never } => {
                    let is_of = |names: &[&str], seen: &Seen| seen.concept.is_some_and(|name| names.contains(&name));
                    hits.len() >= count
                        && hits[..count].iter().all(|seen| is_of(of, seen))
                        && !hits.iter().any(|seen| is_of(never, seen))
                }
                Promise::Nothing => true,
            }
    }
}

impl std::fmt::Display for Promise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::First { hits, of, never } = self else { return f.write_str("nothing is promised") };
        match hits {
            1 => write!(f, "the first hit is {}", of.join(" or "))?,
            _ => write!(f, "the first {hits} hits are {}", of.join(" or "))?,
        }
        if never.is_empty() { Ok(()) } else { write!(f, ", and none is {}", never.join(" or ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(concepts: &[&'static str]) -> Vec<Seen> {
        concepts.iter().map(|&concept| Seen { concept: Some(concept), duration_s: Some(2.0) }).collect()
    }

    #[test]
    fn a_promise_is_about_the_first_hits_and_about_all() {
        let promise = Promise::First { hits: 2, of: &["bell", "gong"], never: &["telephone"] };
        assert_eq!(promise.to_string(), "the first 2 hits are bell or gong, and none is telephone");
        let step = Step { promise, ..STEP };
        let check =
            |concepts: &[&'static str], kept| assert_eq!(step.is_kept_by(&seen(concepts)), kept, "{concepts:?}");
        check(&["bell", "gong", "rain"], true);
        check(&["bell", "gong"], true);
        check(&["bell", "rain", "gong"], false);
        check(&["bell", "gong", "telephone"], false);
        check(&["bell"], false);
        check(&[], false);
        let mut unknown = seen(&["bell", "bell"]);
        unknown[1].concept = None;
        assert!(!step.is_kept_by(&unknown));
    }

    #[test]
    fn bounds_hold_for_every_hit() {
        let step = Step { longest_s: Some(3), ..STEP };
        assert!(step.is_kept_by(&[Seen { concept: None, duration_s: Some(3.0) }]));
        assert!(!step.is_kept_by(&[Seen { concept: None, duration_s: Some(3.1) }]));
        assert!(!step.is_kept_by(&[Seen { concept: None, duration_s: None }]));
    }
}
