//! Segments that were found, in order and in groups.
//!
//! Pure: the same segments and scores always give the same order. Ties are broken by names, never by places, so that
//! pages of one answer neither overlap nor leave gaps.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::background::Background;
use crate::library::{AssetId, SegmentId};
use crate::media::MediaKind;

/// Most segments that a hit names besides its best.
const OTHERS: usize = 10;
/// A spread of cosines smaller than this is none: the background is all alike.
const LEAST_DEVIATION: f64 = 1e-6;

/// A segment that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) id: SegmentId,
    /// Cosine of the angle to the query.
    pub(super) score: f32,
}

/// A segment of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scored {
    pub(super) ordinal: u32,
    pub(super) score: f32,
}

/// What becomes one hit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) kind: MediaKind,
    pub(super) asset: AssetId,
    pub(super) best: Scored,
    /// Best first.
    pub(super) others: Vec<Scored>,
}

/// Best first; of equals the one whose asset, then whose number, comes first.
pub(super) fn sort(found: &mut [Found]) {
    found.sort_unstable_by(|a, b| by_score((a.score, a.id), (b.score, b.id)));
}

fn by_score(a: (f32, SegmentId), b: (f32, SegmentId)) -> Ordering {
    b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1))
}

/// One group for each asset, or for each segment, of what is found in order; in the order of their best.
pub(super) fn group(kind: MediaKind, found: &[Found], by_asset: bool) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<AssetId, usize> = HashMap::new();
    for &Found { id, score } in found {
        let scored = Scored { ordinal: id.ordinal, score };
        if by_asset && let Some(&place) = places.get(&id.asset) {
            let others = &mut groups[place].others;
            if others.len() < OTHERS {
                others.push(scored);
            }
            continue;
        }
        places.insert(id.asset, groups.len());
        groups.push(Group { kind, asset: id.asset, best: scored, others: Vec::new() });
    }
    groups
}

/// The score below which hits of a kind are left out.
///
/// The relative cut-off lies midway between the mean of the background and the best hit; if not even that stands out of
/// the background, there is nothing to cut.
pub(super) fn floor(best: f32, min_score: Option<f32>, background_mean: Option<f64>) -> f32 {
    let best = f64::from(best);
    let midway = background_mean.filter(|&mean| best > mean).map(|mean| f64::midpoint(mean, best) as f32);
    min_score.unwrap_or(f32::NEG_INFINITY).max(midway.unwrap_or(f32::NEG_INFINITY))
}

