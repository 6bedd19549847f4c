"""Smoothing of the path of a face or person: a Kalman smoother with constant velocity (Rauch, Tung & Striebel 1965).

Two passes over the whole path, so the result does not lag behind, and frames without a detection are filled in. False
detections are found by the median of those around (Hampel 1974, with a fixed limit).
"""

import numpy as np


MAX_EXTRAPOLATION = 1.0  # seconds; further away, the velocity says little about where the face or person is


def smooth_path(values: np.ndarray, seconds: np.ndarray, *, noise: float, acceleration: float) -> np.ndarray:
    """Smooth measurements over time.

    Before the first and after the last measurement, the path goes on for a second with the velocity that it has there,
    and rests further away.

    Args:
        values (np.ndarray): Shape (T, D); rows of NaN are missing. At least one row is not.
        seconds (np.ndarray): Times of the rows, increasing, shape (T,).
        noise (float): Standard deviation of the measurements.
        acceleration (float): Standard deviation of the acceleration between rows, in units per second².

    Returns:
        np.ndarray: Shape (T, D).
    """
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    if len(known) == 0:
        raise ValueError('all values are missing')
    first, last = known[0], known[-1]
    states = _smooth_states(values[first:last + 1], seconds[first:last + 1], noise, acceleration)
    end = np.clip(np.arange(len(values)) - first, 0, last - first)  # for rows outside, the nearest one inside
    elapsed = np.clip(seconds - seconds[first + end], -MAX_EXTRAPOLATION, MAX_EXTRAPOLATION)
    return states[end, 0] + elapsed[:, None] * states[end, 1]


def _smooth_states(values: np.ndarray, seconds: np.ndarray, noise: float, acceleration: float) -> np.ndarray:
    """Positions and velocities, (T, 2, D); the first row of ``values`` is known."""
    state = np.stack([values[0], np.zeros(values.shape[1])])
    # the velocity at the start is unknown; all D dimensions have one covariance
    cov = np.diag([noise ** 2, (10 * acceleration) ** 2])
    states, covs, predicted, moves = [state], [cov], [(state, cov)], [np.eye(2)]
    for value, step in zip(values[1:], np.diff(seconds)):
        move = np.array(((1, step), (0, 1)))
        push = acceleration * np.array((step ** 2 / 2, step))
        state, cov = move @ state, move @ cov @ move.T + np.outer(push, push)
        predicted.append((state, cov))
        if not np.isnan(value).any():
            gain = cov[:, 0] / (cov[0, 0] + noise ** 2)
            state = state + gain[:, None] * (value - state[0])
            cov = cov - np.outer(gain, cov[0])
        states.append(state)
        covs.append(cov)
        moves.append(move)
    for index in range(len(values) - 2, -1, -1):
        next_state, next_cov = predicted[index + 1]
        back = covs[index] @ moves[index + 1].T @ np.linalg.inv(next_cov)
        states[index] = states[index] + back @ (states[index + 1] - next_state)
        covs[index] = covs[index] + back @ (covs[index + 1] - next_cov) @ back.T
    return np.stack(states)


def find_outliers(values: np.ndarray, seconds: np.ndarray, *, within: float, limit: float) -> np.ndarray:
    """Rows that differ from the median of the rows around them.

    Args:
        values (np.ndarray): Shape (T, D); rows of NaN are missing, and are no outliers.
        seconds (np.ndarray): Times of the rows, increasing, shape (T,).
        within (float): Width of the window of the median, in seconds.
        limit (float): Largest difference, in any column, of a row that is no outlier.

    Returns:
        np.ndarray: bool, shape (T,).
    """
    near = np.abs(seconds[:, None] - seconds) <= within / 2 + 1e-9
    known = near & ~np.isnan(values).any(axis=1)
    result = np.zeros(len(values), bool)
    for index in np.flatnonzero(known.diagonal()):
        difference = values[index] - np.median(values[known[index]], axis=0)
        result[index] = np.abs(difference).max() > limit
    return result
