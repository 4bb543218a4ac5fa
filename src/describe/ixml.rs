//! iXML, the production metadata of sound recorders and sound libraries (specification 2.10 and 3).
//!
//! Every element that holds text becomes a field `ixml.` and its path below the root, in small letters. Owns what the
//! elements of the blocks USER, ASWG and BEXT say about the content. Invariant: the document is walked without
//! recursion.

use roxmltree::Node;

use super::draft::{Draft, Role, Source};
use super::text::document;
use super::xml;

/// iXML needs five levels; what is deeper is not iXML.
const DEEPEST: usize = 16;

/// Notes what the document says; one that is not well formed says nothing.
pub(super) fn read(chunk: &[u8], draft: &mut Draft) {
    let text = document(chunk);
    let Some(document) = xml::parse(&text) else { return };
    let is_shallow = |node: &Node<'_, '_>| node.ancestors().nth(DEEPEST).is_none();
    let elements = document.root_element().descendants().filter(Node::is_element);
    for node in elements.filter(is_shallow) {
        if node.tag_name().name().eq_ignore_ascii_case("ATTR") {
            attribute(node, draft);
        } else if let Some(text) = own_text(node) {
            let path = path(node);
            let (source, role) = meaning(&path);
            draft.note(source, &format!("ixml.{}", path.join(".")), role, text);
        }
    }
}

/// Names from below the root down to the element, in small letters.
fn path(node: Node<'_, '_>) -> Vec<String> {
    let mut names: Vec<String> = node
        .ancestors()
        .filter(Node::is_element)
        .filter(|node| node.parent_element().is_some())
        .map(|node| node.tag_name().name().to_lowercase())
        .collect();
    names.reverse();
    names
}

/// The text of an element, except for what editors of Steinberg keep in lists of attributes.
fn own_text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let is_attribute =
        node.parent_element().is_some_and(|parent| parent.tag_name().name().eq_ignore_ascii_case("ATTR"));
    node.text().filter(|text| !is_attribute && !text.trim().is_empty())
}

/// `<ATTR><TYPE>string</TYPE><NAME>…</NAME><VALUE>…</VALUE></ATTR>`.
fn attribute(node: Node<'_, '_>, draft: &mut Draft) {
    let child = |name: &str| {
        let mut children = node.children().filter(|child| child.tag_name().name().eq_ignore_ascii_case(name));
        children.find_map(|child| child.text())
    };
    if let (Some(name), Some(value)) = (child("NAME"), child("VALUE")) {
        draft.note(Source::Ixml, &format!("ixml.attribute.{}", name.trim()), None, value);
    }
}

fn meaning(path: &[String]) -> (Source, Option<Role>) {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match names.as_slice() {
        ["aswg", name] => (Source::Aswg, library_role(name)),
        ["user", .., name] => (Source::IxmlUser, library_role(name)),
        ["bext", "bwf_description"] | ["note"] => (Source::Ixml, Some(Role::Text)),
        ["bext", "bwf_originator"] => (Source::Ixml, Some(Role::Creator)),
        _ => (Source::Ixml, None),
    }
}

/// What the fields of sound libraries mean, whose names differ little between the blocks.
fn library_role(name: &str) -> Option<Role> {
    match name {
        "fxname" | "tracktitle" | "title" | "songtitle" => Some(Role::Title),
        "description" | "notes" => Some(Role::Text),
        "designer" | "recordist" | "artist" | "creator" | "creatorid" | "originator" => Some(Role::Creator),
        "category" => Some(Role::Category),
        "subcategory" => Some(Role::Subcategory),
        "catid" => Some(Role::CatId),
        "keywords" | "genre" => Some(Role::Keywords),
        _ => None,
    }
}
