"""Result records of motion codes: statistics over time, relative to real motion."""

from torch import Tensor

from leokit.evaluation.protocol import Protocol
from leokit.evaluation.records import ResultRecord, RunInfo, Score, SetInfo
from leokit.metrics import relative_long_motion

CURVES = ('jitter', 'dispersion', 'drift')  # statistics by segment
REAL_VALUES = dict(jitter=1.0, dispersion=1.0)  # relative to real motion, so 1 by definition


def motion_records(generated: Tensor, real: Tensor, boundaries: list[int], *, protocol: Protocol,
                   run: RunInfo | None = None, real_info: SetInfo | None = None,
                   fake_info: SetInfo | None = None) -> list[ResultRecord]:
    """One record for each statistic of :func:`~leokit.metrics.long_motion.relative_long_motion`.

    The names are ``motion_jitter`` and ``motion_dispersion``; with several segments also ``motion_drift`` and
    ``motion_recurrence``, and, with window boundaries, ``motion_boundary_jerk_ratio``. A statistic by segment has the
    value of the last segment and a curve over all segments.

    Args:
        generated (Tensor): Codes, shape (B, T, N).
        real (Tensor): Codes of real windows, shape (M, L, N), 4 <= L <= T.
        boundaries (list[int]): First frame of every window but the first; may be empty.
        protocol (Protocol): Protocol of the videos that the motion belongs to.
        run (RunInfo, optional): Model, step and versions.
        real_info (SetInfo, optional): The real set.
        fake_info (SetInfo, optional): The generated set.
    """
    records = []
    for name, values in relative_long_motion(generated, real, boundaries).items():
        course = values.flatten().tolist()
        curve = dict(label='first frame', x=[segment * real.shape[1] for segment in range(len(course))], y=course)
        value = course[-1] if course[-1] == course[-1] else None  # NaN: the recurrence of a single sequence
        known = dict(real_value=REAL_VALUES[name]) if name in REAL_VALUES else {}
        records.append(ResultRecord(
            metric=f'motion_{name}', score=Score(value, values=() if value is None else (value,)),
            protocol=protocol.as_used(), run=run or RunInfo.now(), real=real_info, fake=fake_info,
            curve=curve if name in CURVES and len(course) > 1 else None,
            details=dict(known, sequences=len(generated), real_sequences=len(real), segment=real.shape[1])))
    return records
