"""Evaluation of videos: protocols, sets of videos, metrics of sets, result records and tables.

:func:`evaluate_sets` evaluates folders of videos; its module describes the path from a clip to a score.
:mod:`leokit.evaluation.runner_metrics` has the metrics of validation and testing. The formulas are in
:mod:`leokit.metrics`.
"""

from leokit.evaluation.clip_sampling import Clip, plan_trials
from leokit.evaluation.evaluate_sets import Compute, evaluate_sets
from leokit.evaluation.evaluation_jobs import EvaluationJob, build_jobs
from leokit.evaluation.feature_extraction import clip_features
from leokit.evaluation.motion_records import motion_records
from leokit.evaluation.protocol import Protocol, as_protocol, load_protocol, preset_names
from leokit.evaluation.records import NetworkInfo, ResultRecord, RunInfo, Score, SetInfo, load_records, save_records
from leokit.evaluation.reductions import FeatureRequest
from leokit.evaluation.score_table import score_table
from leokit.evaluation.video_set import ReadOptions, VideoSet, scan_videos
from leokit.evaluation.video_set_metrics import VIDEO_SET_METRICS, metric_key

__all__ = [
    'Clip', 'Compute', 'EvaluationJob', 'FeatureRequest', 'NetworkInfo', 'Protocol', 'ReadOptions', 'ResultRecord',
    'RunInfo', 'Score', 'SetInfo', 'VIDEO_SET_METRICS', 'VideoSet', 'as_protocol', 'build_jobs', 'clip_features',
    'evaluate_sets', 'load_protocol', 'load_records', 'metric_key', 'motion_records', 'plan_trials', 'preset_names',
    'save_records', 'scan_videos', 'score_table',
]
