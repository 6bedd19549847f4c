import math

import torch

from leokit.registry import LOSSES


def build(**options):
    return LOSSES.build(dict(type='NonSaturatingLoss', **options))


def test_values_at_logit_zero():
    loss, zero = build(), torch.zeros(4, 1)
    torch.testing.assert_close(loss.generator_loss(zero), torch.tensor(math.log(2)))
    torch.testing.assert_close(loss.discriminator_loss(zero, zero), torch.tensor(2 * math.log(2)))


def test_generator_and_discriminator_have_opposite_gradients():
    loss, fake, real = build(), torch.zeros(2, 1, requires_grad=True), torch.zeros(2, 1, requires_grad=True)
    loss.generator_loss(fake).backward()
    assert (fake.grad < 0).all()  # the generator raises the logits of its images
    fake.grad = None
    loss.discriminator_loss(real, fake).backward()
    assert (fake.grad > 0).all() and (real.grad < 0).all()


def test_does_not_saturate_where_the_discriminator_is_sure():
    fake = torch.full((1, 1), -50.0, requires_grad=True)
    build().generator_loss(fake).backward()
    torch.testing.assert_close(fake.grad, torch.full((1, 1), -1.0))


def test_half_precision_logits_give_float32():
    loss, logits = build(weight=0.5, name='gan'), torch.zeros(2, 1, dtype=torch.bfloat16)
    assert loss.generator_loss(logits).dtype == loss.discriminator_loss(logits, logits).dtype == torch.float32
    assert (loss.weight, loss.name) == (0.5, 'gan')
