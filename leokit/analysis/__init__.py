"""Analyses of trained models: disentanglement, expressions, action statistics, linear probes, contact sheets."""

from leokit.analysis.action_statistics import behavior_table, measure_behavior
from leokit.analysis.code_probe import direction_table, name_directions, probe_codes, probe_crossing, probe_table
from leokit.analysis.disentanglement_report import disentanglement_table, measure_disentanglement
from leokit.analysis.expression_pairs import DrawnPairs, LandmarkPairs
from leokit.analysis.expression_report import ExpressionReport, measure_expressions
from leokit.analysis.factor_grid import Crossing, Motions, People, cross, generate_motions, read_motions, read_people
from leokit.analysis.factor_grid_sheets import crossing_sheet, crossing_video, motion_sheet, person_sheet

__all__ = [
    'Crossing', 'DrawnPairs', 'ExpressionReport', 'LandmarkPairs', 'Motions', 'People', 'behavior_table', 'cross',
    'crossing_sheet', 'crossing_video', 'direction_table', 'disentanglement_table', 'generate_motions',
    'measure_behavior', 'measure_disentanglement', 'measure_expressions', 'motion_sheet', 'name_directions',
    'person_sheet', 'probe_codes', 'probe_crossing', 'probe_table', 'read_motions', 'read_people',
]
