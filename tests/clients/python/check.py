"""Calls every method of a running earmark through a stock gRPC client, with stubs made from the server's reflection.

Prints a line for each call and ends with 0 only if all of them did what they should. Changes nothing that stays: it
adds a watched folder of its own, with two sounds, and removes it again.
"""

import argparse
import concurrent.futures
import math
import pathlib
import struct
import sys
import tempfile
import threading
import time

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status
from google.rpc import error_details_pb2

SERVICES = ["Admin", "Embed", "Info", "Library", "Search"]
RATE_HZ = 44_100
PATIENCE_S = 120
Code = grpc.StatusCode


class Client:
    """Methods by name, as reflection describes them."""

    def __init__(self, channel):
        self.channel = channel
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)
        self.called = set()
        self.methods = {}
        for service in self.services():
            if service.startswith("earmark."):
                for method in self.pool.FindServiceByName(service).methods:
                    self.methods[f"{service.rsplit('.', 1)[1]}.{method.name}"] = method

    def services(self):
        return sorted(self.database.get_services())

    def message(self, name, **fields):
        """A message of earmark.v1."""
        kind = message_factory.GetMessageClass(self.pool.FindMessageTypeByName(f"earmark.v1.{name}"))
        return kind(**fields)

    def call(self, name, request, timeout=PATIENCE_S):
        """Calls a method; streams in are any iterable, streams out an iterator."""
        self.called.add(name)
        method = self.methods[name]
        path = f"/{method.containing_service.full_name}/{method.name}"
        answer = message_factory.GetMessageClass(method.output_type)
        kinds = {
            (False, False): self.channel.unary_unary,
            (False, True): self.channel.unary_stream,
            (True, False): self.channel.stream_unary,
            (True, True): self.channel.stream_stream,
        }
        stub = kinds[method.client_streaming, method.server_streaming](
            path, request_serializer=lambda it: it.SerializeToString(), response_deserializer=answer.FromString
        )
        return stub(iter(request) if method.client_streaming else request, timeout=timeout)


class Report:
    """A line for each check."""

    def __init__(self):
        self.wrong = 0
        self.right = 0

    def line(self, fine, name, note):
        self.right += fine
        self.wrong += not fine
        print(f"{'ok   ' if fine else 'WRONG'} {name:<36} {note}", flush=True)

    def check(self, name, action, judge=lambda answer: ""):
        """An action that must succeed; `judge` returns a note, or raises AssertionError."""
        begin = time.perf_counter()
        try:
            answer = action()
            note = judge(answer)
        except grpc.RpcError as error:
            self.line(False, name, f"{error.code().name}: {error.details()}")
            return None
        except AssertionError as error:
            self.line(False, name, f"not as expected: {error}")
            return None
        self.line(True, name, f"{1e3 * (time.perf_counter() - begin):8.2f} ms  {note}")
        return answer

    def refuse(self, name, action, code, field=None):
        """An action that must be refused with a code, and if a field is given, because of it."""
        try:
            action()
        except grpc.RpcError as error:
            named = {violation.field for violation in violations(error)}
            fine = error.code() == code and (field is None or field in named)
            self.line(fine, name, f"{error.code().name}, expected {code.name}; {sorted(named)}: {error.details()[:80]}")
        else:
            self.line(False, name, f"was answered, expected {code.name}")


def violations(error):
    """The fields that BadRequest among the details names."""
    status = rpc_status.from_call(error)
    found = []
    for detail in status.details if status else []:
        bad = error_details_pb2.BadRequest()
        if detail.Is(bad.DESCRIPTOR) and detail.Unpack(bad):
            found.extend(bad.field_violations)
    return found


def tone(frequency_hz, seconds=1):
    """A sine as a WAVE file of 16 bits, one channel."""
    turn = 2 * math.pi * frequency_hz / RATE_HZ
    samples = [int(9_000 * math.sin(turn * index)) for index in range(seconds * RATE_HZ)]
    data = struct.pack(f"<{len(samples)}h", *samples)
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ,
                         2 * RATE_HZ, 2, 16)
    return header + struct.pack("<4sI", b"data", len(data)) + data


