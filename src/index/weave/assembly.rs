//! Lists of links to one block of memory, with nothing out of reach.

use std::collections::HashMap;

use crate::index::links::Links;
use crate::index::rows::Rows;

/// Nodes whose links are new.
pub(super) type Change = HashMap<u32, Vec<u32>>;

/// The graph over all positions below `covered`: the links of `change`, and those that are `known` of all others.
pub(super) fn assemble<'a>(
    rows: &Rows,
    covered: u32,
    nodes: &[u32],
    known: impl Fn(u32) -> &'a [u32],
    mut change: Change,
) -> Links {
    adopt_orphans(covered, nodes, &known, &mut change);
    let mut offsets = Vec::with_capacity(covered as usize + 1);
    let mut links = Vec::new();
    offsets.push(0);
    for position in 0..covered {
        links.extend_from_slice(change.get(&position).map_or_else(|| known(position), Vec::as_slice));
        offsets.push(u32::try_from(links.len()).expect("fewer links than four thousand million"));
    }
    Links::new(offsets, links, nodes, rows)
}

/// Links to those that nobody links to, from the nearest that they link to.
fn adopt_orphans<'a>(covered: u32, nodes: &[u32], known: &impl Fn(u32) -> &'a [u32], change: &mut Change) {
    let mut linked = vec![false; covered as usize];
    for node in nodes {
        let links = change.get(node).map_or_else(|| known(*node), Vec::as_slice);
        links.iter().for_each(|&link| linked[link as usize] = true);
    }
    for &orphan in nodes.iter().filter(|&&node| !linked[node as usize]) {
        let nearest = change.get(&orphan).map_or_else(|| known(orphan), Vec::as_slice).first().copied();
        if let Some(nearest) = nearest {
            change.entry(nearest).or_insert_with(|| known(nearest).to_vec()).push(orphan);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::arena::Arena;
    use crate::library::Slot;

    #[test]
    fn nobody_is_without_a_link_to_it() {
        let arena = Arena::default();
        (0..4).for_each(|slot| assert!(arena.add(Slot(slot), &[1.0, slot as f32], false)));
        let change = Change::from([(0, vec![1]), (1, vec![0]), (3, vec![1, 0])]);
        let links = assemble(&arena.rows().unwrap(), 4, &[0, 1, 3], |_| &[], change);
        assert_eq!((links.of(0), links.of(1), links.of(2), links.of(3)), (&[1][..], &[0, 3][..], &[][..], &[1, 0][..]));
        assert_eq!((links.covered(), links.nodes()), (4, 3));
    }
}
