"""Result records of motion itself: how codes move over time, beside real ones."""

from torch import Tensor

from leokit.evaluation.protocol import Protocol
from leokit.evaluation.records import ResultRecord, RunInfo, Score, SetInfo
from leokit.metrics import relative_long_motion

CURVES = ('jitter', 'spread', 'drift')
OF_REAL = dict(jitter=dict(real_value=1.0), spread=dict(real_value=1.0))  # their unit


def motion_records(generated: Tensor, real: Tensor, seams: list[int], *, protocol: Protocol, run: RunInfo | None = None,
                   real_info: SetInfo | None = None, fake_info: SetInfo | None = None) -> list[ResultRecord]:
    """How generated motion compares with real motion, segment by segment.

    Keys: ``motion_jitter`` and ``motion_spread``, generated over real; where there are several segments also
    ``motion_drift``, the distance of the last one's mean code from the first one's in units of the real spread,
    ``motion_recurrence`` and, where windows meet, ``motion_seam_jerk_ratio``; see :mod:`leokit.metrics.long_motion`.
    The first three have a curve over segments; their value is the last segment's.

    Args:
        generated (Tensor): Codes, shape (B, T, N).
        real (Tensor): Codes of real windows, shape (M, L, N), 4 <= L <= T.
        seams (list[int]): The first frame of every continued window; may be empty.
        protocol (Protocol): The protocol that the videos are measured by.
        run (RunInfo, optional): Who made the motion.
        real_info (SetInfo, optional): The real set.
        fake_info (SetInfo, optional): The generated set.

    Returns:
        list[ResultRecord]: One for each statistic.
    """
    records = []
    for name, values in relative_long_motion(generated, real, seams).items():
        course = values.flatten().tolist()
        curve = dict(label='first frame', x=[segment * real.shape[1] for segment in range(len(course))], y=course)
        value = course[-1] if course[-1] == course[-1] else None  # one sequence alone cannot recur
        records.append(ResultRecord(
            metric=f'motion_{name}', score=Score(value, values=tuple(course[-1:] if value is not None else ())),
            protocol=protocol.to_dict(), run=run or RunInfo.now(), real=real_info, fake=fake_info,
            curve=curve if name in CURVES and len(course) > 1 else None,
            details=dict(OF_REAL.get(name, {}), sequences=len(generated), real_sequences=len(real),
                         segment=real.shape[1])))
    return records
