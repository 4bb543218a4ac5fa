//! `earmark model import`: all or nothing, and everything that is wrong at once.

use super::checkpoints::{Tensor, encode, position, tiny};
use super::workplace::{TINY, Workplace, args, contains, json, names_in};

#[test]
fn the_same_file_twice_is_one_model_and_another_file_needs_force() {
    let workplace = Workplace::new();
    let import = args!["model", "import", crate::shared(TINY), "--name", "tiny", "--model-dir", "models"];
    let first = workplace.succeed(import);
    contains(&first, &["installed tiny: 4502698 parameters, space ", "tiny.safetensors"]);
    assert_eq!(workplace.succeed(import), first);

    workplace.write("other.safetensors", encode(&tiny()));
    let other = args!["model", "import", "other.safetensors", "--name", "tiny", "--model-dir", "models"];
    contains(&workplace.fail(1, other), &["error: ", "tiny from another file", "--name", "--force"]);
    let mut forced = other.to_vec();
    forced.push("--force".into());
    // The same tensors are the same space, whatever the file around them.
    assert_eq!(workplace.succeed(&forced), first);
    assert_eq!(names_in(&workplace.path("models")), ["tiny.safetensors"]);
}

#[test]
fn a_damaged_checkpoint_leaves_nothing() {
    let workplace = Workplace::new();
    let whole = std::fs::read(crate::shared(TINY)).unwrap();
    let flipped = {
        let mut bytes = whole.clone();
        bytes[whole.len() / 2] ^= 1;
        bytes
    };
    let check = |content: &[u8]| {
        workplace.write("broken.pt", content);
        let stderr = workplace.fail(1, args!["model", "import", "broken.pt", "--model-dir", "models"]);
        assert!(stderr.starts_with("error: broken.pt: "), "{stderr}");
        assert_eq!(names_in(&workplace.path("models")), [""; 0]);
    };
    check(b"");
    check(b"PK\x03\x04");
    check(b"<html>not found</html>");
    check(&whole[..1000]);
    check(&whole[..whole.len() / 2]);
    check(&whole[..whole.len() - 1]);
    check(&flipped);
    let stderr = workplace.fail(1, args!["model", "import", "none.pt", "--model-dir", "models"]);
    assert!(stderr.starts_with("error: none.pt: "), "{stderr}");
    assert_eq!(stderr.matches("No such file").count(), 1, "{stderr}");
}

#[test]
fn every_tensor_that_does_not_fit_is_named() {
    let workplace = Workplace::new();
    let check = |change: fn(&mut Vec<Tensor>), expected: &[&str]| {
        let mut tensors = tiny();
        change(&mut tensors);
        workplace.write("odd.safetensors", encode(&tensors));
        let stderr = workplace.fail(1, args!["model", "import", "odd.safetensors", "--model-dir", "models"]);
        assert!(stderr.starts_with("error: odd.safetensors: "), "{stderr}");
        contains(&stderr, expected);
        assert_eq!(names_in(&workplace.path("models")), [""; 0]);
    };
    check(
        |tensors| {
            tensors.remove(position(tensors, "ln_final.bias"));
            tensors.remove(position(tensors, "audio.fc.bias"));
            tensors.push(Tensor {
                name: "optimizer.step".into(),
                dtype: safetensors::Dtype::F32,
                shape: vec![1],
                bytes: vec![0; 4],
            });
            let scale = position(tensors, "logit_scale");
            tensors[scale].shape = vec![1];
        },
        &[
            "4 tensors do not fit",
            "ln_final.bias: missing",
            "audio.fc.bias: missing",
            "optimizer.step: not part of the model",
            "logit_scale: shape is [1], expected []",
        ],
    );
    check(
        |tensors| {
            for (name, value) in [("ln_final.bias", f32::NAN), ("logit_scale_ai", f32::INFINITY)] {
                let tensor = position(tensors, name);
                tensors[tensor].bytes[..4].copy_from_slice(&value.to_le_bytes());
            }
        },
        &["2 tensors do not fit", "ln_final.bias: value 0 is not finite", "logit_scale_ai: value 0 is not finite"],
    );
}

#[test]
fn data_parallel_names_and_installed_models_are_the_same_model() {
    let workplace = Workplace::with_model();
    let space = |name: &str| json(&workplace.succeed(args!["model", "show", name, "--json"]))["space"].clone();
    let mut tensors = tiny();
    tensors.iter_mut().for_each(|tensor| tensor.name.insert_str(0, "module."));
    workplace.write("parallel.safetensors", encode(&tensors));
    workplace.succeed(args!["model", "import", "parallel.safetensors"]);
    workplace.succeed(args!["model", "import", workplace.tiny(), "--name", "again"]);
    assert_eq!(space("parallel"), space("tiny"));
    assert_eq!(space("again"), space("tiny"));
}
