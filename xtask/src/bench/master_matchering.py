"""The mastering job of the benchmark by matchering: master_matchering.py IN REFERENCE OUT. (A name of its own: modules beside a script come first.)"""

import sys

import matchering

song, reference, out = sys.argv[1:]
config = matchering.Config(internal_sample_rate=48000)
matchering.process(target=song, reference=reference, results=[matchering.pcm24(out)], config=config)
