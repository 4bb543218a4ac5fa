//! Graphs that are woven, against looking at everything.

use super::*;
use crate::index::arena::Arena;
use crate::library::Slot;

const DIMENSION: usize = 24;
const LOOM: Loom = Loom { links: 8, candidates: 60, threads: 2 };

/// Vectors on a few bundles of waves: near ones, far ones, and none alike.
fn waves(count: u32) -> Arena {
    let arena = Arena::default();
    for slot in 0..count {
        let bundle = f64::from(slot % 7);
        let value = |index: usize| (bundle * (index + 1) as f64).sin() + (f64::from(slot) * 0.37 * index as f64).sin();
        let values: Vec<f64> = (0..DIMENSION).map(value).collect();
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        let unit: Vec<f32> = values.iter().map(|value| (value / norm) as f32).collect();
        assert!(arena.add(Slot(slot), &unit, false));
    }
    arena
}

fn positions(range: std::ops::Range<u32>) -> Vec<u32> {
    range.collect()
}

fn woven(rows: &Rows, old: Option<&Links>, begin: u32, end: u32, loom: Loom) -> Links {
    weave(rows, old, &positions(0..end), &positions(begin..end), end, loom).unwrap().0
}

/// Refines a graph in three parts; also answers how many nodes were corrected.
fn refine(rows: &Rows, links: &Links, nodes: &[u32], loom: Loom) -> (Links, usize) {
    let parts: Vec<Forward> =
        nodes.chunks(nodes.len().div_ceil(3)).map(|part| better(rows, links, part, loom)).collect();
    let corrected = parts.iter().map(|part| part.corrected).sum();
    let forward = parts.into_iter().flat_map(|part| part.links).collect();
    (relink(rows, links.covered(), nodes, forward, loom), corrected)
}

/// Share of the ten nodes nearest to each of `nodes` that a search for it finds.
fn recall(rows: &Rows, links: &Links, nodes: &[u32]) -> f64 {
    let mut found = 0;
    for &node in nodes {
        let code = Code { codes: rows.codes(node).to_vec(), scale: rows.scale(node) };
        let mut all: Vec<(f32, u32)> = nodes.iter().map(|&other| (rows.nearness(&code.codes, other), other)).collect();
        all.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let near = with_scratch(|scratch| scratch.search(rows, links, &code, None, 30).to_vec());
        found += all[..10].iter().filter(|(nearness, _)| near[..10].iter().any(|near| near.0 == *nearness)).count();
    }
    found as f64 / (10 * nodes.len()) as f64
}

fn out_of_reach(links: &Links, nodes: &[u32], rows: &Rows) -> usize {
    let mut reached = vec![false; links.covered() as usize];
    let mut behind: Vec<u32> = Vec::new();
    let code = Code { codes: rows.codes(nodes[0]).to_vec(), scale: 1.0 };
    let mut entrances = Vec::new();
    links.entrances().nearest(rows, &code, usize::MAX, &mut entrances);
    behind.extend(entrances.iter().map(|&(_, position)| position));
    while let Some(position) = behind.pop() {
        if !std::mem::replace(&mut reached[position as usize], true) {
            behind.extend(links.of(position));
        }
    }
    nodes.iter().filter(|&&node| !reached[node as usize]).count()
}

fn check(rows: &Rows, links: &Links, nodes: &[u32]) {
    assert_eq!(links.nodes(), nodes.len());
    assert_eq!(out_of_reach(links, nodes, rows), 0);
    for &node in nodes {
        let mut own = links.of(node).to_vec();
        assert!(!own.contains(&node) && own.iter().all(|link| nodes.binary_search(link).is_ok()), "{node}: {own:?}");
        own.sort_unstable();
        own.dedup();
        assert_eq!(own.len(), links.of(node).len(), "{node} has a link twice");
    }
    let recall = recall(rows, links, nodes);
    assert!(recall >= 0.98, "recall {recall}");
}

