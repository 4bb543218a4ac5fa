//! XML documents of strangers, parsed within bounds.
//!
//! Owns what the parser leaves open: it takes time that grows with the square of an element's attributes, and memory
//! with the square of the declared name spaces. Invariant: no document type is read, no entity resolved but XML's own
//! five.

use roxmltree::{Document, ParsingOptions};

/// iXML of recorders with 64 tracks needs some 600, XMP of a long edited picture some thousands.
const MOST_NODES: u32 = 100_000;
/// XMP of raw developers has some hundreds.
const MOST_ATTRIBUTES: usize = 2048;
const MOST_NAMESPACES: usize = 256;

/// The document, if it is well formed and of ordinary proportions.
pub(super) fn parse(text: &str) -> Option<Document<'_>> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    if most_attributes(text) > MOST_ATTRIBUTES || text.matches("xmlns").nth(MOST_NAMESPACES).is_some() {
        return None;
    }
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).ok()
}

/// No element has more attributes, as there are no more equals signs from where it starts to where the next one does.
fn most_attributes(text: &str) -> usize {
    text.split('<').map(|tag| tag.bytes().filter(|byte| *byte == b'=').count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn ordinary_documents_are_parsed() {
        assert!(parse(" \u{feff}<?xml version='1.0'?><a b='c'>d &amp; e</a>\r\n\0").is_some());
        let attributes = (0..1000).fold(String::new(), |mut all, n| write!(all, " a{n}='='").map(|()| all).unwrap());
        assert!(parse(&format!("<a{attributes}/>")).is_some());
    }

    #[test]
    fn others_are_refused_soon() {
        let many = |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
        let start = Instant::now();
        for document in [
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".to_owned(),
            "<a>b".to_owned(),
            "<a>".repeat(1_000_000),
            "<".repeat(1_000_000),
            format!("<a>{}</a>", "<b/>".repeat(MOST_NODES as usize)),
            format!("<a{}/>", many(200_000, &|n| format!(" a{n}=''"))),
            many(60_000, &|n| format!("<a xmlns:a{n}='{n}'>")),
        ] {
            assert!(parse(&document).is_none());
        }
        // Unbounded, the last two take minutes and gigabytes.
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{}{}", "<a>".repeat(90_000), "</a>".repeat(90_000));
        assert!(parse(&deep).is_some());
    }
}
