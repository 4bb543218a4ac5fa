//! Weaving: making the graph that is searched, of drafts and of itself.
//!
//! New nodes get their links from a draft and from a search of the graph that is there; those that they link to link
//! back. Of many candidates those are kept that lead somewhere new (the heuristic of Malkov and Yashunin, HNSW,
//! algorithm 4; also known as relative-neighbourhood pruning): a candidate that is nearer to one kept before than to the
//! node is reached through that one. Invariants: the graph that is there is not changed, another is made; with one
//! thread, the same nodes give the same graph.

mod assembly;
mod together;

use super::arena::NONE;
use super::beam::{Graph, with_scratch};
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
) -> Result<Links, String> {
    let draft = Draft::of(rows, fresh, loom)?;
    let links_of_new = |&node: &u32| {
        let mut candidates = draft.candidates(rows, node, covered, loom.candidates);
        if let Some(old) = old {
            let code = Code { codes: rows.codes(node).to_vec(), scale: rows.scale(node), error: 0.0 };
            let near = with_scratch(|scratch| scratch.search(rows, old, &code, loom.candidates).to_vec());
            candidates.extend(near.into_iter().map(|(nearness, near)| (nearness * code.scale, near)));
        }
        prune(rows, node, candidates, loom)
    };
    let forward = together(fresh, loom.threads, links_of_new);
    drop(draft);
    let known = |node: u32| old.filter(|old| node < old.covered()).map_or(&[][..], |old| old.of(node));
    let backward = link_back(rows, fresh, &forward, known, loom);
    let mut change: Change = fresh.iter().copied().zip(forward).collect();
    change.extend(backward);
    Ok(assemble(rows, covered, nodes, known, change))
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

/// A draft over positions.
struct Draft {
    /// The first position that may be a node.
    first: u32,
    /// Where in `links` the node of each position from the first on is, or [`NONE`].
    places: Vec<u32>,
    links: Vec<Vec<u32>>,
}

impl Draft {
    fn of(rows: &Rows, nodes: &[u32], loom: Loom) -> Result<Self, String> {
        let (Some(&first), Some(&last)) = (nodes.first(), nodes.last()) else {
            return Ok(Self { first: 0, places: Vec::new(), links: Vec::new() });
        };
        let mut places = vec![NONE; (last - first) as usize + 1];
        (0..).zip(nodes).for_each(|(place, &node)| places[(node - first) as usize] = place);
        let mut links = draft(rows, nodes, loom.links, loom.threads)?;
        links.iter_mut().flatten().for_each(|link| *link = nodes[*link as usize]);
        Ok(Self { first, places, links })
    }

    /// Nodes near to one of the draft, with their similarity.
    fn candidates(&self, rows: &Rows, node: u32, covered: u32, most: usize) -> Vec<(f32, u32)> {
        let scale = rows.scale(node);
        with_scratch(|scratch| {
            let near = scratch.search_from(rows, self, node, covered as usize, most);
            near.iter().map(|&(nearness, near)| (nearness * scale, near)).collect()
        })
    }
}

impl Graph for Draft {
    fn links(&self, position: u32) -> &[u32] {
        &self.links[self.places[(position - self.first) as usize] as usize]
    }
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
