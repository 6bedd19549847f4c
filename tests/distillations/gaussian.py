"""Gaussian data N(MEAN, STD^2), for which the denoiser and the flow of the probability flow ODE are known exactly."""

from leokit.noise_schedulers import Prediction, broadcast_to_rank

MEAN, STD = 0.7, 0.4


def levels(scheduler, t, x):
    return (broadcast_to_rank(scheduler.signal_level(t).sqrt(), x),
            broadcast_to_rank(scheduler.noise_level(t).sqrt(), x))


def exact_denoiser(scheduler, mean=MEAN, std=STD):
    """E[x0 | x_t] and E[eps | x_t]."""
    def denoise(x, t):
        signal, noise = levels(scheduler, t, x)
        innovation = (x - signal * mean) / (signal ** 2 * std ** 2 + noise ** 2)
        return Prediction(mean + signal * std ** 2 * innovation, noise * innovation)
    return denoise


def flow(scheduler, x, t, t_end, mean=MEAN, std=STD):
    """The point at ``t_end`` of the trajectory through ``x`` at ``t``: quantiles are kept."""
    (signal, noise), (signal_end, noise_end) = levels(scheduler, t, x), levels(scheduler, t_end, x)
    scale = ((signal_end * std) ** 2 + noise_end ** 2).sqrt() / ((signal * std) ** 2 + noise ** 2).sqrt()
    return signal_end * mean + scale * (x - signal * mean)