#[test]
fn at_once_or_piece_by_piece_the_nearest_are_found() {
    let arena = waves(1_500);
    let rows = arena.rows().unwrap();
    let at_once = woven(&rows, None, 0, 1_500, LOOM);
    check(&rows, &at_once, &positions(0..1_500));
    let mut pieces = woven(&rows, None, 0, 400, LOOM);
    for end in [401, 700, 1_499, 1_500] {
        pieces = woven(&rows, Some(&pieces), pieces.covered(), end, LOOM);
    }
    check(&rows, &pieces, &positions(0..1_500));
    let refined = refine(&rows, &pieces, &positions(0..1_500), LOOM).0;
    check(&rows, &refined, &positions(0..1_500));
}

#[test]
fn positions_that_are_no_nodes_have_no_links() {
    let arena = waves(600);
    let rows = arena.rows().unwrap();
    let nodes: Vec<u32> = (0..600).filter(|position| position % 3 != 1).collect();
    let links = weave(&rows, None, &nodes, &nodes, 600, LOOM).unwrap().0;
    check(&rows, &links, &nodes);
    assert!((0..600).filter(|position| position % 3 == 1).all(|position| links.of(position).is_empty()));
}

#[test]
fn a_graph_of_few_or_no_nodes_is_one_too() {
    let arena = waves(3);
    let rows = arena.rows().unwrap();
    for nodes in [vec![], vec![1], vec![0, 2]] {
        let links = weave(&rows, None, &nodes, &nodes, 3, LOOM).unwrap().0;
        let reached = nodes.is_empty() || out_of_reach(&links, &nodes, &rows) == 0;
        assert_eq!((links.covered(), links.nodes(), reached), (3, nodes.len(), true));
    }
}

#[test]
fn ways_over_what_is_gone_are_closed() {
    let arena = waves(1_500);
    let rows = arena.rows().unwrap();
    let links = woven(&rows, None, 0, 1_500, LOOM);
    // One of five goes, and a whole bundle.
    let stays = |position: u32| !position.is_multiple_of(5) && position % 7 != 2;
    let (less, mut moved) = (Arena::default(), Vec::new());
    for position in 0..1_500 {
        let taken = stays(position) && less.take_over(&arena, &rows, position);
        moved.push(if taken { less.len() - 1 } else { NONE });
    }
    let (rows, nodes) = (less.rows().unwrap(), positions(0..less.len()));
    let less_links = reweave(&rows, &links, &moved, &nodes, less.len(), LOOM);
    assert_eq!(out_of_reach(&less_links, &nodes, &rows), 0);
    let recall = recall(&rows, &less_links, &nodes);
    assert!(recall >= 0.95, "recall {recall}");
    check(&rows, &refine(&rows, &less_links, &nodes, LOOM).0, &nodes);
}

#[test]
fn one_thread_weaves_the_same_graph_again() {
    let arena = waves(800);
    let rows = arena.rows().unwrap();
    let loom = Loom { threads: 1, ..LOOM };
    let weave_twice = || {
        let first = woven(&rows, None, 0, 500, loom);
        let second = woven(&rows, Some(&first), 500, 800, loom);
        refine(&rows, &second, &positions(0..800), loom).0
    };
    let (one, other) = (weave_twice(), weave_twice());
    assert_eq!(one.parts(), other.parts());
}

#[test]
fn what_a_draft_got_wrong_is_corrected_and_told() {
    let arena = waves(900);
    let rows = arena.rows().unwrap();
    let nodes = positions(0..900);
    // Everything is linked to the next position only, which is never its like.
    let change = nodes.iter().map(|&node| (node, vec![(node + 1) % 900])).collect();
    let wrong = assemble(&rows, 900, &nodes, |_| &[], change);
    let (refined, corrected) = refine(&rows, &wrong, &nodes, LOOM);
    assert!(corrected > 600, "{corrected}");
    let (again, less) = refine(&rows, &refined, &nodes, LOOM);
    assert!(less < corrected / 2, "{less}");
    check(&rows, &refine(&rows, &again, &nodes, LOOM).0, &nodes);
}
