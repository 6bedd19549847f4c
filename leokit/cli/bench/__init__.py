"""Benchmark the speed of models, evaluation and preparation on this machine, and the detection of scene cuts.

    leokit bench models --device cuda --amp --compile
    leokit bench evaluation --device cuda --workers 12
    leokit bench cutting --workers 8
    leokit bench scene-cuts --videos data/clips
"""

from leokit.cli.bench import cutting, evaluation, models, scene_cuts

COMMANDS = {'models': models, 'evaluation': evaluation, 'cutting': cutting, 'scene-cuts': scene_cuts}
