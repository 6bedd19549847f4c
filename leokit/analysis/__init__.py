"""Analyses of trained models: disentanglement, expressions, action statistics, linear probes, contact sheets."""

from leokit.analysis.action_statistics import action_table, measure_action_statistics
from leokit.analysis.clip_statistics import ClipSet, clip_report, clip_statistics, clip_table
from leokit.analysis.code_probe import (
    component_table, direction_table, name_directions, probe_codes, probe_components, probe_factor_grid, probe_table)
from leokit.analysis.control_report import ControlReport, control_report, control_table
from leokit.analysis.disentanglement_report import disentanglement_table, measure_disentanglement
from leokit.analysis.edit_coherence import EditCoherence, measure_edit_coherence
from leokit.analysis.expression_pairs import LandmarkPairs, SyntheticPairs
from leokit.analysis.expression_report import ExpressionReport, measure_expressions
from leokit.analysis.face_dynamics import face_dynamics
from leokit.analysis.factor_grid import (
    FactorGrid, IdentityBatch, MotionBatch, build_factor_grid, generate_motions, read_identities, read_motions)
from leokit.analysis.factor_grid_sheets import factor_grid_sheet, factor_grid_video, identity_sheet, motion_sheet
from leokit.analysis.transfer_report import measure_transfer, transfer_table

__all__ = [
    'ClipSet', 'ControlReport', 'EditCoherence', 'ExpressionReport', 'FactorGrid', 'IdentityBatch', 'LandmarkPairs',
    'MotionBatch', 'SyntheticPairs', 'action_table', 'build_factor_grid', 'clip_report', 'clip_statistics',
    'clip_table', 'component_table', 'control_report', 'control_table', 'direction_table', 'disentanglement_table',
    'face_dynamics', 'factor_grid_sheet', 'factor_grid_video', 'generate_motions', 'identity_sheet',
    'measure_action_statistics', 'measure_disentanglement', 'measure_edit_coherence', 'measure_expressions',
    'measure_transfer', 'motion_sheet', 'name_directions', 'probe_codes', 'probe_components', 'probe_factor_grid',
    'probe_table', 'read_identities', 'read_motions', 'transfer_table',
]
