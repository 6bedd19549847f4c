import torch

from leokit.noise_schedulers import LinearNoiseScheduler, Prediction
from leokit.samplers import DDIMSampler, correct


def test_the_noise_is_recomputed_and_the_sampler_ends_at_the_correction():
    scheduler = LinearNoiseScheduler(num_train_timesteps=50)
    target = torch.randn(3, 4)

    def denoise(x, t):
        x0 = torch.zeros_like(x)
        return Prediction(x0, scheduler.eps_from_x0(x, x0, t))

    def half(x0):
        return torch.cat([target[:, :2], x0[:, 2:]], dim=1)

    x, t = torch.randn(3, 4), torch.tensor([0, 20, 49])
    prediction = correct(denoise, half, scheduler)(x, t)
    assert torch.allclose(scheduler.add_noise(prediction.x0, prediction.eps, t), x, atol=1e-5)
    sample = DDIMSampler(10).sample(correct(denoise, half, scheduler), torch.randn(3, 4), scheduler)
    assert torch.allclose(sample[:, :2], target[:, :2], atol=1e-5) and torch.allclose(sample[:, 2:], torch.zeros(3, 2))
