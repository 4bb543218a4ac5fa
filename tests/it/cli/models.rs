//! `earmark model list`, `show`, `verify` and `remove`.

use earmark::model_store::{ModelName, ModelStore};

use super::workplace::{Workplace, args, contains, json, names_in};

#[test]
fn list_and_show_say_what_a_model_is() {
    let workplace = Workplace::with_model();
    let listed = workplace.succeed(args!["model", "list", "--json"]);
    let listed = json(listed.lines().next().unwrap());
    assert_eq!(json(&workplace.succeed(args!["model", "show", "tiny", "--json"])), listed);
    assert_eq!(listed["name"], "tiny");
    assert_eq!(listed["parameters"], 4_502_698);
    assert_eq!(listed["dtype"], "f32");
    assert_eq!(listed["source"]["name"], "audioclip_tiny.pt");
    for digest in [&listed["sha256"], &listed["space"], &listed["source"]["sha256"]] {
        let digest = digest.as_str().unwrap();
        assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    }
    let space = listed["space"].as_str().unwrap();
    let table = workplace.succeed(args!["model", "list"]);
    contains(&table, &["NAME", "tiny", "text, image, audio", "4502698", "f32", &space[..16], "audioclip_tiny.pt"]);
    let shown = workplace.succeed(args!["model", "show", "tiny"]);
    contains(&shown, &["4502698", space, "audioclip_tiny.pt", workplace.tiny().to_str().unwrap()]);
}

#[test]
fn an_empty_directory_is_no_error_and_an_unknown_name_is() {
    let workplace = Workplace::new();
    let run = workplace.run(args!["model", "list"]);
    assert_eq!(run.code, 0);
    contains(&run.stderr, &["no other model is installed", "earmark model pull"]);
    for command in ["show", "verify", "remove"] {
        contains(&workplace.fail(1, args!["model", command, "nope"]), &["no model nope is installed"]);
        contains(&workplace.fail(1, args!["model", command, "../nope"]), &["cannot name a model"]);
    }
}

#[test]
fn remove_removes() {
    let workplace = Workplace::with_model();
    contains(&workplace.succeed(args!["model", "remove", "tiny"]), &["removed", "tiny.safetensors"]);
    assert_eq!(names_in(&workplace.models()), [""; 0]);
    workplace.fail(1, args!["model", "remove", "tiny"]);
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let workplace = Workplace::with_model();
    contains(&workplace.succeed(args!["model", "verify", "tiny"]), &["verified tiny"]);
    let sound = std::fs::read(workplace.tiny()).unwrap();
    let header = 8 + usize::try_from(u64::from_le_bytes(sound[..8].try_into().unwrap())).unwrap();
    let find = |text: &str| sound[..header].windows(text.len()).position(|it| it == text.as_bytes()).unwrap();
    let offsets = [0, 8, find("audioclip_tiny.pt"), find("source_sha256") + 20, header - 1, header, sound.len() - 1];
    for offset in offsets.into_iter().chain([header + (sound.len() - header) / 2]) {
        let mut damaged = sound.clone();
        damaged[offset] ^= 1;
        std::fs::write(workplace.tiny(), damaged).unwrap();
        for command in [args!["model", "verify", "tiny"], args!["embed", "--text", "a"]] {
            let run = workplace.run(command);
            assert_eq!((run.code, run.stdout.as_slice()), (1, b"".as_slice()), "{offset}: {}", run.stderr);
            contains(&run.stderr, &["tiny.safetensors: ", "import"]);
        }
    }
    std::fs::write(workplace.tiny(), &sound[..sound.len() - 1]).unwrap();
    workplace.fail(1, args!["model", "verify", "tiny"]);
    std::fs::write(workplace.tiny(), [&sound[..], b"\0"].concat()).unwrap();
    workplace.fail(1, args!["model", "verify", "tiny"]);
}

/// The header alone is enough to notice a change of the header.
#[test]
fn no_bit_of_the_header_can_change() {
    let workplace = Workplace::with_model();
    let store = ModelStore::new(workplace.models());
    let name = ModelName::new("tiny").unwrap();
    let sound = std::fs::read(workplace.tiny()).unwrap();
    let header = 8 + usize::try_from(u64::from_le_bytes(sound[..8].try_into().unwrap())).unwrap();
    store.find(&name).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(workplace.tiny()).unwrap();
    let put = |offset: usize, byte: u8| {
        use std::io::{Seek, SeekFrom, Write};
        (&file).seek(SeekFrom::Start(offset as u64)).unwrap();
        (&file).write_all(&[byte]).unwrap();
    };
    // 101 is prime, so that the samples fall on all parts of the entries.
    for offset in (0..header).step_by(101).chain(header - 8..header) {
        put(offset, sound[offset] ^ (1 << (offset % 8)));
        assert!(store.find(&name).is_err(), "byte {offset}");
        put(offset, sound[offset]);
    }
    store.verify(&name).unwrap();
}
