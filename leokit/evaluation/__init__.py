"""Evaluation: protocols, result records, and measuring folders of videos.

``metrics`` holds the arithmetic; this room decides what is measured: which clips of which videos, prepared how,
repeated how often, and what has to be written beside a score.
"""

from leokit.evaluation.clip_sampling import Clip, plan_trials
from leokit.evaluation.evaluate_sets import Compute, build_jobs, evaluate_sets
from leokit.evaluation.features import clip_features
from leokit.evaluation.motion_records import motion_records
from leokit.evaluation.protocol import Protocol, as_protocol, load_protocol, preset_names
from leokit.evaluation.records import NetworkInfo, ResultRecord, RunInfo, Score, SetInfo, load_records, save_records
from leokit.evaluation.reductions import FeatureRequest
from leokit.evaluation.score_table import score_table
from leokit.evaluation.video_set import ReadOptions, VideoSet, scan_videos
from leokit.evaluation.video_set_metrics import VIDEO_SET_METRICS, metric_key

__all__ = [
    'Clip', 'Compute', 'FeatureRequest', 'VIDEO_SET_METRICS', 'NetworkInfo', 'Protocol', 'ReadOptions', 'ResultRecord',
    'RunInfo', 'Score', 'SetInfo', 'VideoSet', 'as_protocol', 'build_jobs', 'clip_features',
    'evaluate_sets', 'load_protocol', 'load_records', 'metric_key', 'motion_records',
    'plan_trials', 'preset_names', 'save_records', 'scan_videos', 'score_table',
]
