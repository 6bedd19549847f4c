"""Benchmark the speed of the models, of the evaluation and of the preparation of data on this machine.

    leokit bench models --device cuda --amp --compile
    leokit bench evaluation --device cuda --workers 12
    leokit bench cutting --workers 8
"""

from leokit.cli.bench import cutting, evaluation, models

COMMANDS = {'models': models, 'evaluation': evaluation, 'cutting': cutting}
