//! What a pickle says, as plain values that refer to each other by number.
//!
//! Invariant: every [`NodeId`] handed out indexes its graph. Values may be shared and may contain themselves, so
//! whoever walks the graph bounds the walk.

/// The place of a value in its [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::checkpoint) struct NodeId(u32);

/// One pickled value. Strings borrow from the pickle.
#[derive(Debug, PartialEq)]
pub(in crate::checkpoint) enum Value<'p> {
    None,
    Bool(bool),
    Int(i64),
    /// A float; no tensor record holds one, so its digits are not kept.
    Float,
    Text(&'p str),
    /// A byte string; no tensor record holds one, so its content is not kept.
    Bytes,
    Tuple(Vec<NodeId>),
    List(Vec<NodeId>),
    Dict(Vec<(NodeId, NodeId)>),
    /// A class or function, by name only.
    Global {
        module: &'p str,
        name: &'p str,
    },
    /// What calling `callable` with `arguments` would have made.
    Object(Object),
    /// A reference to something outside the pickle; for PyTorch, a storage.
    Persistent(NodeId),
}

/// A call that was never made: the callable, its arguments, and what was then stored in the result.
#[derive(Debug, PartialEq)]
pub(in crate::checkpoint) struct Object {
    /// A [`Value::Global`].
    pub(in crate::checkpoint) callable: NodeId,
    /// A [`Value::Tuple`].
    pub(in crate::checkpoint) arguments: NodeId,
    /// Key and value pairs set on it, for mappings.
    pub(in crate::checkpoint) items: Vec<(NodeId, NodeId)>,
    /// Its attributes or other state.
    pub(in crate::checkpoint) state: Option<NodeId>,
}

/// All values of one pickle.
#[derive(Debug)]
pub(in crate::checkpoint) struct Graph<'p> {
    pub(super) nodes: Vec<Value<'p>>,
    pub(super) root: NodeId,
}

impl<'p> Graph<'p> {
    pub(in crate::checkpoint) fn root(&self) -> NodeId {
        self.root
    }

    pub(in crate::checkpoint) fn value(&self, id: NodeId) -> &Value<'p> {
        &self.nodes[id.index()]
    }

    pub(in crate::checkpoint) fn text(&self, id: NodeId) -> Option<&'p str> {
        if let Value::Text(text) = self.value(id) { Some(text) } else { None }
    }

    pub(in crate::checkpoint) fn tuple(&self, id: NodeId) -> Option<&[NodeId]> {
        if let Value::Tuple(items) = self.value(id) { Some(items) } else { None }
    }

    /// A non-negative integer.
    pub(in crate::checkpoint) fn count(&self, id: NodeId) -> Option<u64> {
        if let Value::Int(number) = self.value(id) { u64::try_from(*number).ok() } else { None }
    }

    /// Module and name of a class or function.
    pub(in crate::checkpoint) fn global(&self, id: NodeId) -> Option<(&'p str, &'p str)> {
        if let Value::Global { module, name } = self.value(id) { Some((module, name)) } else { None }
    }

    /// The value in words, for messages.
    pub(in crate::checkpoint) fn describe(&self, id: NodeId) -> String {
        match self.value(id) {
            Value::None => "None".into(),
            Value::Bool(_) => "a bool".into(),
            Value::Int(_) => "an integer".into(),
            Value::Float => "a float".into(),
            Value::Text(_) => "a string".into(),
            Value::Bytes => "a byte string".into(),
            Value::Tuple(_) => "a tuple".into(),
            Value::List(_) => "a list".into(),
            Value::Dict(_) => "a dict".into(),
            Value::Global { module, name } => super::super::error::shorten(&format!("the class {module}.{name}")),
            Value::Object(object) => match self.global(object.callable) {
                Some((module, name)) => super::super::error::shorten(&format!("an object of {module}.{name}")),
                None => "an object".into(),
            },
            Value::Persistent(_) => "a bare storage".into(),
        }
    }
}

impl NodeId {
    pub(super) fn at(index: usize) -> Option<Self> {
        u32::try_from(index).ok().map(Self)
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}
