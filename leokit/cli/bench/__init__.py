"""Benchmark the speed of the models and of the evaluation on this machine.

    leokit bench models --device cuda --amp --compile
    leokit bench evaluation --device cuda --workers 12
"""

from leokit.cli.bench import evaluation, models

COMMANDS = {'models': models, 'evaluation': evaluation}