def expect(condition, what):
    if not condition:
        raise AssertionError(what)
    return ""


def check_services(client, report):
    names = client.services()
    wanted = [f"earmark.v1.{name}" for name in SERVICES] + ["grpc.health.v1.Health"]
    report.line(set(wanted) <= set(names), "reflection", ", ".join(names))
    stub = health_pb2_grpc.HealthStub(client.channel)
    for name in ["", *wanted[:-1]]:
        judge = lambda answer: expect(answer.status == health_pb2.HealthCheckResponse.SERVING, answer)
        report.check(f"health {name!r}", lambda: stub.Check(health_pb2.HealthCheckRequest(service=name)), judge)
    report.refuse("health of nothing", lambda: stub.Check(health_pb2.HealthCheckRequest(service="x")), Code.NOT_FOUND)


def check_info(client, report):
    info = report.check("Info.GetInfo", lambda: client.call("Info.GetInfo", client.message("GetInfoRequest")),
                        lambda answer: f"{answer.version}, {answer.model.name}, {answer.model.dimensions} dimensions")
    stats = client.message("GetStatsRequest")
    report.check("Admin.GetStats", lambda: client.call("Admin.GetStats", stats),
                 lambda answer: f"{answer.files_indexed} files, {answer.segments} segments")
    report.check("Admin.Snapshot", lambda: client.call("Admin.Snapshot", client.message("SnapshotRequest")))
    report.check("Admin.Compact", lambda: client.call("Admin.Compact", client.message("CompactRequest")),
                 lambda answer: f"{answer.store_bytes_before} -> {answer.store_bytes_after} bytes")
    report.check("Admin.Check", lambda: client.call("Admin.Check", client.message("CheckRequest")),
                 lambda answer: expect(not answer.problems, answer.problems))
    return info


class Events:
    """Collects what WatchEvents sends."""

    def __init__(self, client):
        self.seen = []
        self.changed = threading.Condition()
        self.stream = client.call("Library.WatchEvents", client.message("WatchEventsRequest"))
        # The headers are sent as soon as the server listens.
        self.stream.initial_metadata()
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self):
        try:
            for event in self.stream:
                with self.changed:
                    self.seen.append(event)
                    self.changed.notify_all()
        except grpc.RpcError:
            pass

    def wait(self, wanted):
        with self.changed:
            return self.changed.wait_for(lambda: wanted(self.seen), PATIENCE_S)


def check_library(client, report, folder):
    """Adds a folder, sees it indexed, looks at all of it; returns its root and an asset's id."""
    events = Events(client)
    request = client.message("AddRootRequest", path=str(folder))
    added = report.check("Library.AddRoot", lambda: client.call("Library.AddRoot", request),
                         lambda answer: f"root {answer.root.id}")
    if added is None:
        return None
    root = added.root.id
    indexed = lambda event: event.WhichOneof("event") == "indexed" and event.indexed.file.root_id == root
    failed = lambda event: event.WhichOneof("event") == "failed" and event.failed.file.root_id == root
    done = lambda seen: sum(map(indexed, seen)) == 2 and any(map(failed, seen))
    report.line(events.wait(done), "Library.WatchEvents", f"{len(events.seen)} events")
    numbers = [event.sequence for event in events.seen]
    report.line(numbers == sorted(set(numbers)), "events ascend", f"{numbers[:3]}...")
    report.refuse("add it again", lambda: client.call("Library.AddRoot", request), Code.ALREADY_EXISTS)
    empty = client.message
    report.check("Library.ListRoots", lambda: client.call("Library.ListRoots", empty("ListRootsRequest")),
                 lambda answer: expect(root in [it.id for it in answer.roots], answer))
    report.check("Library.Rescan", lambda: client.call("Library.Rescan", empty("RescanRequest", root_id=root)))
    report.check("Library.GetProgress", lambda: client.call("Library.GetProgress", empty("GetProgressRequest")))
    own = client.message("Filter", root_ids=[root])
    request = client.message("ListAssetsRequest", filter=own, page_size=1)
    first = report.check("Library.ListAssets", lambda: client.call("Library.ListAssets", request),
                         lambda answer: expect(len(answer.assets) == 1 and answer.next_page_token, answer))
    if first is not None:
        request.page_token = first.next_page_token
        report.check("next page", lambda: client.call("Library.ListAssets", request),
                     lambda answer: expect(len(answer.assets) == 1 and not answer.next_page_token, answer))
    failures = client.message("ListFailuresRequest")
    report.check("Library.ListFailures", lambda: client.call("Library.ListFailures", failures),
                 lambda answer: expect(any("broken.wav" in it.file.path for it in answer.failures), answer))
    retry = client.message("RetryFailuresRequest", path=str(folder))
    report.check("Library.RetryFailures", lambda: client.call("Library.RetryFailures", retry),
                 lambda answer: expect(answer.files == 1, answer))
    events.stream.cancel()
    return root, own, first.assets[0].id if first is not None else ""


