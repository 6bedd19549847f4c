"""Studies: variants of one config under several seeds and one protocol, run and put into a table."""

from leokit.studies.execution import StudyRunner
from leokit.studies.runs import Run, plan_runs
from leokit.studies.study import Metric, Study, Variant, load_study
from leokit.studies.study_curves import plot_study
from leokit.studies.study_sheet import write_study_sheet
from leokit.studies.study_statistics import Comparison, Estimate, compare
from leokit.studies.study_tables import to_latex, to_markdown, write_results

__all__ = [
    'Comparison', 'Estimate', 'Metric', 'Run', 'Study', 'StudyRunner', 'Variant', 'compare', 'load_study', 'plan_runs',
    'plot_study', 'to_latex', 'to_markdown', 'write_results', 'write_study_sheet',
]
