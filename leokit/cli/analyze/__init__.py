"""Analyze trained models and clips: codes, expressions, disentanglement, transfer, long videos, steps, sheets."""

from leokit.cli.analyze import (
    actions, clips, compare, contact_sheet, disentangle, expressions, few_steps, long_video, probe, transfer)

COMMANDS = {'actions': actions, 'probe': probe, 'expressions': expressions, 'disentangle': disentangle,
            'transfer': transfer, 'long-video': long_video, 'few-steps': few_steps, 'contact-sheet': contact_sheet,
            'clips': clips, 'compare': compare}
