//! State dicts: `torch.save(model.state_dict(), path)`, a pickled mapping of names to tensors.
//!
//! The mapping is a dict or an `OrderedDict`, bare or as the only entry of a dict under one of [`WRAPPERS`]. Anything
//! but tensors in it is refused by its key; the attributes of an `OrderedDict`, where PyTorch keeps version numbers of
//! modules, are ignored. Does not know archives.

use super::pickle::{Graph, NodeId, Value};
use super::record::{self, ORDERED_DICT};
use super::view::TensorView;
use super::{CheckpointError, CheckpointLimits};

/// Keys under which training scripts nest the state dict.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// The tensors of a state dict in the order of the file.
pub(super) fn tensors(
    graph: &Graph<'_>,
    limits: &CheckpointLimits,
) -> Result<Vec<(String, TensorView)>, CheckpointError> {
    let root = graph.root();
    let Some(mut entries) = mapping(graph, root)? else {
        return Err(CheckpointError::entry("(the whole file)", graph.describe(root)));
    };
    for (key, value) in entries {
        let wrapper = graph.text(*key).filter(|key| WRAPPERS.contains(key));
        if let (Some(wrapper), Some(inner)) = (wrapper, mapping(graph, *value)?) {
            refuse_others(graph, entries, *key, wrapper)?;
            entries = inner;
            break;
        }
    }
    limits.check_tensors(entries.len() as u64)?;
    entries.iter().map(|(key, value)| entry(graph, *key, *value, limits)).collect()
}

fn entry(
    graph: &Graph<'_>,
    key: NodeId,
    value: NodeId,
    limits: &CheckpointLimits,
) -> Result<(String, TensorView), CheckpointError> {
    let name = match (graph.text(key), graph.value(key)) {
        (Some(name), _) => name,
        (None, Value::Int(number)) => return Err(CheckpointError::entry(&number.to_string(), "named by a number")),
        _ => return Err(CheckpointError::entry(&graph.describe(key), "not named by a string")),
    };
    record::check_name(name)?;
    let view = record::view(graph, value, name, limits)?;
    let view = view.ok_or_else(|| CheckpointError::entry(name, graph.describe(value)))?;
    Ok((name.to_owned(), view))
}

/// A wrapper with more in it than weights is a training checkpoint; which part of it was meant is not ours to guess.
fn refuse_others(
    graph: &Graph<'_>,
    entries: &[(NodeId, NodeId)],
    wrapper_key: NodeId,
    wrapper: &str,
) -> Result<(), CheckpointError> {
    match entries.iter().find(|(key, _)| *key != wrapper_key) {
        None => Ok(()),
        Some((key, value)) => {
            let name = graph.text(*key).map_or_else(|| graph.describe(*key), str::to_owned);
            let found = format!("{} beside the weights in {wrapper:?}", graph.describe(*value));
            Err(CheckpointError::entry(&name, found))
        }
    }
}

/// The entries of a dict or an `OrderedDict`; `None` if the value is something else.
fn mapping<'g>(graph: &'g Graph<'_>, id: NodeId) -> Result<Option<&'g [(NodeId, NodeId)]>, CheckpointError> {
    match graph.value(id) {
        Value::Dict(entries) => Ok(Some(entries)),
        Value::Object(object) if graph.global(object.callable) == Some(ORDERED_DICT) => {
            if graph.tuple(object.arguments).is_none_or(|arguments| !arguments.is_empty()) {
                let found = "made by an OrderedDict call with arguments, as Python 2 wrote it";
                return Err(CheckpointError::entry("(the whole file)", found));
            }
            Ok(Some(&object.items))
        }
        _ => Ok(None),
    }
}
