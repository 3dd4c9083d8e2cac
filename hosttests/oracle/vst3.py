"""Loads a VST3 class in pedalboard and does to it what a host does.

usage: vst3.py BUNDLE NAME RATE IN.f32 OUT.f32 BLOCK [PARAMETER=TEXT ...]

IN and OUT are interleaved stereo float32. The state is saved from one instance and loaded into a second, which then
processes, so that a parity with the chain covers both. Prints one JSON line: latency, parameters, version.
"""

import json
import sys

import numpy
import pedalboard


def load(bundle, name):
    return pedalboard.load_plugin(bundle, plugin_name=name)


def type_in(plugin, name, text):
    """Sets the parameter of that name in the host as its text field would."""
    for parameter in plugin.parameters.values():
        if parameter.name == name:
            parameter.raw_value = parameter.get_raw_value_for_text(text)
            return
    raise SystemExit(f"no parameter called {name}")


def main():
    bundle, name, rate, source, target, block, *typed = sys.argv[1:]
    first = load(bundle, name)
    for assignment in typed:
        type_in(first, *assignment.split("=", 1))
    # an active plugin learns of changes with its next block
    first.process(numpy.zeros((2, 64), numpy.float32), float(rate), buffer_size=64)
    plugin = load(bundle, name)
    plugin.raw_state = first.raw_state
    # the states differ in one thing: a second live instance stays another one on the link
    values = [[parameter.raw_value for parameter in one.parameters.values()] for one in (first, plugin)]
    if values[0] != values[1] or len(plugin.raw_state) != len(first.raw_state):
        raise SystemExit("the state is not reproduced")
    audio = numpy.fromfile(source, dtype=numpy.float32).reshape(-1, 2).T
    # no latency compensation: what comes out, as it comes out
    pieces = []
    step = int(block)
    plugin.reset()
    for start in range(0, audio.shape[1], step):
        piece = numpy.ascontiguousarray(audio[:, start : start + step])
        pieces.append(plugin.process(piece, float(rate), buffer_size=step, reset=False))
    out = numpy.concatenate(pieces, axis=1)
    out.T.astype(numpy.float32).tofile(target)
    print(
        json.dumps(
            {
                "latency": plugin.reported_latency_samples,
                "parameters": len(plugin.parameters),
                "in": int(audio.shape[1]),
                "out": int(out.shape[1]),
            }
        )
    )


main()