def check_search(client, report, own, asset, sound, dimensions):
    term = lambda **what: client.message("Term", weight=1, **what)
    ask = lambda what, **fields: client.message("QueryRequest", terms=[what], filter=own, **fields)
    found = lambda answer: expect(len(answer.hits) == 2, answer) or f"best {answer.hits[0].score:.3f}"
    best = lambda answer: expect(answer.hits[0].score > 0.99, answer.hits[0].score)
    query = lambda request: lambda: client.call("Search.Query", request)
    report.check("Search.Query text", query(ask(term(text="a pure tone"))), found)
    report.check("Search.Query audio", query(ask(term(audio=sound))), best)
    stored = client.message("StoredTerm", asset_id=asset)
    others = lambda answer: expect(answer.hits and all(hit.asset_id != asset for hit in answer.hits), answer)
    report.check("Search.Query stored", query(ask(term(stored=stored))), others)
    raw = client.message("RawVector", values=[1.0] * dimensions)
    report.check("Search.Query vector", query(ask(term(vector=raw))), found)
    away = [term(text="a tone"), client.message("Term", weight=-0.5, text="noise")]
    report.check("Search.Query mixture", query(client.message("QueryRequest", terms=away, filter=own)), found)
    only_span = ask(term(text="tone"))
    only_span.fields.paths.append("span")
    report.check("Search.Query fields", query(only_span),
                 lambda answer: expect(not answer.hits[0].files and answer.hits[0].HasField("span"), answer))
    page = ask(term(text="tone"), limit=1)
    first = report.check("Search.Query first page", query(page),
                         lambda answer: expect(answer.next_page_token, answer))
    if first is not None:
        page.page_token = first.next_page_token
        report.check("Search.Query next page", query(page),
                     lambda answer: expect(answer.hits[0].asset_id != first.hits[0].asset_id, answer))
    batch = client.message("QueryBatchRequest", queries=[ask(term(text="tone")), ask(term(text=""))])
    report.check("Search.QueryBatch", lambda: client.call("Search.QueryBatch", batch),
                 lambda answer: expect([it.WhichOneof("outcome") for it in answer.outcomes] == ["response", "error"],
                                       answer))
    part = lambda **fields: client.message("QueryUploadRequest", **fields)
    chunks = [part(chunk=sound[at:at + 20_000]) for at in range(0, len(sound), 20_000)]
    parts = [part(query=ask(term(upload=1))), *chunks]
    report.check("Search.QueryUpload", lambda: client.call("Search.QueryUpload", parts), best)


