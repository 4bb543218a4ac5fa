//! XMP: the Dublin Core properties, which picture editors and agencies fill in (ISO 16684-1, section 8.4).

use roxmltree::Node;

use super::draft::{Draft, Role, Source};
use super::text::document;
use super::xml;

const DUBLIN_CORE: &str = "http://purl.org/dc/elements/1.1/";
const PROPERTIES: [(&str, &str, Option<Role>); 5] = [
    ("title", "xmp.title", Some(Role::Title)),
    ("description", "xmp.description", Some(Role::Text)),
    ("creator", "xmp.creator", Some(Role::Creator)),
    ("subject", "xmp.subject", Some(Role::Keywords)),
    ("rights", "xmp.rights", None),
];

/// Notes what the document says; one that is not well formed says nothing.
pub(super) fn read(bytes: &[u8], draft: &mut Draft) {
    let text = document(bytes);
    let Some(document) = xml::parse(&text) else { return };
    for node in document.descendants().filter(|node| node.tag_name().namespace() == Some(DUBLIN_CORE)) {
        let property = PROPERTIES.iter().find(|(local, ..)| *local == node.tag_name().name());
        let Some((_, name, role)) = property else { continue };
        // A plain text, or a list of them; the first of several languages is the default one.
        let items = node.descendants().filter(|child| child.tag_name().name() == "li");
        let most = if node.descendants().any(|child| child.tag_name().name() == "Alt") { 1 } else { usize::MAX };
        for text in node.text().into_iter().chain(items.filter_map(|item: Node<'_, '_>| item.text()).take(most)) {
            draft.note(Source::Xmp, name, *role, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_languages_and_plain_texts_are_read() {
        let packet = br#"<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
            <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
            xmlns:dc="http://purl.org/dc/elements/1.1/">
            <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Dog</rdf:li><rdf:li xml:lang="de">Hund</rdf:li></rdf:Alt>
            </dc:title><dc:subject><rdf:Bag><rdf:li>dog</rdf:li><rdf:li>bark</rdf:li></rdf:Bag></dc:subject>
            <dc:rights>nobody</dc:rights></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#;
        let mut draft = Draft::default();
        read(packet, &mut draft);
        let description = draft.finish();
        assert_eq!(description.title.as_deref(), Some("Dog"));
        assert_eq!(description.keywords, ["dog", "bark"]);
        assert_eq!(description.fields["xmp.subject"], "dog; bark");
        assert_eq!(description.fields["xmp.rights"], "nobody");
        assert_eq!(description.fields["xmp.title"], "Dog");
    }
}
