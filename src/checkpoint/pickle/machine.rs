//! The stack machine behind [`read`].
//!
//! Knows the instructions' effects on stack, memo and graph, and nothing of what the values mean.

use std::collections::HashMap;

use super::super::{CheckpointError, CheckpointLimits};
use super::cursor::Cursor;
use super::graph::{Graph, NodeId, Object, Value};
use super::opcode as op;

/// Whether a class or function, given by module and name, may be named in a pickle.
type GlobalPolicy = fn(module: &str, name: &str) -> bool;

/// Reads one whole pickle. Fails on anything that is not plain data or known to `policy`.
pub(in crate::checkpoint) fn read<'p>(
    pickle: &'p [u8],
    policy: GlobalPolicy,
    limits: &CheckpointLimits,
) -> Result<Graph<'p>, CheckpointError> {
    let mut machine = Machine {
        input: Cursor::new(pickle),
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        policy,
        limits,
    };
    loop {
        let opcode = machine.input.opcode()?;
        if opcode == op::STOP {
            return machine.finish();
        }
        machine.step(opcode)?;
    }
}

struct Machine<'p, 'l> {
    input: Cursor<'p>,
    nodes: Vec<Value<'p>>,
    stack: Vec<NodeId>,
    /// Stack heights at the open marks; instructions may not reach below the last one.
    marks: Vec<usize>,
    memo: HashMap<u32, NodeId>,
    policy: GlobalPolicy,
    limits: &'l CheckpointLimits,
}

