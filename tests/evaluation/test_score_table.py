from leokit.evaluation import ResultRecord, Score, score_table


def record(metric, value, std=None, warnings=(), **details):
    return ResultRecord(metric, Score(value, std), {}, details=details, warnings=warnings)


def test_a_row_for_every_metric_and_each_note_once():
    text = score_table(dict(
        short=[record('fvd', 12.3456, 0.123, warnings=('too few',)), record('acd', None, warnings=('too few',))],
        long=[record('acd', 0.5, real_value=0.25)]))
    assert text.splitlines() == [
        '| metric | short | long |', '| --- | ---: | ---: |', '| fvd | 12.35 ± 0.12 | – |',
        '| acd | – | 0.5 (real 0.25) |', '', '- short: too few']
