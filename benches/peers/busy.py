"""How busy a GPU is while sound files become a library."""

import shutil
import statistics
import subprocess
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from embedders import Choice, Harness
from inputs import SAMPLE_RATE_HZ, SECONDS, random, sounds

DISTINCT = 24
# Five-second sounds in a file.
SOUNDS = 6
INTERVAL_MS = 100
ENCODERS = {"flac": [], "mp3": ["-b:a", "192k"]}


@dataclass
class Ingest:
    """What became of it, or why nothing did."""

    files: int
    formats: list[str]
    seconds: float | None = None
    problem: str | None = None
    # Percent of the time in which the GPU had something to do, each over one interval.
    busy: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        audio_s = self.files * SOUNDS * SECONDS
        return {
            "ingest_files": self.files,
            "ingest_formats": self.formats,
            "ingest_s": self.seconds,
            "ingest_times_realtime": audio_s / self.seconds if self.seconds else None,
            "ingest_gpu_busy_pct": statistics.mean(self.busy) if self.busy else None,
            "ingest_problem": self.problem,
        }

    def words(self) -> str:
        if self.seconds is None:
            return f"no files were taken into a library: {self.problem}"
        each = SOUNDS * SECONDS
        taken = f"{self.files} files of {each} s ({', '.join(self.formats)}) in a library after {self.seconds:.1f} s"
        busy = f"the GPU was busy {statistics.mean(self.busy):.0f} % of the time" if self.busy else self.problem
        return f"{taken}; {busy}"


def busy(harness: Harness, choice: Choice, files: int, gpu: bool) -> Ingest:
    folder = harness.work / "files"
    ingest = Ingest(files, made(folder, files))
    smi = shutil.which("nvidia-smi") if gpu else None
    ingest.problem = None if smi else "how busy a GPU was is unknown: " + ("no nvidia-smi" if gpu else "there was none")
    sampler = sampling(smi) if smi else None
    with harness.start() as process:
        answer = process.ask("ingest", choice=choice, folder=folder)
    if sampler:
        sampler.terminate()
        ingest.busy = within([float(line) for line in sampler.communicate()[0].split()])
    if "error" in answer:
        ingest.problem = answer["error"]
    elif answer["assets"] != files:
        ingest.problem = f"only {answer['assets']} of {files} files were taken"
    else:
        ingest.seconds = answer["seconds"]
    return ingest


def sampling(smi: str) -> subprocess.Popen:
    query = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0", f"--loop-ms={INTERVAL_MS}"]
    return subprocess.Popen([smi, *query], stdout=subprocess.PIPE, text=True)


def within(samples: list[float]) -> list[float]:
    """From the first to the last time that there was anything to do, for a model is loaded before any file is."""
    busy = [at for at, percent in enumerate(samples) if percent > 0]
    return samples[busy[0] : busy[-1] + 1] if busy else samples


def made(folder: Path, files: int) -> list[str]:
    """As many different files, in turn of each format that can be written here; answers the formats."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ffmpeg = shutil.which("ffmpeg")
    formats = ["wav", *(ENCODERS if ffmpeg else [])]
    clips = sounds(DISTINCT).astype("<i2")

    def make(number: int) -> None:
        order = random(4, number).integers(0, DISTINCT, SOUNDS)
        path, kind = folder / f"{number}.wav", formats[number % len(formats)]
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(np.roll(clips[order].reshape(-1), number).tobytes())
        if kind != "wav":
            encode = [ffmpeg, "-loglevel", "error", "-i", path, *ENCODERS[kind], path.with_suffix(f".{kind}")]
            subprocess.run(encode, check=True)
            path.unlink()

    with ThreadPoolExecutor() as pool:
        list(pool.map(make, range(files)))
    return formats
