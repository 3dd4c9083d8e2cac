"""Independent true peak for tests/cli: every argument a file; prints one JSON object, path -> dBTP.

16 times oversampling by a Kaiser-windowed sinc of 64 taps per phase.
"""

import json
import sys

import numpy
import scipy.signal
import soundfile

TAPS = scipy.signal.firwin(16 * 64 + 1, 1 / 16, window=("kaiser", 9.0))

peaks = {}
for path in sys.argv[1:]:
    audio, _ = soundfile.read(path, always_2d=True)
    peak = max(
        numpy.abs(scipy.signal.resample_poly(channel, 16, 1, window=TAPS)).max() for channel in audio.T
    )
    peaks[path] = float(20 * numpy.log10(max(peak, 1e-30)))
print(json.dumps(peaks))
