//! TorchScript archives: the object graph of a compiled module, as `torch.jit.save` writes it.
//!
//! OpenAI's `RN50.pt` is one. Its `data.pkl` holds objects of compiled classes, named `__torch__.…`, each with a dict
//! of attributes; tensors among them are parameters and buffers, objects are submodules, and everything else (flags,
//! sizes, lists) configures the compiled code, which is never read. The result is what `state_dict()` would hold.
//! Does not know archives.

use super::pickle::{Graph, NodeId, Value};
use super::record;
use super::view::TensorView;
use super::{CheckpointError, CheckpointLimits};

/// Tensors that OpenAI's archives keep beside the weights; its own loader drops them too.
const NOT_WEIGHTS: [&str; 3] = ["input_resolution", "context_length", "vocab_size"];

/// Modules within modules; CLIP's deepest is 6.
const MAX_DEPTH: usize = 64;

/// What a TorchScript pickle may name: compiled classes, and markers for the element types of lists.
pub(super) fn allowed(module: &str, name: &str) -> bool {
    const MARKERS: [&str; 5] =
        ["build_boollist", "build_doublelist", "build_intlist", "build_tensorlist", "restore_type_tag"];
    record::allowed(module, name)
        || is_compiled(module)
        || (module == "torch.jit._pickle" && MARKERS.contains(&name))
        || (module, name) == ("torch", "device")
}

fn is_compiled(module: &str) -> bool {
    module == "__torch__" || module.starts_with("__torch__.")
}

/// The parameters and buffers by their dotted names, in the order of the file.
pub(super) fn tensors(
    graph: &Graph<'_>,
    limits: &CheckpointLimits,
) -> Result<Vec<(String, TensorView)>, CheckpointError> {
    let root = graph.root();
    let Some(attributes) = submodule(graph, root, "(the whole file)")? else {
        return Err(CheckpointError::entry("(the whole file)", graph.describe(root)));
    };
    let mut walk = Walk { graph, limits, visited: 0, tensors: Vec::new() };
    walk.module("", attributes, 0)?;
    walk.tensors.retain(|(name, _)| !NOT_WEIGHTS.contains(&name.as_str()));
    Ok(walk.tensors)
}

struct Walk<'g, 'p> {
    graph: &'g Graph<'p>,
    limits: &'g CheckpointLimits,
    /// Attributes seen so far. A module may appear in several places, so there can be far more than values in the file.
    visited: u64,
    tensors: Vec<(String, TensorView)>,
}

impl Walk<'_, '_> {
    fn module(&mut self, prefix: &str, attributes: &[(NodeId, NodeId)], depth: usize) -> Result<(), CheckpointError> {
        if depth > MAX_DEPTH {
            return Err(CheckpointError::entry(prefix, format!("nested deeper than {MAX_DEPTH} modules")));
        }
        self.visited += attributes.len() as u64;
        self.limits.check_objects(self.visited)?;
        for (key, value) in attributes {
            let Some(key) = self.graph.text(*key) else {
                return Err(CheckpointError::entry(prefix, "a module with an attribute not named by a string"));
            };
            record::check_name(key)?;
            let name = format!("{prefix}{key}");
            record::check_name(&name)?;
            if let Some(view) = record::view(self.graph, *value, &name, self.limits)? {
                self.limits.check_tensors(self.tensors.len() as u64 + 1)?;
                self.tensors.push((name, view));
            } else if let Some(attributes) = submodule(self.graph, *value, &name)? {
                self.module(&format!("{name}."), attributes, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// The attributes of a compiled module; `None` if the value is something else.
fn submodule<'g>(
    graph: &'g Graph<'_>,
    id: NodeId,
    name: &str,
) -> Result<Option<&'g [(NodeId, NodeId)]>, CheckpointError> {
    let Value::Object(object) = graph.value(id) else { return Ok(None) };
    if graph.global(object.callable).is_none_or(|(module, _)| !is_compiled(module)) {
        return Ok(None);
    }
    match object.state.map(|state| graph.value(state)) {
        Some(Value::Dict(attributes)) => Ok(Some(attributes)),
        None => Ok(Some(&[])),
        // Quantised modules pack their weights into a tuple of their own making.
        Some(_) => Err(CheckpointError::entry(name, "a module with a state of its own format (quantised?)")),
    }
}
