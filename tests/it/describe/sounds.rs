//! What sounds say: chunks of WAV, RF64 and AIFF, and tags.

use super::build::{aiff_chunk, bext, flac, id3, id3_frame, info, mp3_frames, riff_chunk, utf16, wav};
use super::{Expected, check, sound};

const IXML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<BWFXML>
  <IXML_VERSION>2.10</IXML_VERSION><PROJECT>Film</PROJECT><SCENE>12A</SCENE><TAKE>3</TAKE><TAPE>R7</TAPE>
  <CIRCLED>TRUE</CIRCLED><NOTE>wind &amp; birds</NOTE>
  <TRACK_LIST><TRACK><NAME>Boom</NAME></TRACK><TRACK><NAME>Lav</NAME></TRACK></TRACK_LIST>
  <BEXT><BWF_DESCRIPTION>mirror</BWF_DESCRIPTION></BEXT>
  <USER>
    <CATEGORY>DOORS</CATEGORY><SUBCATEGORY>WOOD</SUBCATEGORY><CATID>DOORWood</CATID><FXNAME>Door Creak</FXNAME>
    <DESCRIPTION>Old oak door creaks</DESCRIPTION><KEYWORDS>creak, oak; Door</KEYWORDS><LIBRARY>Doors 1</LIBRARY>
  </USER>
</BWFXML>"#;

const IXML_FIELDS: [(&str, &str); 16] = [
    ("ixml.bext.bwf_description", "mirror"),
    ("ixml.circled", "TRUE"),
    ("ixml.ixml_version", "2.10"),
    ("ixml.note", "wind & birds"),
    ("ixml.project", "Film"),
    ("ixml.scene", "12A"),
    ("ixml.take", "3"),
    ("ixml.tape", "R7"),
    ("ixml.track_list.track.name", "Boom; Lav"),
    ("ixml.user.category", "DOORS"),
    ("ixml.user.catid", "DOORWood"),
    ("ixml.user.description", "Old oak door creaks"),
    ("ixml.user.fxname", "Door Creak"),
    ("ixml.user.keywords", "creak, oak; Door"),
    ("ixml.user.library", "Doors 1"),
    ("ixml.user.subcategory", "WOOD"),
];

const BEXT_FIELDS: [(&str, &str); 9] = [
    ("bext.coding_history", "A=PCM,F=48000,W=24,M=mono,T=x"),
    ("bext.description", "Tür, alt"),
    ("bext.loudness_value", "-23.00"),
    ("bext.origination_date", "2024-05-06"),
    ("bext.origination_time", "12:34:56"),
    ("bext.originator", "Recorder 7"),
    ("bext.originator_reference", "REF123"),
    ("bext.time_reference", "5000000000"),
    ("bext.version", "2"),
];

const INFO_FIELDS: [(&str, &str); 6] = [
    ("info.artist", "Somebody"),
    ("info.comment", "a comment"),
    ("info.date", "2024"),
    ("info.genre", "Foley"),
    ("info.keywords", "door; Hinge"),
    ("info.title", "Info title"),
];

fn chunks() -> Vec<Vec<u8>> {
    let texts: [(&[u8; 4], &str); 6] = [
        (b"INAM", "Info title"),
        (b"ICMT", "a comment"),
        (b"IART", "Somebody"),
        (b"IKEY", "door; Hinge"),
        (b"IGNR", "Foley"),
        (b"ICRD", "2024"),
    ];
    vec![info(&texts), bext("Tür, alt"), riff_chunk(b"iXML", IXML.as_bytes())]
}

fn all_fields() -> Vec<(&'static str, &'static str)> {
    [&BEXT_FIELDS[..], &IXML_FIELDS, &INFO_FIELDS].concat()
}

fn expected<'a>(fields: &'a [(&'a str, &'a str)]) -> Expected<'a> {
    Expected {
        title: "Door Creak",
        text: "Old oak door creaks",
        creator: "Recorder 7",
        category: "DOORS",
        subcategory: "WOOD",
        keywords: &["door", "Hinge", "Foley", "creak", "oak"],
        fields,
    }
}

#[test]
fn broadcast_wave_files_say_it_all_behind_the_sound() {
    check(&sound(&wav(&chunks())), &expected(&all_fields()));
}

#[test]
fn large_files_give_the_size_of_the_sound_elsewhere() {
    for id in [b"RF64", b"BW64"] {
        let mut file = wav(&chunks());
        file[..8].copy_from_slice(&[&id[..], &[0xff; 4]].concat());
        let data = file.windows(4).position(|id| id == b"data").unwrap();
        file[data + 4..data + 8].fill(0xff);
        let sizes = [9_999_u64, 9, 0].map(u64::to_le_bytes).concat();
        file.splice(12..12, riff_chunk(b"ds64", &[&sizes[..], &[0; 4]].concat()));
        check(&sound(&file), &expected(&all_fields()));
    }
}

