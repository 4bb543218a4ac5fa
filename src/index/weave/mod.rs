//! Weaving: making the graph that is searched, of drafts and of itself.
//!
//! New nodes get their links from a draft and from a search of the graph that is there; those that they link to link
//! back. Of many candidates those are kept that lead somewhere new (the heuristic of Malkov and Yashunin, HNSW,
//! algorithm 4; also known as relative-neighbourhood pruning): a candidate that is nearer to one kept before than to
//! the node is reached through that one. Invariants: the graph that is there is not changed, another is made; with one
//! thread, the same nodes give the same graph.

mod assembly;
#[cfg(test)]
mod tests;
mod together;

use std::cmp::Ordering;
use std::sync::atomic::{self, AtomicUsize};

use super::arena::NONE;
use super::beam::with_scratch;
use super::draft::draft;
use super::links::Links;
use super::rows::{Code, Rows};

use self::assembly::{Change, assemble};
use self::together::together;

/// Links to what is far away lead from one cluster to the next, for queries of another modality and for searches among
/// some of the vectors, but take time in every search. A draft of everything has about one for every other node. In
/// later drafts, which are of few nodes, most links are far: of these, and of those that nodes have had from such
/// drafts, each node keeps so many. Measured at 20,000 vectors of which half were replaced: with all of them, searches
/// take a quarter longer than in the graph of one draft.
const FAR_LINKS: usize = 1;

/// Which of the links that nodes have to what is far away they keep.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FarLinks {
    All,
    Few,
}

/// How graphs are woven.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loom {
    /// Links of a draft's node; a woven node has at most twice as many.
    pub(super) links: usize,
    /// Candidates for the links of a new node.
    pub(super) candidates: usize,
    /// Threads that work on it.
    pub(super) threads: usize,
}

/// What nodes should be linked to: in the order of the nodes.
pub(super) struct Forward {
    pub(super) links: Vec<Vec<u32>>,
    /// Nodes whose nearest neighbour was not among their links.
    pub(super) corrected: usize,
}

/// The graph `old`, if there is one, with the new nodes `fresh`, over all positions below `covered`. `nodes` are all
/// nodes. Both ascend, and the new ones come last. Also answers for how many of the new nodes the draft was wrong about
/// the nearest.
///
/// # Errors
/// The library that drafts has failed; the text says how.
pub(super) fn weave(
    rows: &Rows,
    old: Option<&Links>,
    nodes: &[u32],
    fresh: &[u32],
    covered: u32,
    loom: Loom,
) -> Result<(Links, usize), String> {
    let draft = draft_links(rows, fresh, covered, loom)?;
    let known = |node: u32| old.filter(|old| node < old.covered()).map_or(&[][..], |old| old.of(node));
    let far_links = if old.is_some() { FarLinks::Few } else { FarLinks::All };
    let forward = forward(rows, &draft, old, fresh, far_links, loom);
    Ok((knit(rows, covered, nodes, known, (fresh, forward.links), loom), forward.corrected))
}

/// Better links of `some` nodes of a graph: those that were linked early could not know what came later.
pub(super) fn better(rows: &Rows, graph: &Links, some: &[u32], loom: Loom) -> Forward {
    forward(rows, graph, None, some, FarLinks::Few, loom)
}

/// The graph over all positions below `covered` in which each of `nodes` has such links, and links back.
pub(super) fn relink(rows: &Rows, covered: u32, nodes: &[u32], forward: Vec<Vec<u32>>, loom: Loom) -> Links {
    knit(rows, covered, nodes, |_| &[], (nodes, forward), loom)
}

/// Links of the nodes `fresh` to what is near them in `graph`, which has them, and in `other`, which has not.
fn forward(
    rows: &Rows,
    graph: &Links,
    other: Option<&Links>,
    fresh: &[u32],
    far_links: FarLinks,
    loom: Loom,
) -> Forward {
    let corrected = AtomicUsize::new(0);
    let links_of = |&node: &u32| {
        let code = Code { codes: rows.codes(node).to_vec(), scale: rows.scale(node) };
        let mut candidates = Vec::with_capacity(2 * loom.candidates);
        // A node may be linked to what is far from it: the search enters at it, and where its like probably is.
        for (graph, start) in [Some((graph, Some(node))), other.map(|other| (other, None))].into_iter().flatten() {
            with_scratch(|scratch| {
                let near = scratch.search(rows, graph, &code, start, loom.candidates);
                candidates.extend(near.iter().map(|&(nearness, near)| (nearness * code.scale, near)));
                let nearest = near.iter().map(|&(_, near)| near).find(|&near| near != node);
                let news = start.is_some() && nearest.is_some_and(|nearest| !graph.of(node).contains(&nearest));
                corrected.fetch_add(news.into(), atomic::Ordering::Relaxed);
            });
        }
        candidates.sort_unstable_by(|a, b| by_nearness(b, a));
        candidates.dedup();
        candidates.truncate(loom.candidates);
        let least = candidates.last().map_or(f32::NEG_INFINITY, |&(similarity, _)| similarity);
        let links = graph.of(node).iter().map(|&link| (rows.similarity(node, link), link));
        let mut far: Vec<_> = links.filter(|&(similarity, _)| similarity < least).collect();
        far.sort_unstable_by(|a, b| by_nearness(b, a));
        if far_links == FarLinks::Few {
            far.truncate(FAR_LINKS);
        }
        candidates.extend(far);
        prune(rows, node, &candidates, loom)
    };
    let links = together(fresh, loom.threads, links_of);
    Forward { links, corrected: corrected.into_inner() }
}

