//! Tensor records: what PyTorch pickles in place of a tensor.
//!
//! Owns which classes and functions a weights file may name, and their meaning. Nothing is called: a record of the call
//! `torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, …)` is read as a [`TensorView`].
//! Does not know how tensors are arranged in dicts or modules.

use super::pickle::{Graph, NodeId, Value};
use super::view::{Storage, TensorView};
use super::{CheckpointError, CheckpointLimits, Dtype};

const REBUILD_TENSOR: (&str, &str) = ("torch._utils", "_rebuild_tensor_v2");
const REBUILD_PARAMETER: (&str, &str) = ("torch._utils", "_rebuild_parameter");
pub(super) const ORDERED_DICT: (&str, &str) = ("collections", "OrderedDict");

/// Longest name of a tensor or storage. A pickle can use one long string many times, and each use is copied.
const MAX_NAME_BYTES: usize = 1024;

/// The classes and functions that a state dict of plain tensors needs.
pub(super) fn allowed(module: &str, name: &str) -> bool {
    [REBUILD_TENSOR, REBUILD_PARAMETER, ORDERED_DICT].contains(&(module, name))
        || (module == "torch" && Dtype::of_torch_storage(name).is_some())
}

/// Refuses names of a length that only a hostile file would have.
pub(super) fn check_name(name: &str) -> Result<(), CheckpointError> {
    if name.len() <= MAX_NAME_BYTES {
        return Ok(());
    }
    Err(CheckpointError::entry(name, format!("named by {} bytes, expected at most {MAX_NAME_BYTES}", name.len())))
}

/// The tensor that `id` is a record of; `None` if it is something else. `tensor` is its name, for messages.
pub(super) fn view(
    graph: &Graph<'_>,
    id: NodeId,
    tensor: &str,
    limits: &CheckpointLimits,
) -> Result<Option<TensorView>, CheckpointError> {
    let damage = |reason: &str| CheckpointError::tensor(tensor, reason);
    let Value::Object(object) = graph.value(id) else { return Ok(None) };
    let arguments = graph.tuple(object.arguments).unwrap_or_default();
    match graph.global(object.callable) {
        Some(REBUILD_PARAMETER) => {
            let inner = *arguments.first().ok_or_else(|| damage("its parameter record is empty"))?;
            // A parameter wraps a plain tensor, never another parameter: one step, so no recursion.
            match graph.value(inner) {
                Value::Object(wrapped) if graph.global(wrapped.callable) == Some(REBUILD_TENSOR) => {
                    rebuilt(graph, graph.tuple(wrapped.arguments).unwrap_or_default(), tensor, limits).map(Some)
                }
                _ => Err(damage("its parameter record holds no tensor")),
            }
        }
        Some(REBUILD_TENSOR) => rebuilt(graph, arguments, tensor, limits).map(Some),
        _ => Ok(None),
    }
}

/// Arguments: storage, offset, shape, strides, requires_grad, backward_hooks, and optionally metadata.
fn rebuilt(
    graph: &Graph<'_>,
    arguments: &[NodeId],
    tensor: &str,
    limits: &CheckpointLimits,
) -> Result<TensorView, CheckpointError> {
    let damage = |reason: &str| CheckpointError::tensor(tensor, reason);
    let &[storage, offset, shape, strides, ..] = arguments else {
        return Err(damage("its record has fewer than four arguments"));
    };
    if let Some(metadata) = arguments.get(6)
        && !matches!(graph.value(*metadata), Value::None)
    {
        return Err(damage("it is a negated, conjugated or otherwise marked view; save tensor.clone() instead"));
    }
    let storage = declared_storage(graph, storage).ok_or_else(|| damage("its storage record is not as PyTorch's"))?;
    let offset = graph.count(offset).ok_or_else(|| damage("its offset is not a count"))?;
    let shape = counts(graph, shape).ok_or_else(|| damage("its shape is not a tuple of counts"))?;
    let strides = counts(graph, strides).ok_or_else(|| damage("its strides are not a tuple of counts"))?;
    TensorView::new(tensor, storage, offset, &shape, &strides, limits)
}

/// `('storage', torch.FloatStorage, key, location, elements)`; the location, e.g. `cuda:0`, is of no interest.
fn declared_storage(graph: &Graph<'_>, id: NodeId) -> Option<Storage> {
    let Value::Persistent(id) = graph.value(id) else { return None };
    let &[tag, class, key, _location, elements] = graph.tuple(*id)? else { return None };
    if graph.text(tag)? != "storage" {
        return None;
    }
    let ("torch", class) = graph.global(class)? else { return None };
    let dtype = Dtype::of_torch_storage(class)?;
    let key = graph.text(key).filter(|key| key.len() <= MAX_NAME_BYTES)?;
    Some(Storage { key: key.to_owned(), dtype, elements: graph.count(elements)? })
}

fn counts(graph: &Graph<'_>, id: NodeId) -> Option<Vec<u64>> {
    graph.tuple(id)?.iter().map(|count| graph.count(*count)).collect()
}
