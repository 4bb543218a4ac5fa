//! Descriptive metadata of real and made-up files.
//!
//! Every file is made byte by byte, and described exactly; then it is cut, mutated and made to lie, and must at worst
//! be described less.

mod build;
mod damage;
mod pictures;
mod sounds;

use std::io::Cursor;

use earmark::describe::describe;
use earmark::library::Description;
use earmark::media::MediaKind;

fn sound(bytes: &[u8]) -> Description {
    describe(&mut Cursor::new(bytes), MediaKind::Audio)
}

fn picture(bytes: &[u8]) -> Description {
    describe(&mut Cursor::new(bytes), MediaKind::Image)
}

/// What a test expects, in short.
#[derive(Default)]
struct Expected<'a> {
    title: &'a str,
    text: &'a str,
    creator: &'a str,
    category: &'a str,
    subcategory: &'a str,
    keywords: &'a [&'a str],
    fields: &'a [(&'a str, &'a str)],
}

#[track_caller]
fn check(found: &Description, expected: &Expected<'_>) {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let expected = Description {
        title: text(expected.title),
        text: text(expected.text),
        creator: text(expected.creator),
        category: text(expected.category),
        subcategory: text(expected.subcategory),
        keywords: expected.keywords.iter().map(|&keyword| keyword.to_owned()).collect(),
        fields: expected.fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    assert_eq!(*found, expected);
}