#[test]
fn sizes_that_lie_cost_what_they_hide() {
    let whole = wav(&chunks());
    // The size of the whole does not matter, and neither does a missing pad byte behind the nine bytes of sound.
    let mut file = whole.clone();
    file[4..8].fill(0);
    check(&sound(&file), &expected(&all_fields()));
    let data = whole.windows(4).position(|id| id == b"data").unwrap();
    file.remove(data + 8 + 9);
    check(&sound(&file), &expected(&all_fields()));
    // A sound that claims all the rest hides what follows; a chunk that does is read as far as there is something.
    let mut file = whole.clone();
    file[data + 4..data + 8].fill(0xff);
    check(&sound(&file), &Expected::default());
    let mut file = wav(&[bext("short")]);
    let at = file.windows(4).position(|id| id == b"bext").unwrap();
    file[at + 4..at + 8].fill(0xff);
    file.truncate(at + 8 + 100);
    check(&sound(&file), &Expected { text: "short", fields: &[("bext.description", "short")], ..Expected::default() });
}

#[test]
fn the_standard_block_of_game_audio_comes_first() {
    let ixml = r"<BWFXML><USER><FXNAME>user</FXNAME><CATEGORY>RAIN</CATEGORY></USER><ASWG><contentType>sfx</contentType>
        <catId>AMBForst</catId><fxName>Dawn</fxName><creatorId>ABC</creatorId><library>L</library></ASWG>
        <STEINBERG><ATTR_LIST><ATTR><TYPE>string</TYPE><NAME>MediaComment</NAME><VALUE>birds</VALUE></ATTR></ATTR_LIST>
        </STEINBERG></BWFXML>";
    let fields = [
        ("ixml.aswg.catid", "AMBForst"),
        ("ixml.aswg.contenttype", "sfx"),
        ("ixml.aswg.creatorid", "ABC"),
        ("ixml.aswg.fxname", "Dawn"),
        ("ixml.aswg.library", "L"),
        ("ixml.attribute.mediacomment", "birds"),
        ("ixml.user.category", "RAIN"),
        ("ixml.user.fxname", "user"),
    ];
    let expected = Expected { title: "Dawn", creator: "ABC", category: "RAIN", fields: &fields, ..Expected::default() };
    check(&sound(&wav(&[riff_chunk(b"iXML", ixml.as_bytes())])), &expected);
    // The CatID alone says both.
    let ixml = "<BWFXML><USER><CATID>ambforst</CATID></USER></BWFXML>";
    let expected = Expected {
        category: "AMBIENCE",
        subcategory: "FOREST",
        fields: &[("ixml.user.catid", "ambforst")],
        ..Expected::default()
    };
    let wide: Vec<u8> = utf16(ixml);
    check(&sound(&wav(&[riff_chunk(b"iXML", ixml.as_bytes())])), &expected);
    check(&sound(&wav(&[riff_chunk(b"iXML", &wide)])), &expected);
}

#[test]
fn broken_documents_leave_the_others_alone() {
    let info = info(&[(b"INAM", "t")]);
    for ixml in ["<BWFXML><NOTE>cut", "", "<!DOCTYPE a><a>b</a>", "\u{0}\u{0}"] {
        let file = wav(&[riff_chunk(b"iXML", ixml.as_bytes()), info.clone()]);
        check(&sound(&file), &Expected { title: "t", fields: &[("info.title", "t")], ..Expected::default() });
    }
}

#[test]
fn labels_of_markers_are_fields() {
    let labels = [riff_chunk(b"labl", b"\x01\0\0\0knock\0"), riff_chunk(b"note", b"\x02\0\0\0slam\0")].concat();
    let file = wav(&[riff_chunk(b"LIST", &[b"adtl", &labels[..]].concat())]);
    check(&sound(&file), &Expected { fields: &[("cue.labels", "knock; slam")], ..Expected::default() });
}

fn aiff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [b"FORM", &u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], b"AIFF", &body].concat()
}

#[test]
fn aiff_files_have_texts_and_tags() {
    let tag = id3(3, &[id3_frame(3, b"TCON", b"\0Ambience")]);
    let comment = [&[0, 1, 0, 0, 0, 9, 0, 0, 0, 3][..], b"odd\0"].concat();
    let file = aiff(&[
        aiff_chunk(b"NAME", b"Dog"),
        aiff_chunk(b"SSND", &[1; 11]),
        aiff_chunk(b"AUTH", b"Somebody"),
        aiff_chunk(b"ANNO", b"barks twice"),
        aiff_chunk(b"(c) ", b"nobody"),
        aiff_chunk(b"COMT", &comment),
        aiff_chunk(b"ID3 ", &tag),
    ]);
    let fields = [
        ("aiff.annotation", "barks twice"),
        ("aiff.author", "Somebody"),
        ("aiff.comment", "odd"),
        ("aiff.copyright", "nobody"),
        ("aiff.name", "Dog"),
        ("id3.genre", "Ambience"),
    ];
    let expected = Expected {
        title: "Dog",
        text: "barks twice",
        creator: "Somebody",
        keywords: &["Ambience"],
        fields: &fields,
        ..Expected::default()
    };
    check(&sound(&file), &expected);
}