/// The graph over all positions below `covered` in which nodes have the links `forward`, and links back; `known` are
/// the links of all others.
fn knit<'a>(
    rows: &Rows,
    covered: u32,
    nodes: &[u32],
    known: impl Fn(u32) -> &'a [u32] + Sync,
    (fresh, forward): (&[u32], Vec<Vec<u32>>),
    loom: Loom,
) -> Links {
    let backward = link_back(rows, fresh, &forward, &known, loom);
    let mut change: Change = fresh.iter().copied().zip(forward).collect();
    change.extend(backward);
    assemble(rows, covered, nodes, known, change)
}

/// The graph over other positions, some of which are gone: `moved` says where each position is now, or [`NONE`]. What
/// led over those that are gone is linked directly.
pub(super) fn reweave(rows: &Rows, old: &Links, moved: &[u32], nodes: &[u32], covered: u32, loom: Loom) -> Links {
    let mut before = vec![NONE; covered as usize];
    for (position, &now) in (0..old.covered()).zip(moved).filter(|(_, now)| **now != NONE) {
        before[now as usize] = position;
    }
    let whereto = |position: u32| moved.get(position as usize).copied().filter(|&now| now != NONE);
    let links_of = |&node: &u32| {
        let mut near = Vec::new();
        let mut gone = false;
        // A node that is new has none yet.
        let known = Some(before[node as usize]).filter(|&position| position != NONE);
        for &link in known.map_or(&[][..], |position| old.of(position)) {
            match whereto(link) {
                Some(now) => near.push(now),
                None => {
                    gone = true;
                    near.extend(old.of(link).iter().filter_map(|&next| whereto(next)));
                }
            }
        }
        if !gone {
            return near;
        }
        let candidates = near.into_iter().filter(|&near| near != node);
        let mut candidates: Vec<_> = candidates.map(|near| (rows.similarity(node, near), near)).collect();
        candidates.sort_unstable_by(|a, b| by_nearness(b, a));
        prune(rows, node, &candidates, loom)
    };
    let change: Change = nodes.iter().copied().zip(together(nodes, loom.threads, links_of)).collect();
    assemble(rows, covered, nodes, |_| &[], change)
}

/// A draft of new nodes, as a graph over all positions below `covered`.
fn draft_links(rows: &Rows, fresh: &[u32], covered: u32, loom: Loom) -> Result<Links, String> {
    let mut links = draft(rows, fresh, loom.links, loom.threads)?;
    links.iter_mut().flatten().for_each(|link| *link = fresh[*link as usize]);
    let change = fresh.iter().copied().zip(links).collect();
    Ok(assemble(rows, covered, fresh, |_| &[], change))
}

/// The nearer of two candidates, with their similarity, is the greater; of equally near ones the earlier.
fn by_nearness(a: &(f32, u32), b: &(f32, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))
}

/// The links of a node: of its candidates, with their similarity, which are sorted, the nearest that lead
/// somewhere new.
fn prune(rows: &Rows, node: u32, candidates: &[(f32, u32)], loom: Loom) -> Vec<u32> {
    let mut kept: Vec<u32> = Vec::with_capacity(2 * loom.links);
    for &(similarity, candidate) in candidates {
        if kept.len() == 2 * loom.links {
            break;
        }
        let leads_on = |&other: &u32| other != candidate && rows.similarity(candidate, other) <= similarity;
        if candidate != node && kept.iter().all(leads_on) {
            kept.push(candidate);
        }
    }
    kept
}

/// The links of those to which new nodes link, with the links back. `known` are the links of older nodes.
fn link_back<'a>(
    rows: &Rows,
    fresh: &[u32],
    forward: &[Vec<u32>],
    known: impl Fn(u32) -> &'a [u32] + Sync,
    loom: Loom,
) -> Vec<(u32, Vec<u32>)> {
    let mut back: Vec<(u32, u32)> = Vec::new();
    for (&node, links) in fresh.iter().zip(forward) {
        back.extend(links.iter().map(|&link| (link, node)));
    }
    back.sort_unstable();
    let of_one: Vec<&[(u32, u32)]> = back.chunk_by(|a, b| a.0 == b.0).collect();
    together(&of_one, loom.threads, |back| {
        let node = back[0].0;
        let own = fresh.binary_search(&node).map_or_else(|_| known(node), |place| &forward[place]);
        let mut links = own.to_vec();
        links.extend(back.iter().map(|&(_, from)| from).filter(|from| !own.contains(from)));
        if links.len() > 2 * loom.links {
            let mut candidates: Vec<_> = links.iter().map(|&link| (rows.similarity(node, link), link)).collect();
            candidates.sort_unstable_by(|a, b| by_nearness(b, a));
            links = prune(rows, node, &candidates, loom);
        }
        (node, links)
    })
}
