"""Analyze trained models and clips: codes, expressions, disentanglement, long videos, steps, contact sheets."""

from leokit.cli.analyze import (
    actions, clips, compare, contact_sheet, disentangle, expressions, few_steps, long_video, probe)

COMMANDS = {'actions': actions, 'probe': probe, 'expressions': expressions, 'disentangle': disentangle,
            'long-video': long_video, 'few-steps': few_steps, 'contact-sheet': contact_sheet, 'clips': clips,
            'compare': compare}
