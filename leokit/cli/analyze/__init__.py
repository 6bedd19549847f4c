"""Analyze trained models: motion codes, expressions, disentanglement, long videos, contact sheets."""

from leokit.cli.analyze import actions, compare, contact_sheet, disentangle, expressions, long_video, probe

COMMANDS = {'actions': actions, 'probe': probe, 'expressions': expressions, 'disentangle': disentangle,
            'long-video': long_video, 'contact-sheet': contact_sheet, 'compare': compare}
