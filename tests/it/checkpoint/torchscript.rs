//! TorchScript archives: OpenAI's own CLIP files, rebuilt in miniature to the layout that `torch.jit.save` writes.

use earmark::checkpoint::CheckpointFormat;

use super::writer::{archive, call, dict, floats, int, list, none, object, pickle, tensor, text, tuple};
use super::{names, open, refusal};

const NUMBERS: [f32; 2] = [0.5, -1.5];

/// An archive around one module object.
fn scripted(root: &[u8]) -> Vec<u8> {
    archive(&[
        ("RN50/constants.pkl", &pickle(b")")),
        ("RN50/code/__torch__/multimodal/model.py", b"class Multimodal(Module):\n  pass\n"),
        ("RN50/data.pkl", &pickle(root)),
        ("RN50/data/0", &floats(&NUMBERS)),
        ("RN50/data/1", &[0x00, 0x3c, 0x00, 0xc1]),
        ("RN50/data/2", &224_i64.to_le_bytes()),
        ("RN50/version", b"3\n"),
    ])
}

/// A sound archive to damage.
pub(super) fn small() -> Vec<u8> {
    let inner = object("__torch__.a", "B", &[("weight", weight())]);
    scripted(&object("__torch__", "A", &[("b", inner), ("training", b"\x88".to_vec())]))
}

fn weight() -> Vec<u8> {
    tensor("HalfStorage", "1", &[2]).record()
}

#[test]
fn parameters_are_named_by_their_path() {
    let conv = object(
        "__torch__.torch.nn.modules.conv.___torch_mangle_3",
        "Conv2d",
        &[("training", b"\x89".to_vec()), ("weight", weight()), ("bias", none())],
    );
    let norm = object(
        "__torch__.torch.nn.modules.batchnorm",
        "BatchNorm2d",
        &[("running_mean", tensor("FloatStorage", "0", &[2]).record())],
    );
    let sizes = call("torch.jit._pickle", "build_intlist", &[list(&[int(3), int(4)])]);
    let tagged = call("torch.jit._pickle", "restore_type_tag", &[dict(&[]), text("Dict[str, int]")]);
    let device = call("torch", "device", &[text("cpu")]);
    let block = object("__torch__.torch.nn.modules.container", "Sequential", &[("0", conv), ("1", norm)]);
    let counter = tensor("LongStorage", "2", &[]).record();
    let root = object(
        "__torch__.multimodal.model",
        "Multimodal",
        &[
            ("logit_scale", tensor("FloatStorage", "0", &[2]).view(1, &[], &[]).record()),
            ("input_resolution", counter.clone()),
            ("context_length", counter.clone()),
            ("vocab_size", counter.clone()),
            ("layers", sizes),
            ("tags", tagged),
            ("device", device),
            ("shape", tuple(&[int(1), b"G\x3f\xf0\0\0\0\0\0\0".to_vec()])),
            ("visual", object("__torch__.multimodal.model", "Visual", &[("layer1", block)])),
            ("steps", counter),
        ],
    );
    let mut file = open(scripted(&root)).unwrap();
    assert_eq!(file.format(), CheckpointFormat::TorchScript);
    assert_eq!(names(&file), ["logit_scale", "visual.layer1.0.weight", "visual.layer1.1.running_mean", "steps"]);
    assert_eq!(file.read_f32("logit_scale").unwrap(), [-1.5]);
    assert_eq!(file.read_f32("visual.layer1.0.weight").unwrap(), [1.0, -2.5]);
    assert_eq!(file.read_f32("visual.layer1.1.running_mean").unwrap(), NUMBERS);
    assert_eq!(file.read("steps").unwrap(), 224_i64.to_le_bytes());
}

#[test]
fn anything_but_modules_and_tensors_is_refused() {
    let check = |root: &[u8], expected: &str| {
        let message = refusal(scripted(root));
        assert!(message.contains(expected), "{message}");
    };
    check(&object("torchvision.models", "ResNet", &[]), "asks for torchvision.models.ResNet");
    check(&object("__torch__x", "Module", &[]), "asks for __torch__x.Module");
    check(&call("torch.jit._pickle", "build_tensor_from_id", &[int(0)]), "build_tensor_from_id");
    check(&dict(&[("t", weight())]), "entry \"(the whole file)\" is a dict");
    let quantised =
        [super::writer::global("__torch__.q", "Linear"), b")\x81".to_vec(), tuple(&[int(1)]), b"b".to_vec()];
    let root = object("__torch__", "Module", &[("fc", quantised.concat())]);
    check(&root, "entry \"fc\" is a module with a state of its own format");
}

#[test]
fn modules_that_contain_themselves_have_an_end() {
    // An object that is remembered, and then is its own attribute.
    let own = [&super::writer::global("__torch__", "Module")[..], b")\x81q\x00}", &text("m"), b"h\x00sb"].concat();
    assert!(refusal(scripted(&own)).contains("nested deeper than 64 modules"));

    // Each module holds the next one twice: 2^60 paths to the innermost.
    let mut twice = object("__torch__", "Module", &[]);
    for slot in 0..60 {
        let again = [&b"h"[..], &[slot]].concat();
        let first = [&twice[..], b"q", &[slot]].concat();
        twice = object("__torch__", "Module", &[("a", first), ("b", again)]);
    }
    assert!(refusal(scripted(&twice)).contains("raise limits.checkpoint.pickle_objects"));
}