impl<'p> Machine<'p, '_> {
    fn finish(mut self) -> Result<Graph<'p>, CheckpointError> {
        let root = self.pop()?;
        if !self.stack.is_empty() || !self.marks.is_empty() {
            return Err(self.input.damage("values left over"));
        }
        if !self.input.is_at_end() {
            return Err(self.input.damage("bytes left over after the end"));
        }
        Ok(Graph { nodes: self.nodes, root })
    }

    fn step(&mut self, opcode: u8) -> Result<(), CheckpointError> {
        match opcode {
            op::PROTO => self.protocol(),
            // Frames only group instructions; what they hold is read as it comes.
            op::FRAME => self.input.array::<8>().map(|_| ()),
            op::MARK => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            op::NONE
            | op::NEWTRUE
            | op::NEWFALSE
            | op::BININT
            | op::BININT1
            | op::BININT2
            | op::LONG1
            | op::BINFLOAT
            | op::BINUNICODE
            | op::SHORT_BINUNICODE
            | op::BINUNICODE8
            | op::BINBYTES
            | op::SHORT_BINBYTES => self.scalar(opcode),
            op::EMPTY_TUPLE | op::TUPLE | op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => self.tuple(opcode),
            op::EMPTY_LIST => self.push(Value::List(Vec::new())),
            op::EMPTY_DICT => self.push(Value::Dict(Vec::new())),
            op::APPEND | op::APPENDS => self.append(opcode),
            op::SETITEM | op::SETITEMS => self.set_items(opcode),
            op::GLOBAL | op::STACK_GLOBAL => self.global(opcode),
            op::REDUCE | op::NEWOBJ => self.call(),
            op::BUILD => self.build(),
            op::BINPERSID => {
                let id = self.pop()?;
                self.push(Value::Persistent(id))
            }
            op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.remember(opcode),
            op::BINGET | op::LONG_BINGET => self.recall(opcode),
            _ => {
                let name = op::refused_name(opcode);
                Err(CheckpointError::RefusedOpcode { offset: self.input.instruction(), opcode, name })
            }
        }
    }

    fn protocol(&mut self) -> Result<(), CheckpointError> {
        match self.input.byte()? {
            2..=5 => Ok(()),
            version => Err(self.input.damage(format!("protocol is {version}, expected 2 to 5"))),
        }
    }

    fn scalar(&mut self, opcode: u8) -> Result<(), CheckpointError> {
        let value = match opcode {
            op::NONE => Value::None,
            op::NEWTRUE => Value::Bool(true),
            op::NEWFALSE => Value::Bool(false),
            op::BININT => Value::Int(i32::from_le_bytes(self.input.array()?).into()),
            op::BININT1 => Value::Int(self.input.byte()?.into()),
            op::BININT2 => Value::Int(u16::from_le_bytes(self.input.array()?).into()),
            op::LONG1 => Value::Int(self.input.long()?),
            op::BINFLOAT => self.input.array::<8>().map(|_| Value::Float)?,
            op::BINUNICODE | op::SHORT_BINUNICODE | op::BINUNICODE8 => Value::Text(self.text(opcode)?),
            // The callers send the two byte strings besides the above.
            _ => {
                let length = if opcode == op::BINBYTES { self.input.word()?.into() } else { self.input.byte()?.into() };
                self.input.bytes(length)?;
                Value::Bytes
            }
        };
        self.push(value)
    }

    fn text(&mut self, opcode: u8) -> Result<&'p str, CheckpointError> {
        let length = match opcode {
            op::BINUNICODE => self.input.word()?.into(),
            op::SHORT_BINUNICODE => self.input.byte()?.into(),
            _ => u64::from_le_bytes(self.input.array()?),
        };
        let bytes = self.input.bytes(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.input.damage("a string is not UTF-8"))
    }

    fn tuple(&mut self, opcode: u8) -> Result<(), CheckpointError> {
        let items = match opcode {
            op::EMPTY_TUPLE => Vec::new(),
            op::TUPLE1 => self.pop_many(1)?,
            op::TUPLE2 => self.pop_many(2)?,
            op::TUPLE3 => self.pop_many(3)?,
            _ => self.pop_to_mark()?,
        };
        self.push(Value::Tuple(items))
    }

    fn append(&mut self, opcode: u8) -> Result<(), CheckpointError> {
        let mut added = if opcode == op::APPEND { self.pop_many(1)? } else { self.pop_to_mark()? };
        match self.top()? {
            Value::List(items) => {
                items.append(&mut added);
                Ok(())
            }
            _ => Err(self.input.damage("items are appended to something that is not a list")),
        }
    }

    fn set_items(&mut self, opcode: u8) -> Result<(), CheckpointError> {
        let added = if opcode == op::SETITEM { self.pop_many(2)? } else { self.pop_to_mark()? };
        let (pairs, rest) = added.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.input.damage("a key has no value"));
        }
        match self.top()? {
            Value::Dict(items) | Value::Object(Object { items, .. }) => {
                items.extend(pairs.iter().map(|[key, value]| (*key, *value)));
                Ok(())
            }
            _ => Err(self.input.damage("items are set on something that is not a dict")),
        }
    }

    fn global(&mut self, opcode: u8) -> Result<(), CheckpointError> {
        let (module, name) = if opcode == op::GLOBAL {
            (self.input.line()?, self.input.line()?)
        } else {
            let names = self.pop_many(2)?;
            let text = |id: NodeId| if let Value::Text(text) = self.nodes[id.index()] { Some(text) } else { None };
            match (text(names[0]), text(names[1])) {
                (Some(module), Some(name)) => (module, name),
                _ => return Err(self.input.damage("the name of a class is not a string")),
            }
        };
        if !(self.policy)(module, name) {
            return Err(CheckpointError::global(module, name));
        }
        self.push(Value::Global { module, name })
    }

    /// Records a call; nothing is called.
    fn call(&mut self) -> Result<(), CheckpointError> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        match (&self.nodes[callable.index()], &self.nodes[arguments.index()]) {
            (Value::Global { .. }, Value::Tuple(_)) => {
                self.push(Value::Object(Object { callable, arguments, items: Vec::new(), state: None }))
            }
            (Value::Global { .. }, _) => Err(self.input.damage("the arguments of a call are not a tuple")),
            _ => Err(self.input.damage("something that is not a class or function is called")),
        }
    }

    fn build(&mut self) -> Result<(), CheckpointError> {
        let given = self.pop()?;
        match self.top()? {
            Value::Object(Object { state: state @ None, .. }) => {
                *state = Some(given);
                Ok(())
            }
            Value::Object(_) => Err(self.input.damage("an object is given its state twice")),
            _ => Err(self.input.damage("something that is not an object is given a state")),
        }
    }

    fn remember(&mut self, opcode: u8) -> Result<(), CheckpointError> {
        let key = match opcode {
            op::BINPUT => self.input.byte()?.into(),
            op::LONG_BINPUT => self.input.word()?,
            // As many entries as there are are in use, and there are fewer than instructions.
            _ => u32::try_from(self.memo.len()).map_err(|_| self.input.damage("too many values are remembered"))?,
        };
        let value = *self.stack[self.floor()..].last().ok_or_else(|| self.input.damage("nothing to remember"))?;
        self.memo.insert(key, value);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), CheckpointError> {
        let key = if opcode == op::BINGET { self.input.byte()?.into() } else { self.input.word()? };
        let value =
            *self.memo.get(&key).ok_or_else(|| self.input.damage(format!("value {key} was never remembered")))?;
        self.stack.push(value);
        Ok(())
    }

    fn push(&mut self, value: Value<'p>) -> Result<(), CheckpointError> {
        self.limits.check_objects(self.nodes.len() as u64 + 1)?;
        let id = NodeId::at(self.nodes.len()).ok_or_else(|| self.input.damage("too many values"))?;
        self.nodes.push(value);
        self.stack.push(id);
        Ok(())
    }

    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<NodeId, CheckpointError> {
        if self.stack.len() <= self.floor() {
            return Err(self.input.damage("a value is missing"));
        }
        self.stack.pop().ok_or_else(|| self.input.damage("a value is missing"))
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<NodeId>, CheckpointError> {
        match self.stack.len().checked_sub(count) {
            Some(start) if start >= self.floor() => Ok(self.stack.split_off(start)),
            _ => Err(self.input.damage("a value is missing")),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<NodeId>, CheckpointError> {
        let start = self.marks.pop().ok_or_else(|| self.input.damage("a mark is missing"))?;
        Ok(self.stack.split_off(start))
    }

    fn top(&mut self) -> Result<&mut Value<'p>, CheckpointError> {
        let id = *self.stack[self.floor()..].last().ok_or_else(|| self.input.damage("a value is missing"))?;
        Ok(&mut self.nodes[id.index()])
    }
}
