"""The mastering job of the benchmark by pedalboard: master_pedalboard.py IN OUT. (A name of its own: modules beside a script come first.)"""

import sys

from pedalboard import Compressor, Limiter, PeakFilter, Pedalboard
from pedalboard.io import AudioFile

bells = [PeakFilter(50 * 2.2**i, 3 if i % 2 == 0 else -3, 1.0) for i in range(8)]
board = Pedalboard(bells + [Compressor(threshold_db=-30, ratio=4), Limiter(threshold_db=-1)])
with AudioFile(sys.argv[1]) as source:
    with AudioFile(sys.argv[2], "w", source.samplerate, source.num_channels, bit_depth=24) as target:
        while source.tell() < source.frames:
            target.write(board(source.read(source.samplerate), source.samplerate, reset=False))
