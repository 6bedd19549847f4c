import pytest
import torch
from support.signatures import defaults

from leokit.nn.face_crops import FaceCrops
from leokit.nn.face_regions import boxes_to_maps

QUARTERS = ((0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0))
NOT_FOUND = (float('nan'),) * 4


def test_parts_in_the_order_in_which_they_are_named():
    """The regions are the quarters of images in this order: mouth, right eye, left eye, face."""
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    mouth, right_eye = images[..., :8, :8], images[..., :8, 8:]
    left_eye, face = images[..., 8:, :8], images[..., 8:, 8:]
    maps = boxes_to_maps(torch.tensor([QUARTERS, (NOT_FOUND, *QUARTERS[1:])]))
    crops = FaceCrops(size=8)(images.double(), maps)
    assert crops.shape == (6, 3, 8, 8) and crops.dtype == torch.float32
    torch.testing.assert_close(crops[:3], torch.stack((mouth[0], right_eye[0], left_eye[0])))
    torch.testing.assert_close(crops[3:], torch.stack((torch.zeros(3, 8, 8), right_eye[1], left_eye[1])))
    torch.testing.assert_close(FaceCrops(('face', 'mouth'), 8)(images, maps)[:2], torch.stack((face[0], mouth[0])))
    torch.testing.assert_close(FaceCrops(('face',), 4)(images, maps),
                               face.unflatten(2, (4, 2)).unflatten(4, (4, 2)).mean((3, 5)))


def test_defaults_and_weights():
    assert defaults(FaceCrops) == dict(parts=('mouth', 'eyes'), size=64)
    assert not FaceCrops().state_dict() and not list(FaceCrops().parameters())
    with pytest.raises(ValueError, match='parts must name parts of a face'):
        FaceCrops(('nose',))