def check_embed(client, report, sound, dimensions):
    unit = lambda vector: abs(math.fsum(it * it for it in vector.values) - 1) < 1e-4
    text = client.message("EmbedTextRequest", prompts=["door", "dog"])
    report.check("Embed.EmbedText", lambda: client.call("Embed.EmbedText", text),
                 lambda answer: expect(len(answer.vectors) == 2 and all(map(unit, answer.vectors)), "length"))
    media = client.message("EmbedMediaRequest", kind=1, content=sound)
    report.check("Embed.EmbedMedia", lambda: client.call("Embed.EmbedMedia", media),
                 lambda answer: expect([len(it.vector.values) for it in answer.segments] == [dimensions], "dimensions"))


def check_refusals(client, report, info):
    term = lambda **what: client.message("Term", weight=1, **what)
    ask = lambda what, **fields: client.message("QueryRequest", terms=[what], **fields)
    raw = lambda values: term(vector=client.message("RawVector", values=values))
    dimensions = info.model.dimensions
    stored = lambda name: term(stored=client.message("StoredTerm", asset_id=name))
    backwards = client.message("Filter", duration_ms=client.message("UnsignedRange", min=2, max=1))
    door = term(text="door")
    masked = ask(door)
    masked.fields.paths.append("colour")
    invalid = Code.INVALID_ARGUMENT
    cases = [
        ("no terms", client.message("QueryRequest"), invalid, "terms"),
        ("empty text", ask(term(text=" ")), invalid, "terms[0].text"),
        ("NaN weight", ask(client.message("Term", weight=math.nan, text="x")), invalid, "terms[0].weight"),
        ("NaN vector", ask(raw([math.nan] * dimensions)), invalid, "terms[0].vector.values[0]"),
        ("zero vector", ask(raw([0.0] * dimensions)), invalid, "terms[0].vector.values"),
        ("wrong dimension", ask(raw([1.0] * (dimensions + 1))), invalid, "terms[0].vector.values"),
        ("bad asset id", ask(stored("xyz")), invalid, "terms[0].stored.asset_id"),
        ("unknown asset", ask(stored("0" * 64)), Code.NOT_FOUND, None),
        ("upload without upload", ask(term(upload=1)), invalid, "terms[0].upload"),
        ("no sound", ask(term(audio=b"nonsense")), invalid, None),
        ("huge k", ask(door, limit=2**32 - 1), invalid, "limit"),
        ("offset beyond", ask(door, offset=info.limits.hits), invalid, "limit"),
        ("bad token", ask(door, page_token="nonsense"), invalid, "page_token"),
        ("token and offset", ask(door, page_token="nonsense", offset=1), invalid, "offset"),
        ("NaN threshold", ask(door, min_score=math.nan), invalid, "min_score"),
        ("unknown field", masked, invalid, "fields"),
        ("backwards range", ask(door, filter=backwards), invalid, "filter.duration_ms"),
        ("unknown kind", ask(door, filter=client.message("Filter", kinds=[9])), invalid, "filter.kinds[0]"),
        ("bad glob", ask(door, filter=client.message("Filter", path_glob="{")), invalid, None),
    ]
    for name, request, code, field in cases:
        report.refuse(name, lambda: client.call("Search.Query", request), code, field)
    others = [
        ("relative root", "Library.AddRoot", client.message("AddRootRequest", path="a"), invalid, "path"),
        ("missing root", "Library.AddRoot", client.message("AddRootRequest", path="/no/such/folder"), invalid, None),
        ("unknown root", "Library.RemoveRoot", client.message("RemoveRootRequest", root_id=2**31), Code.NOT_FOUND,
         None),
        ("large page", "Library.ListAssets", client.message("ListAssetsRequest", page_size=1_001), invalid,
         "page_size"),
        ("bad id", "Library.GetAsset", client.message("GetAssetRequest", asset_id="x"), invalid, "asset_id"),
        ("no prompts", "Embed.EmbedText", client.message("EmbedTextRequest"), invalid, "prompts"),
        ("no kind", "Embed.EmbedMedia", client.message("EmbedMediaRequest", content=b"x"), invalid, "kind"),
    ]
    for name, method, request, code, field in others:
        report.refuse(name, lambda: client.call(method, request), code, field)
    nothing = [client.message("QueryUploadRequest", chunk=b"x")]
    report.refuse("upload without query", lambda: client.call("Search.QueryUpload", nothing), invalid, "part")
    too_large = ask(term(audio=bytes(info.limits.message_bytes)))
    try:
        client.call("Search.Query", too_large)
        report.line(False, "too large a message", "was answered")
    except grpc.RpcError as error:
        fine = error.code() in (Code.OUT_OF_RANGE, Code.RESOURCE_EXHAUSTED)
        report.line(fine, "too large a message", f"{error.code().name}: {error.details()[:80]}")
    over = threading.Event()

    def standstill():
        over.wait(PATIENCE_S)
        yield client.message("QueryUploadRequest", query=ask(term(upload=1)))

    late = lambda: client.call("Search.QueryUpload", standstill(), timeout=0.1)
    report.refuse("time is up", late, Code.DEADLINE_EXCEEDED)
    over.set()


