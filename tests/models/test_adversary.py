"""A discriminator of face crops beside that of the frame: each of three networks gets the gradients of its own pass."""

from contextlib import contextmanager

import pytest
import torch
from torch.nn import functional as F

from leokit.models import Animator
from leokit.nn.face_crops import FaceCrops
from leokit.nn.face_regions import boxes_to_maps
from leokit.registry import LOSSES
from leokit.utils import UserError

SIZE, CROP, BATCH = 64, 32, 4
NAN = (float('nan'),) * 4
# squares of 32 x 32 pixels: a crop of this size is a slice
BOXES = [(0.25, 0.5, 0.75, 1.0), (0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5), (0.0, 0.0, 1.0, 1.0)]
PLACES = [(slice(32, 64), slice(16, 48)), (slice(0, 32), slice(0, 32)), (slice(0, 32), slice(32, 64))]
GAMMA = dict(frame=0.1, crops=0.7)
WEIGHT = dict(frame=0.3, crops=0.2)


def animator(frame: bool = True, crops: bool = True, scale: int = 1, **options) -> Animator:
    LOSSES.get('L1Loss')  # imports the package
    torch.manual_seed(0)

    def parts(name):
        return dict(discriminator=dict(type='StyleGAN2Discriminator'),
                    adversarial=dict(type='NonSaturatingLoss', weight=WEIGHT[name]),
                    r1=dict(type='R1Penalty', weight=GAMMA[name], interval=1))

    training = dict(losses=[dict(type='L1Loss')], discriminator_scale=scale)
    if frame:
        training |= parts('frame')
    if crops:
        training['face_crops'] = dict(parts('crops'), size=CROP) | options
    return Animator(
        SIZE, 16, motion_dim=4, max_channels=8, data_preprocessor=dict(type='mmengine.BaseDataPreprocessor'),
        encoder=dict(type='LIAEncoder', init='reference'),
        flow_generator=dict(type='LIAFlowGenerator', init='reference', inpaint=True), training=training)


def batch(boxes=BOXES):
    generator = torch.Generator().manual_seed(0)
    pair = {key: torch.rand(BATCH, 3, SIZE, SIZE, generator=generator) * 2 - 1 for key in ('source', 'driving')}
    return dict(pair, regions=boxes_to_maps(torch.tensor([boxes] * BATCH)))


def slices(images):
    return torch.stack([images[(slice(None), slice(None), *place)] for place in PLACES], dim=1).flatten(0, 1)


@contextmanager
def frozen(*modules):
    for module in modules:
        module.requires_grad_(False)
    yield
    for module in modules:
        module.requires_grad_(True)


def gradients(model):
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def penalty(discriminator, images, gamma):
    images = images.clone().requires_grad_()
    gradient, = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    return gamma / 2 * gradient.square().sum((1, 2, 3)).mean()


def test_each_network_has_the_gradients_of_a_pass_of_its_own():
    model, data = animator(), batch()
    terms = model(dict(data), mode='loss')
    sum(terms.values()).backward()
    got = gradients(model)
    assert got.keys() == {name for name, _ in model.named_parameters()}

    model.zero_grad()
    source, driving = data['source'], data['driving']
    with frozen(model.discriminator, model.crop_discriminator):
        made = model.transfer(source, driving).frames
        loss = (made - driving).abs().mean() + WEIGHT['frame'] * F.softplus(-model.discriminator(made)).mean() + \
            WEIGHT['crops'] * F.softplus(-model.crop_discriminator(slices(made))).mean()
        loss.backward()
    expected = gradients(model)
    made = made.detach()
    for network, name, view in ((model.discriminator, 'frame', lambda images: images),
                                (model.crop_discriminator, 'crops', slices)):
        model.zero_grad()
        real = view(driving)
        loss = F.softplus(-network(real)).mean() + F.softplus(network(view(made))).mean()
        (loss + penalty(network, real, GAMMA[name])).backward()
        expected |= gradients(model)
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        error = (got[name] - gradient).abs().max() / gradient.abs().max().clamp(min=1e-12)
        assert error < 1e-3, f'{name}: {error:.2e}'


def test_a_discriminator_of_frames_of_half_the_resolution():
    model, data = animator(crops=False, scale=2), batch()
    assert model.discriminator.size == SIZE // 2
    terms = model(dict(data), mode='loss')
    made, real = (images[..., ::2, ::2] + images[..., 1::2, ::2] + images[..., ::2, 1::2] + images[..., 1::2, 1::2]
                  for images in (model.transfer(data['source'], data['driving']).frames, data['driving']))
    made, real, network = made / 4, real / 4, model.discriminator
    torch.testing.assert_close(terms['loss_adversarial'], WEIGHT['frame'] * F.softplus(-network(made)).mean())
    torch.testing.assert_close(terms['loss_discriminator'],
                               F.softplus(-network(real)).mean() + F.softplus(network(made)).mean())
    torch.testing.assert_close(terms['loss_r1'], penalty(network, real, GAMMA['frame']), rtol=1e-3, atol=0)
    for scale in (0, 3):
        with pytest.raises(ValueError, match=f'discriminator_scale must divide the size 64, got {scale}'):
            animator(crops=False, scale=scale)


def test_terms_by_name():
    terms = animator()(batch(), mode='loss')
    own = {'loss_adversarial', 'loss_discriminator', 'loss_r1'}
    assert terms.keys() == {'loss_l1'} | own | {f'{name}_crops' for name in own}
    model = animator(frame=False)
    assert model.discriminator is model.adversarial is model.r1 is None
    model.crop_adversarial.weight = 0.0  # before its ramp: the discriminator learns, the generator does not see it
    assert model(batch(), mode='loss').keys() == {'loss_l1', 'loss_discriminator_crops', 'loss_r1_crops'}
    assert animator(adversarial=None, r1=None).crop_adversarial.name == 'adversarial_crops'
    named = animator(adversarial=dict(type='NonSaturatingLoss', name='mouths'), r1=dict(type='R1Penalty', name='flat'))
    assert (named.crop_adversarial.name, named.crop_r1.name) == ('mouths', 'flat')


def test_parts_and_sizes():
    assert animator().crop_discriminator.size == CROP and animator(parts=('mouth',)).crop_view.rows.tolist() == [0]
    crops = FaceCrops()
    assert crops.size == 64 and crops.rows.tolist() == [0, 1, 2] and not crops.state_dict()
    images = torch.rand(2, 3, SIZE, SIZE)
    maps = boxes_to_maps(torch.tensor([BOXES, [NAN, *BOXES[1:]]]))
    found = FaceCrops(('eyes', 'mouth'), CROP)(images, maps).unflatten(0, (2, 3))
    order = [1, 2, 0]  # as named
    torch.testing.assert_close(found[0], slices(images).unflatten(0, (2, 3))[0][order])
    torch.testing.assert_close(found[1, :2], slices(images).unflatten(0, (2, 3))[1][[1, 2]])
    assert not found[1, 2].any()


def test_wrong_configs_and_data():
    with pytest.raises(UserError, match='the discriminator of face crops needs regions of the faces; .* data regions'):
        animator()({key: value for key, value in batch().items() if key != 'regions'}, mode='loss')
    with pytest.raises(ValueError, match=r'training\.face_crops\.adversarial and .* need training\.face_crops\.discr'):
        animator(discriminator=None)
    with pytest.raises(ValueError, match='training.face_crops needs a discriminator'):
        animator(discriminator=None, adversarial=None, r1=None)
    with pytest.raises(ValueError, match='parts must name parts of a face'):
        animator(parts=('nose',))
