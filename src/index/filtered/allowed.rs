//! Which slots are allowed, so that asking takes a nanosecond.
//!
//! Owns the bits of one set at a time, in pages of 65,536 slots, one for each of the set's own pages, so that neither
//! time nor memory depends on how high slots have risen. Does not know what is in a slot.

use roaring::RoaringBitmap;

/// Words of a page.
const PAGE: usize = (1 << 16) / WORD;
const WORD: usize = u64::BITS as usize;
/// A set whose form begins with this has no runs (the Roaring format specification, "cookie header").
const NO_RUNS: u32 = 12_346;
/// A set whose form begins with this may have some.
const RUNS: u32 = 12_347;
/// A page of the set with more slots than this is a page of bits already.
const LONGEST_LIST: usize = 4_096;

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Allowed {
    /// Which page has the slots with these upper 16 bits. The first has none.
    pages: Vec<u32>,
    words: Vec<u64>,
    form: Vec<u8>,
}

impl Allowed {
    /// Takes the slots of a set. Its portable form is read, for that has pages of bits as a whole: asking it for one
    /// slot after the other takes as long as a search does.
    pub(super) fn load(&mut self, slots: &RoaringBitmap) {
        self.pages.clear();
        self.words.clear();
        self.words.resize(PAGE, 0);
        let mut form = std::mem::take(&mut self.form);
        form.clear();
        slots.serialize_into(&mut form).expect("memory takes all that is written");
        self.read(&mut Form(&form)).expect("a set has the form that its library says");
        self.form = form;
    }

    /// Whether a slot is allowed.
    #[inline]
    pub(super) fn has(&self, slot: u32) -> bool {
        let page = self.pages.get((slot >> 16) as usize).map_or(0, |&page| page as usize);
        let bit = (slot & 0xffff) as usize;
        self.words[page * PAGE + bit / WORD] >> (bit % WORD) & 1 != 0
    }

    fn read(&mut self, form: &mut Form<'_>) -> Option<()> {
        let cookie = form.u32()?;
        let (count, runs) = match cookie & 0xffff {
            RUNS => {
                let count = (cookie >> 16) as usize + 1;
                (count, form.take(count.div_ceil(8))?)
            }
            _ if cookie == NO_RUNS => (form.u32()? as usize, &[][..]),
            _ => return None,
        };
        let headers = form.take(4 * count)?;
        if runs.is_empty() || count >= 4 {
            form.take(4 * count)?;
        }
        for (number, header) in headers.as_chunks::<4>().0.iter().enumerate() {
            let [key, more] = [[header[0], header[1]], [header[2], header[3]]].map(u16::from_le_bytes);
            let has_runs = runs.get(number / 8).is_some_and(|runs| runs >> (number % 8) & 1 != 0);
            self.read_page(form, key, usize::from(more) + 1, has_runs)?;
        }
        Some(())
    }

    fn read_page(&mut self, form: &mut Form<'_>, key: u16, slots: usize, has_runs: bool) -> Option<()> {
        let start = self.words.len();
        if self.pages.len() <= usize::from(key) {
            self.pages.resize(usize::from(key) + 1, 0);
        }
        self.pages[usize::from(key)] = (start / PAGE) as u32;
        if has_runs {
            self.words.resize(start + PAGE, 0);
            for _ in 0..form.u16()? {
                let (first, more) = (usize::from(form.u16()?), usize::from(form.u16()?));
                fill(&mut self.words[start..], first, first + more);
            }
        } else if slots > LONGEST_LIST {
            let words = form.take(PAGE * 8)?.as_chunks::<8>().0;
            self.words.extend(words.iter().map(|word| u64::from_le_bytes(*word)));
        } else {
            self.words.resize(start + PAGE, 0);
            let words = &mut self.words[start..];
            for slot in form.take(2 * slots)?.as_chunks::<2>().0 {
                let bit = usize::from(u16::from_le_bytes(*slot));
                words[bit / WORD] |= 1 << (bit % WORD);
            }
        }
        Some(())
    }
}

/// Sets the bits from the first to the last.
fn fill(words: &mut [u64], first: usize, last: usize) {
    let (begin, end) = (u64::MAX << (first % WORD), u64::MAX >> (WORD - 1 - last % WORD));
    let (first, last) = (first / WORD, last / WORD);
    if first == last {
        words[first] |= begin & end;
    } else {
        words[first] |= begin;
        words[first + 1..last].fill(u64::MAX);
        words[last] |= end;
    }
}

/// What is left of a set's portable form.
struct Form<'a>(&'a [u8]);

impl<'a> Form<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(*self.take(2)?.first_chunk()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads one set after the other into the same memory.
    fn check(sets: &[RoaringBitmap]) {
        let mut allowed = Allowed::default();
        for set in sets {
            allowed.load(set);
            let near = |slot: u32| [slot.saturating_sub(1), slot, slot.saturating_add(1), slot ^ (1 << 16)];
            for slot in set.iter().flat_map(near).chain([0, 65_535, 65_536, u32::MAX]) {
                assert_eq!(allowed.has(slot), set.contains(slot), "slot {slot} of {set:?}");
            }
        }
    }

    #[test]
    fn has_what_the_set_has_whatever_form_its_pages_take() {
        let lists = RoaringBitmap::from_iter((0..4_096).map(|slot| 3 * slot).chain([u32::MAX]));
        let bits = RoaringBitmap::from_iter((0..200_000).filter(|slot| slot % 3 == 1));
        let mut runs = RoaringBitmap::from_iter((0..10).flat_map(|run| run * 40_001..run * 40_001 + 20 * run + 64));
        runs.insert_range(500_000..700_000);
        runs.extend([1 << 30, (1 << 30) + 63, (1 << 30) + 64]);
        assert!(runs.optimize(), "there are runs");
        let mut few_runs = RoaringBitmap::from_iter(5..1_000);
        assert!(few_runs.optimize());
        let full = RoaringBitmap::from_iter(0..131_072);
        check(&[
            RoaringBitmap::new(),
            lists,
            bits,
            runs,
            few_runs,
            RoaringBitmap::from([7]),
            full,
            RoaringBitmap::new(),
        ]);
    }

    #[test]
    fn a_form_that_ends_early_is_refused() {
        let mut form = Vec::new();
        RoaringBitmap::from_iter(0..9_000).serialize_into(&mut form).unwrap();
        let read = |bytes| Allowed { words: vec![0; PAGE], ..Allowed::default() }.read(&mut Form(bytes));
        assert_eq!(read(&form), Some(()));
        assert!((0..form.len()).all(|end| read(&form[..end]).is_none()));
        assert_eq!(read(&[0; 64]), None);
    }
}
