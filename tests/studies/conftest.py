"""One finished study, shared."""

import pytest
from studies.stand_ins import write_study

from leokit.studies import StudyRunner, load_study, plan_runs


@pytest.fixture(scope='session')
def finished(tmp_path_factory):
    """Study and runs: errors 2, 4, 6 and 6, 8, 10, ratios 0.9 and 0.7."""
    folder = tmp_path_factory.mktemp('study')
    path, program = write_study(folder)
    study = load_study(path)
    runs = plan_runs(study, folder / 'work')
    StudyRunner(runs, folder / 'work', program=program, jobs=2, log=lambda line: None).run()
    return study, runs
