use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, cleaned: &str) {
    assert_eq!(clean(text), cleaned, "{text:?}");
}

#[test]
fn closed_references_become_characters() {
    check("rock &amp; roll", "rock & roll");
    check("rock &amp;amp;amp;amp; roll", "rock & roll");
    check("P&EACUTE;REZ", "pérez");
    check("a&nbsp;b", "a b");
}

#[test]
fn references_without_a_semicolon_count_as_in_python() {
    check("AT&ampT", "at&t");
    check("&notit;", "¬it;");
    check("&notin;", "∉");
    check("&bogus; &", "&bogus; &");
}

#[test]
fn numeric_references_are_corrected_as_in_html_5() {
    check("it&#146;s", "it's");
    check("&#x1F431;", "🐱");
    check("a&#x1;b&#xFFFE;c", "abc");
    check("&#xD800; &#1114112; &#99999999999999999999;", "� � �");
    // With a literal `<` ftfy leaves references alone, and straight quotes are ftfy's.
    check("<b>it&#146;s", "<b>it’s");
}

#[test]
fn a_literal_less_than_silences_ftfy_from_its_line_on() {
    check("&EACUTE;\n<b>\n&EACUTE;", "é <b> &eacute;");
}

#[test]
fn misread_utf_8_is_read_again() {
    check("schÃ¶n cafÃ©", "schön café");
    check("РџСЂРёРІРµС‚", "привет");
    check("‚Äúhi‚Äù", "\"hi\"");
    check("voilÃ le travail", "voilà le travail");
    check("Ã s vezes", "às vezes");
    check("ÃƒÂ© twice", "é twice");
    check("日本 schÃ¶n", "日本 schön");
    check("â€œlostâ€\u{fffd}", "\"lost�");
}

#[test]
fn sound_text_is_left_alone() {
    check("Ação à la carte, São Tomé; ÂME", "ação à la carte, são tomé; âme");
    check("naïve café — привет · 10 °C", "naïve café — привет · 10 °c");
}

#[test]
fn characters_take_their_usual_form() {
    check("“curly” ‘quotes’", "\"curly\" 'quotes'");
    check("ﬁ ŉ ǆ", "fi 'n dž");
    check("ＦＵＬＬ　ｶﾞ", "full ガ");
    check("e\u{301}", "é");
    check("\u{1b}[31mred\u{1b}[0m", "red");
    check("\u{7}bell\0\u{feff}", "bell");
    check("don\u{92}t", "don't");
}

#[test]
fn white_space_is_single() {
    check("\t a\r\nb\rc\u{2028}d\u{85}\u{a0}e  ", "a b c d… e");
    check(" \n ", "");
}

#[test]
fn lower_case_is_pythons() {
    check("İSTANBUL ΟΔΟΣ ẞ", "i\u{307}stanbul οδος ß");
}

/// Each of these loses one character a round to the reference.
#[test]
fn text_made_to_take_forever_does_not() {
    let megabyte = 1 << 20;
    for (start, unit) in [("&", "amp;"), ("Ã", "\u{83}"), ("\u{83}Â", "\u{82}"), ("&#38", ";#38")] {
        let text = format!("{start}{}", unit.repeat(megabyte / unit.len()));
        assert!(!clean(&text).is_empty());
    }
    for unit in ["Ã©", "â€œ", "ÃƒÂ© ", "&", "&#", "<", "e\u{301}", "\u{301}", "\n", "日", "\u{1b}["] {
        clean(&unit.repeat(megabyte / unit.len()));
    }
}

#[test]
fn a_short_text_is_repaired_whatever_it_takes() {
    check(&format!("&{}lt;", "amp;".repeat(2_000)), "<");
}

/// What the repairs look at: entities, the characters of misread UTF-8, and whatever else there is.
fn tricky() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "&(#[0-9]{1,12}|#[xX][0-9a-fA-F]{1,9}|[a-zA-Z]{1,8});?",
        "[\u{80}-ÿŒœŠšŸŽžƒˆ˜–-”„†-•…‰‹›€™\u{fffd}А-яΑ-ω ]{1,8}",
        "\\PC{0,4}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_text_can_be_cleaned(text in prop_oneof![tricky(), any::<String>()]) {
        let cleaned = clean(&text);
        prop_assert!(!cleaned.contains("  "));
        prop_assert_eq!(cleaned.trim(), &cleaned);
    }
}
