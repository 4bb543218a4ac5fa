"""Makes protocol_{2..5}.pt: state dicts as torch.save lays them out, pickled by CPython in each protocol.

PyTorch is not needed: classes of the same names stand in for its own. Run it in this folder.
"""

import collections
import io
import pickle
import struct
import sys
import types
import zipfile

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules["torch"], sys.modules["torch._utils"] = torch, utils


def stand_in(module, name, make):
    made = make(name)
    made.__module__, made.__qualname__ = module.__name__, name
    setattr(module, name, made)
    return made


for name in ("FloatStorage", "LongStorage"):
    stand_in(torch, name, lambda name: type(name, (), {}))
stand_in(utils, "_rebuild_tensor_v2", lambda _: lambda *arguments: None)


class Storage:
    def __init__(self, kind, key, content, elements):
        self.kind, self.key, self.content, self.elements = kind, key, content, elements


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.record = (storage, offset, shape, strides, False, collections.OrderedDict())

    def __reduce__(self):
        return utils._rebuild_tensor_v2, self.record


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", value.kind, value.key, "cuda:0", value.elements)


six = Storage(torch.FloatStorage, "94227201226240", struct.pack("<6f", *range(6)), 6)
count = Storage(torch.LongStorage, "94227201226336", struct.pack("<q", 1 << 40), 1)
empty = Storage(torch.FloatStorage, "94227201226432", b"", 0)
weights = collections.OrderedDict()
weights["a.weight"] = Tensor(six, 0, (2, 3), (3, 1))
weights["a.transposed"] = Tensor(six, 0, (3, 2), (1, 3))
weights["b.count"] = Tensor(count, 0, (), ())
weights["c.empty"] = Tensor(empty, 0, (0,), (1,))
weights["d.shared"] = Tensor(six, 4, (), ())
weights._metadata = collections.OrderedDict({"": {"version": 1}, "a": {"version": 2}})

for protocol in range(2, 6):
    with zipfile.ZipFile(f"protocol_{protocol}.pt", "w", zipfile.ZIP_STORED) as archive:
        def put(name, content):
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), content)

        data = io.BytesIO()
        Pickler(data, protocol).dump(weights)
        put("data.pkl", data.getvalue())
        for storage in (six, count, empty):
            put(f"data/{storage.key}", storage.content)
        put("version", b"3\n")