#[test]
fn id3_of_both_versions_is_read() {
    for version in [3, 4] {
        let frame = |id: &[u8; 4], data: &[u8]| id3_frame(version, id, data);
        let wide = |text: &str| [&[1][..], &utf16(text)].concat();
        let tag = id3(
            version,
            &[
                frame(b"TIT2", &wide("Hündchen")),
                frame(b"TPE1", b"\0J\xf6rg"),
                frame(b"TCON", b"\0Sound Clip"),
                frame(b"COMM", &[&b"\x01eng"[..], &utf16(""), &utf16("barks")].concat()),
                frame(b"TXXX", b"\0Category\0ANIMALS"),
                frame(b"TXXX", b"\0My Field\0mine"),
            ],
        );
        let fields = [
            ("id3.artist", "Jörg"),
            ("id3.category", "ANIMALS"),
            ("id3.comment", "barks"),
            ("id3.genre", "Sound Clip"),
            ("id3.my_field", "mine"),
            ("id3.title", "Hündchen"),
        ];
        let expected = Expected {
            title: "Hündchen",
            text: "barks",
            creator: "Jörg",
            category: "ANIMALS",
            keywords: &["Sound Clip"],
            fields: &fields,
            ..Expected::default()
        };
        check(&sound(&[&tag[..], &mp3_frames()].concat()), &expected);
        check(&sound(&wav(&[riff_chunk(b"id3 ", &tag)])), &expected);
    }
}

#[test]
fn id3_at_the_end_is_read() {
    let mut tag = [0; 128];
    tag[..3].copy_from_slice(b"TAG");
    tag[3..10].copy_from_slice(b"A title");
    tag[33..39].copy_from_slice(b"Artist");
    tag[127] = 255;
    let fields = [("id3.artist", "Artist"), ("id3.title", "A title")];
    let expected = Expected { title: "A title", creator: "Artist", fields: &fields, ..Expected::default() };
    check(&sound(&[&mp3_frames()[..], &tag].concat()), &expected);
    // A tag of another kind that is broken does not matter.
    let broken = [b"APETAGEX", &2000_u32.to_le_bytes()[..], &[0xff; 8], &[0; 12]].concat();
    check(&sound(&[&mp3_frames()[..], &broken, &tag].concat()), &expected);
    let id3 = id3(3, &[id3_frame(3, b"TCOM", b"\0Composer")]);
    let fields = [("id3.artist", "Artist"), ("id3.composer", "Composer"), ("id3.title", "A title")];
    let expected = Expected { fields: &fields, ..expected };
    check(&sound(&[&id3, &mp3_frames()[..], &broken, &tag].concat()), &expected);
}

#[test]
fn compressed_frames_are_left_out() {
    // A megabyte of them may be a gigabyte.
    let packed = [0, 0, 0, 2, 0x78, 0x9c, 0x63, 0x48, 0x04, 0x00, 0x00, 0x65, 0x00, 0x62];
    let tag = |version, flags| {
        let mut frame = id3_frame(version, b"TIT2", &packed);
        frame[9] = flags;
        id3(version, &[id3_frame(version, b"TCOM", b"\0before"), frame, id3_frame(version, b"TPE1", b"\0behind")])
    };
    let fields = [("id3.artist", "behind"), ("id3.composer", "before")];
    let expected = Expected { creator: "behind", fields: &fields, ..Expected::default() };
    for (version, flags) in [(3, 0x80), (4, 0x09), (4, 0x08)] {
        let tag = tag(version, flags);
        check(&sound(&[&tag[..], &mp3_frames()].concat()), &expected);
        // Not even where nobody looks for a tag.
        let hidden = [&[0; 8][..], &tag, &mp3_frames()].concat();
        assert_eq!(sound(&hidden).title, None);
    }
}

#[test]
fn vorbis_comments_keep_their_names() {
    let file = flac(&[
        "TITLE=Dog",
        "Artist=Somebody",
        "DESCRIPTION=barks",
        "GENRE=Animals",
        "keywords=dog; bark",
        "CATID=ANMLDog",
        "Microphone=Small one",
        "METADATA_BLOCK_PICTURE=AAAA",
        "no value",
    ]);
    let fields = [
        ("vorbis.artist", "Somebody"),
        ("vorbis.catid", "ANMLDog"),
        ("vorbis.description", "barks"),
        ("vorbis.genre", "Animals"),
        ("vorbis.keywords", "dog; bark"),
        ("vorbis.microphone", "Small one"),
        ("vorbis.title", "Dog"),
    ];
    let expected = Expected {
        title: "Dog",
        text: "barks",
        creator: "Somebody",
        category: "ANIMALS",
        subcategory: "DOG",
        keywords: &["Animals", "dog", "bark"],
        fields: &fields,
    };
    check(&sound(&file), &expected);
}
