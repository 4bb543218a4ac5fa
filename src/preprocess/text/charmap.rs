//! The single-byte encodings that UTF-8 is most often misread in.
//!
//! Owns the code tables (from the Unicode Consortium's mapping files) and nothing else. Invariant: bytes below 0x80 are
//! ASCII in every one of them.

use std::sync::LazyLock;

/// One encoding: how its bytes read as characters, and back.
pub(super) struct Charmap {
    /// Whether unassigned bytes stand for themselves and byte 0x1A for U+FFFD, the mark that a lost character leaves.
    pub(super) sloppy: bool,
    /// What bytes 0x80 to 0xFF read as.
    upper: Vec<char>,
    /// The same the other way round, in order of characters.
    bytes: Vec<(char, u8)>,
}

/// The byte that stands for a lost character in a sloppy encoding: ASCII's SUBSTITUTE.
const LOST: u8 = 0x1a;

/// The encodings in the order in which ftfy tries them; the first is Latin-1.
pub(super) static CHARMAPS: LazyLock<[Charmap; 9]> = LazyLock::new(|| {
    [
        Charmap::new(false, ""),
        Charmap::new(true, WINDOWS_1252),
        Charmap::new(true, WINDOWS_1251),
        Charmap::new(true, WINDOWS_1250),
        Charmap::new(true, WINDOWS_1253),
        Charmap::new(true, WINDOWS_1254),
        Charmap::new(false, ISO_8859_2),
        Charmap::new(false, MAC_ROMAN),
        Charmap::new(false, CP437),
    ]
});

/// What Windows makes of a C1 control character: punctuation mostly. The five it leaves unassigned stay.
pub(super) fn windows_1252_char(c1: char) -> char {
    u8::try_from(c1).map_or(c1, |byte| CHARMAPS[1].decode(byte))
}

impl Charmap {
    /// Takes the characters of the last bytes up to 0xFF. Bytes before them and those marked `�` stand for themselves.
    fn new(sloppy: bool, table: &str) -> Self {
        let first = 0x100 - table.chars().count();
        let mut upper: Vec<char> = ('\u{80}'..='\u{ff}').collect();
        for (slot, c) in upper[first - 0x80..].iter_mut().zip(table.chars()) {
            if c != char::REPLACEMENT_CHARACTER {
                *slot = c;
            }
        }
        let mut bytes: Vec<(char, u8)> = upper.iter().copied().zip(0x80..=0xff).collect();
        bytes.sort_unstable();
        Self { sloppy, upper, bytes }
    }

    /// The bytes that `text` would have been misread from, or `None` when this encoding lacks one of its characters.
    pub(super) fn encode(&self, text: &str) -> Option<Vec<u8>> {
        text.chars().map(|c| self.encode_char(c)).collect()
    }

    fn encode_char(&self, c: char) -> Option<u8> {
        match u8::try_from(c) {
            Ok(LOST) if self.sloppy => None,
            Ok(ascii @ 0..0x80) => Some(ascii),
            _ if self.sloppy && c == char::REPLACEMENT_CHARACTER => Some(LOST),
            _ => self.bytes.binary_search_by_key(&c, |entry| entry.0).ok().map(|found| self.bytes[found].1),
        }
    }

    fn decode(&self, byte: u8) -> char {
        byte.checked_sub(0x80).map_or(char::from(byte), |upper| self.upper[usize::from(upper)])
    }
}

const WINDOWS_1252: &str = "\
     €�‚ƒ„…†‡ˆ‰Š‹Œ�Ž��‘’“”•–—˜™š›œ�žŸ\
     \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿\
     ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
     àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";
const WINDOWS_1251: &str = "\
     ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—�™љ›њќћџ\
     \u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї\
     АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ\
     абвгдежзийклмнопрстуфхцчшщъыьэюя";
const WINDOWS_1250: &str = "\
     €�‚�„…†‡�‰Š‹ŚŤŽŹ�‘’“”•–—�™š›śťžź\
     \u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż\
     ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
     ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
const WINDOWS_1253: &str = "\
     €�‚ƒ„…†‡�‰�‹�����‘’“”•–—�™�›����\
     \u{a0}΅Ά£¤¥¦§¨©�«¬\u{ad}®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏ\
     ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ�ΣΤΥΦΧΨΩΪΫάέήί\
     ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ�";
const WINDOWS_1254: &str = "\
     €�‚ƒ„…†‡ˆ‰Š‹Œ����‘’“”•–—˜™š›œ��Ÿ\
     \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿\
     ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß\
     àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ";
const ISO_8859_2: &str = "\
     \u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žż\
     ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
     ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
const MAC_ROMAN: &str = "\
     ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü\
     †°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø\
     ¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ\
     ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";
const CP437: &str = "\
     ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
     áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
     └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