def check_load(client, report, queries):
    """Many queries at once: none may fail."""
    request = lambda number: client.message(
        "QueryRequest", terms=[client.message("Term", text=f"sound number {number % 50}")], limit=10)
    failures, times = [], []

    def one(number):
        begin = time.perf_counter()
        try:
            client.call("Search.Query", request(number))
            return time.perf_counter() - begin, None
        except grpc.RpcError as error:
            return None, f"{error.code().name}: {error.details()}"

    begin = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(queries, 1)) as pool:
        for seconds, failure in pool.map(one, range(queries)):
            (failures.append(failure) if failure else times.append(1e3 * seconds))
    whole = time.perf_counter() - begin
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))] if times else math.nan
    note = f"{len(times)} answers in {whole:.2f} s, p50 {at(0.5):.0f} ms, p99 {at(0.99):.0f} ms, max {at(1):.0f} ms"
    if failures:
        note += f"; {len(failures)} failed: {failures[0]}"
    report.line(not failures, f"{queries} queries at once", note)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="address of the server, e.g. 127.0.0.1:50651")
    parser.add_argument("--queries", type=int, default=1_000, help="how many queries at once (default 1000)")
    arguments = parser.parse_args()
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    report = Report()
    with grpc.insecure_channel(arguments.server, options=options) as channel, \
            tempfile.TemporaryDirectory(prefix="earmark-check-") as temporary:
        folder = pathlib.Path(temporary).resolve()
        sound = tone(440)
        (folder / "a.wav").write_bytes(sound)
        (folder / "b.wav").write_bytes(tone(1_000))
        (folder / "broken.wav").write_bytes(b"RIFF\x10\0\0\0WAVEnonsense")
        client = Client(channel)
        check_services(client, report)
        info = check_info(client, report)
        library = check_library(client, report, folder)
        if info is not None and library is not None:
            root, own, asset = library
            check = lambda answer: expect(answer.id == asset and len(answer.files) == 1, answer)
            request = client.message("GetAssetRequest", asset_id=asset)
            report.check("Library.GetAsset", lambda: client.call("Library.GetAsset", request), check)
            check_search(client, report, own, asset, sound, info.model.dimensions)
            check_embed(client, report, sound, info.model.dimensions)
            check_refusals(client, report, info)
            check_load(client, report, arguments.queries)
            removal = client.message("RemoveRootRequest", root_id=root)
            report.check("Library.RemoveRoot", lambda: client.call("Library.RemoveRoot", removal),
                         lambda answer: f"{answer.files} files")
        missed = sorted(set(client.methods) - client.called)
        report.line(not missed, "every method was called", ", ".join(missed) or f"{len(client.methods)} methods")
    print(f"{report.right} right, {report.wrong} wrong")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