/// Brings the groups of all kinds into one order.
///
/// Cosines of sounds and of pictures to one query are not comparable: each kind has its own mean and spread. So where
/// both are asked for, what counts is how far a hit stands out from the background of its kind, in standard deviations;
/// unless a background is too small to tell.
pub(super) fn order(groups: &mut [Group], backgrounds: &[Option<Background>; 2], both: bool) {
    let told = backgrounds.iter().all(|background| background.as_ref().is_some_and(Background::tells));
    let rank = |group: &Group| {
        let score = f64::from(group.best.score);
        match &backgrounds[group.kind as usize] {
            Some(background) if both && told => (score - background.mean) / background.deviation.max(LEAST_DEVIATION),
            _ => score,
        }
    };
    let id = |group: &Group| SegmentId { asset: group.asset, ordinal: group.best.ordinal };
    groups.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then_with(|| id(a).cmp(&id(b))));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asset(number: u8) -> AssetId {
        AssetId::from_hash([number; 32])
    }

    fn found(number: u8, ordinal: u32, score: f32) -> Found {
        Found { id: SegmentId { asset: asset(number), ordinal }, score }
    }

    #[test]
    fn ties_go_by_asset_and_then_by_number() {
        let mut all = vec![found(2, 0, 0.5), found(1, 7, 0.5), found(1, 3, 0.5), found(9, 0, 0.9)];
        sort(&mut all);
        assert_eq!(all, [found(9, 0, 0.9), found(1, 3, 0.5), found(1, 7, 0.5), found(2, 0, 0.5)]);
    }

    #[test]
    fn a_group_names_its_best_and_at_most_ten_others() {
        let mut all: Vec<Found> = (0..15).map(|ordinal| found(1, ordinal, ordinal as f32 / 100.0)).collect();
        all.push(found(2, 4, 0.05));
        sort(&mut all);
        let groups = group(MediaKind::Audio, &all, true);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].best, Scored { ordinal: 14, score: 0.14 });
        let others: Vec<u32> = groups[0].others.iter().map(|other| other.ordinal).collect();
        assert_eq!(others, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
        assert!(groups[1].others.is_empty());
        let ungrouped = group(MediaKind::Audio, &all, false);
        assert!(ungrouped.len() == 16 && ungrouped.iter().all(|group| group.others.is_empty()));
    }

    #[test]
    fn the_relative_floor_is_midway_between_background_and_best() {
        let check = |best, min_score, mean, expected: f32| {
            assert!((floor(best, min_score, mean) - expected).abs() < 1e-7);
        };
        assert_eq!(floor(0.5, None, None), f32::NEG_INFINITY);
        check(0.5, Some(0.2), None, 0.2);
        check(0.5, None, Some(0.1), 0.3);
        check(0.5, Some(0.2), Some(0.1), 0.3);
        check(0.5, Some(0.4), Some(0.1), 0.4);
        // Nothing stands out: nothing is cut.
        assert_eq!(floor(0.1, None, Some(0.2)), f32::NEG_INFINITY);
    }

    fn single(kind: MediaKind, number: u8, score: f32) -> Group {
        Group { kind, asset: asset(number), best: Scored { ordinal: 0, score }, others: Vec::new() }
    }

    fn background(mean: f32, deviation: f32, count: usize) -> Option<Background> {
        let alternating =
            (0..count).map(|index| (None, if index % 2 == 0 { mean - deviation } else { mean + deviation }));
        Some(Background::new(alternating.collect()))
    }

    #[test]
    fn kinds_are_merged_by_how_far_hits_stand_out() {
        // The picture's cosine is the greater; but the sound stands 4 deviations out of its background, the picture 1.
        let all = [single(MediaKind::Image, 1, 0.35), single(MediaKind::Audio, 2, 0.14)];
        let check = |backgrounds: [Option<Background>; 2], both, expected: [u8; 2]| {
            let mut groups = all.to_vec();
            order(&mut groups, &backgrounds, both);
            assert_eq!(groups.iter().map(|group| group.asset).collect::<Vec<_>>(), expected.map(asset));
        };
        check([background(0.10, 0.01, 8), background(0.30, 0.05, 8)], true, [2, 1]);
        check([background(0.10, 0.01, 8), background(0.30, 0.05, 8)], false, [1, 2]);
        // Too few to tell.
        check([background(0.10, 0.01, 7), background(0.30, 0.05, 8)], true, [1, 2]);
        check([background(0.10, 0.01, 8), None], true, [1, 2]);
        // A background that is all alike has no spread, and divides by none.
        check([background(0.10, 0.0, 8), background(0.30, 0.0, 8)], true, [1, 2]);
    }

    proptest! {
        #[test]
        fn groups_keep_the_order_and_lose_no_asset(raw in prop::collection::vec((0u8..9, 0u32..5, -3i8..3), 0..60)) {
            let mut all: Vec<Found> =
                raw.iter().map(|&(number, ordinal, score)| found(number, ordinal, f32::from(score))).collect();
            sort(&mut all);
            let groups = group(MediaKind::Image, &all, true);
            let mut assets: Vec<AssetId> = groups.iter().map(|group| group.asset).collect();
            let mut sorted = groups.clone();
            order(&mut sorted, &[None, None], true);
            prop_assert_eq!(&groups, &sorted);
            assets.sort();
            assets.dedup();
            prop_assert_eq!(assets.len(), groups.len());
            for group in &groups {
                let of_it = all.iter().filter(|found| found.id.asset == group.asset);
                let all: Vec<Scored> =
                    of_it.map(|found| Scored { ordinal: found.id.ordinal, score: found.score }).take(11).collect();
                prop_assert_eq!(group.best, all[0]);
                prop_assert_eq!(&group.others, &all[1..]);
            }
        }
    }
}
