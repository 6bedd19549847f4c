"""User studies: a blinded page of paired comparisons of videos, and the statistics of the answers.

``prepare_study`` builds one HTML page and a key, each rater sends a JSON file, ``analyze_study`` reads them.
"""

from leokit.user_study.agreement import fleiss_kappa, krippendorff_alpha, pair_agreement
from leokit.user_study.analysis import analyze_study, rating_counts, tally_answers
from leokit.user_study.attention import degrade_video, motion_strength
from leokit.user_study.bradley_terry import Ranking, comparison_groups, fit_strengths, rank_methods, standard_errors
from leokit.user_study.files import write_text
from leokit.user_study.key import StudyKey, Trial
from leokit.user_study.page import render_page
from leokit.user_study.pairing import FormEntry, Pair, sample_forms, sample_pool
from leokit.user_study.preference import Tally, resample_raters, share_intervals, wilson_interval
from leokit.user_study.prepare import PreparedStudy, StudyOptions, prepare_study
from leokit.user_study.report import render_report
from leokit.user_study.results import Answer, RaterResult, Screening, find_results, read_results, screen_raters
from leokit.user_study.videos import EncodedClip, encode_clip, open_moving_video, videos_by_name

__all__ = [
    'Answer', 'EncodedClip', 'FormEntry', 'Pair', 'PreparedStudy', 'Ranking', 'RaterResult', 'Screening', 'StudyKey',
    'StudyOptions', 'Tally', 'Trial', 'analyze_study', 'comparison_groups', 'degrade_video', 'encode_clip',
    'find_results', 'fit_strengths', 'fleiss_kappa', 'krippendorff_alpha', 'motion_strength', 'open_moving_video',
    'pair_agreement', 'prepare_study', 'rank_methods', 'rating_counts', 'read_results', 'render_page', 'render_report',
    'resample_raters', 'sample_forms', 'sample_pool', 'screen_raters', 'share_intervals', 'standard_errors',
    'tally_answers', 'videos_by_name', 'wilson_interval', 'write_text',
]
