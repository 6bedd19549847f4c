"""Describe, check, divide, select, merge and pack datasets: manifests, splits, data cards, shards, face regions.

    leokit data stats --videos data/clips --out stats.json --plot stats.png
    leokit data check --videos data/clips --near-duplicates
"""

from leokit.cli.data import card, check, merge, pack, regions, select, split, stats

COMMANDS = {'stats': stats, 'check': check, 'split': split, 'merge': merge, 'card': card, 'pack': pack,
            'regions': regions, 'select': select}
