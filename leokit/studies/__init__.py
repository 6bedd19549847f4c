"""Ablation studies: variants of a config, trained and tested under several seeds, with a report of the differences."""

from leokit.studies.execution import StudyRunner
from leokit.studies.runs import Run, plan_runs
from leokit.studies.study import Metric, Study, Variant, load_study
from leokit.studies.study_curves import plot_study
from leokit.studies.study_sheet import write_study_sheet
from leokit.studies.study_statistics import Comparison, Estimate, compare
from leokit.studies.study_tables import latex_report, markdown_report, write_results
from leokit.studies.submission import select_runs, submit_runs

__all__ = [
    'Comparison', 'Estimate', 'Metric', 'Run', 'Study', 'StudyRunner', 'Variant', 'compare', 'latex_report',
    'load_study', 'markdown_report', 'plan_runs', 'plot_study', 'select_runs', 'submit_runs', 'write_results',
    'write_study_sheet',
]
