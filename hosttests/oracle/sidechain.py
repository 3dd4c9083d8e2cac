"""Loads the first VST3 class in DawDreamer, which feeds its sidechain.

usage: sidechain.py BUNDLE RATE MAIN.f32 KEY.f32 OUT.f32 [PARAMETER=TRAVEL ...]

MAIN, KEY and OUT are interleaved stereo float32; TRAVEL goes from 0 to 1.
"""

import sys

import dawdreamer
import numpy


def main():
    bundle, rate, main, key, target, *settings = sys.argv[1:]
    engine = dawdreamer.RenderEngine(int(rate), 512)
    plugin = engine.make_plugin_processor("plugin", bundle)
    indices = {p["name"]: p["index"] for p in plugin.get_parameters_description()}
    for setting in settings:
        name, travel = setting.split("=", 1)
        plugin.set_parameter(indices[name], float(travel))
    graph = []
    for name, file in (("main", main), ("key", key)):
        audio = numpy.fromfile(file, dtype=numpy.float32).reshape(-1, 2).T
        graph.append((engine.make_playback_processor(name, numpy.ascontiguousarray(audio)), []))
    frames = audio.shape[1]
    engine.load_graph([*graph, (plugin, ["main", "key"])])
    engine.render(frames / int(rate))
    engine.get_audio()[:, :frames].T.astype(numpy.float32).tofile(target)


main()
