//! Weaving: making the graph that is searched, of drafts and of itself.
//!
//! New nodes get their links from a draft and from a search of the graph that is there; those that they link to link
//! back. Of many candidates those are kept that lead somewhere new (the heuristic of Malkov and Yashunin, HNSW,
//! algorithm 4; also known as relative-neighbourhood pruning): a candidate that is nearer to one kept before than to the
//! node is reached through that one. Invariants: the graph that is there is not changed, another is made; with one
//! thread, the same nodes give the same graph.

mod assembly;
#[cfg(test)]
mod tests;
mod together;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::arena::NONE;
use super::beam::with_scratch;
use super::draft::draft;
use super::links::Links;
use super::rows::{Code, Rows};

use self::assembly::{Change, assemble};
use self::together::together;

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

/// A graph, and how good it was before.
pub(super) struct Woven {
    pub(super) links: Links,
    /// Nodes whose nearest neighbour was not among their links.
    pub(super) corrected: usize,
}

/// The graph `old`, if there is one, with the new nodes `fresh`, over all positions below `covered`. `nodes` are all
/// nodes. Both ascend, and the new ones come last.
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
) -> Result<Woven, String> {
    let draft = draft_links(rows, fresh, covered, loom)?;
    let known = |node: u32| old.filter(|old| node < old.covered()).map_or(&[][..], |old| old.of(node));
    let (change, corrected) = knit(rows, &draft, old, fresh, known, loom);
    Ok(Woven { links: assemble(rows, covered, nodes, known, change), corrected })
}

/// The same graph with better links of some of its `nodes`: those that were linked early could not know what came later.
pub(super) fn refine(rows: &Rows, old: &Links, nodes: &[u32], some: &[u32], loom: Loom) -> Woven {
    let known = |node: u32| old.of(node);
    let (change, corrected) = knit(rows, old, None, some, known, loom);
    Woven { links: assemble(rows, old.covered(), nodes, known, change), corrected }
}

/// Links of the nodes `fresh` to what is near them in `graph`, which has them, and in `other`, which has not; and back.
/// `known` are the links of all other nodes. Answers new links by node, and for how many their nearest was news.
fn knit<'a>(
    rows: &Rows,
    graph: &Links,
    other: Option<&Links>,
    fresh: &[u32],
    known: impl Fn(u32) -> &'a [u32] + Sync,
    loom: Loom,
) -> (Change, usize) {
    let corrected = AtomicUsize::new(0);
    let links_of = |&node: &u32| {
        let code = Code { codes: rows.codes(node).to_vec(), scale: rows.scale(node) };
        let of_old = |&link: &u32| (rows.similarity(node, link), link);
        let mut candidates: Vec<(f32, u32)> = graph.of(node).iter().map(of_old).collect();
        // A node may be linked to what is far from it: the search enters at it, and where its like probably is.
        for (graph, start) in [Some((graph, Some(node))), other.map(|other| (other, None))].into_iter().flatten() {
            with_scratch(|scratch| {
                let near = scratch.search(rows, graph, &code, start, loom.candidates);
                candidates.extend(near.iter().map(|&(nearness, near)| (nearness * code.scale, near)));
                let nearest = near.iter().map(|&(_, near)| near).find(|&near| near != node);
                let news = start.is_some() && nearest.is_some_and(|nearest| !graph.of(node).contains(&nearest));
                corrected.fetch_add(news.into(), Ordering::Relaxed);
            });
        }
        prune(rows, node, candidates, loom)
    };
    let forward = together(fresh, loom.threads, links_of);
    let backward = link_back(rows, fresh, &forward, known, loom);
    let mut change: Change = fresh.iter().copied().zip(forward).collect();
    change.extend(backward);
    (change, corrected.into_inner())
}

/// The graph over other positions, some of which are gone: `moved` says where each position is now, or [`NONE`]. What led
/// over those that are gone is linked directly.
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
        let candidates = candidates.map(|near| (rows.similarity(node, near), near)).collect();
        prune(rows, node, candidates, loom)
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

/// The links of a node: of its candidates, with their similarity, the nearest that lead somewhere new.
fn prune(rows: &Rows, node: u32, mut candidates: Vec<(f32, u32)>, loom: Loom) -> Vec<u32> {
    candidates.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut kept: Vec<u32> = Vec::with_capacity(2 * loom.links);
    for (similarity, candidate) in candidates {
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
            links = prune(rows, node, links.iter().map(|&link| (rows.similarity(node, link), link)).collect(), loom);
        }
        (node, links)
    })
}
