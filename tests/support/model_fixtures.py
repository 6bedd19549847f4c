"""Fixtures of the pipeline tests."""

import pytest
import torch

from support.tiny_models import SIZE, make_animator, make_motion_diffusion, make_start_code, make_start_frame


@pytest.fixture(scope='session')
def animator():
    return make_animator()


@pytest.fixture(scope='session')
def motion_diffusion(animator):
    return make_motion_diffusion(animator.weights_hash())


@pytest.fixture(scope='session')
def start_code(animator):
    return make_start_code(animator.weights_hash())


@pytest.fixture(scope='session')
def start_frame(animator):
    return make_start_frame(animator.weights_hash())


@pytest.fixture
def images():
    return torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2)) * 2 - 1
