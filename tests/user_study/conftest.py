"""One small study for all tests."""

import pytest

from leokit.user_study import StudyOptions, prepare_study

from user_study.studies import make_folders


@pytest.fixture(scope='session')
def folders(tmp_path_factory):
    return make_folders(tmp_path_factory.mktemp('videos'))


@pytest.fixture(scope='session')
def options():
    return StudyOptions(question='Which video looks more natural?', pairs_per_rater=6, pool=9, attention_checks=2,
                        allow_ties=True, title='Waves & <b>circles</b>', seed=3)


@pytest.fixture(scope='session')
def study(folders, options):
    return prepare_study(folders, options)


@pytest.fixture(scope='session')
def key(study):
    return study.key
