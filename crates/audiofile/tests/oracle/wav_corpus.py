"""libsndfile as the second opinion of tests/wav_corpus.rs.

read DIR   reads every file of DIR and writes NAME.f64 (interleaved, little-endian) beside it
write DIR  writes files of every format into DIR, each with the samples it holds as NAME.f64
write-flac DIR  the same with FLAC only
All print one JSON object: name -> {"rate", "channels", "frames"} or {"error"}.
"""

import json
import pathlib
import sys

import numpy
import soundfile

WRITTEN = [
    ("WAV", subtype) for subtype in ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
] + [
    ("WAVEX", subtype) for subtype in ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
] + [
    ("RF64", subtype) for subtype in ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
] + [
    ("FLAC", subtype) for subtype in ["PCM_S8", "PCM_16", "PCM_24"]
] + [
    ("AIFF", subtype) for subtype in ["PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
]


def load(path):
    # Through a file object the name does not matter: libsndfile goes by the content.
    with open(path, "rb") as file:
        samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
    samples.astype("<f8").tofile(f"{path}.f64")
    return {"rate": rate, "channels": samples.shape[1], "frames": samples.shape[0]}


def read(folder):
    answers = {}
    for path in sorted(folder.iterdir()):
        try:
            answers[path.name] = load(path)
        except Exception as error:
            answers[path.name] = {"error": str(error)}
    return answers


def write(folder, containers=("WAV", "WAVEX", "RF64", "FLAC", "AIFF")):
    noise = numpy.random.default_rng(1)
    answers = {}
    for container, subtype in WRITTEN:
        if container not in containers:
            continue
        for endian in ["FILE", "LITTLE"] if (container, subtype[:4]) == ("AIFF", "PCM_") else ["FILE"]:
            for channels in [1, 2, 6]:
                for frames in [0, 1, 9001]:
                    samples = noise.uniform(-1, 1, (frames, channels))
                    if frames > 2:
                        samples[:2] = [[1.0], [-1.0]]
                    name = f"{container}-{subtype}-{endian}-{channels}-{frames}"
                    path = folder / name
                    try:
                        with open(path, "w+b") as file:
                            soundfile.write(
                                file, samples, 44100, format=container, subtype=subtype, endian=endian
                            )
                        answers[name] = load(path)
                    except Exception as error:
                        path.unlink(missing_ok=True)
                        answers[name] = {"error": str(error)}
    return answers


command, folder = sys.argv[1:]
TASKS = {"read": read, "write": write, "write-flac": lambda folder: write(folder, ("FLAC",))}
print(json.dumps(TASKS[command](pathlib.Path(folder))))
