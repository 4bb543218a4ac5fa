"""A process that runs earmark without a daemon. See `earmark.rs`."""

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Process:
    """Takes requests and answers them, one line of JSON each."""

    def __init__(self, executable: Path, part: str, environment: dict[str, str] | None = None):
        self.process = subprocess.Popen(
            [executable, part],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        request = {"op": op} | {name: str(it) if isinstance(it, Path) else it for name, it in fields.items()}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"earmark ended at {request}")
        return json.loads(answer)
