"""Seeds are functions of numbers."""

from leokit.utils.seeds import sample_seeds


def test_seeds_do_not_collide():
    seeds = [seed for job in range(20) for seed in sample_seeds(job, range(20))]
    assert len(set(seeds)) == len(seeds)
    assert sample_seeds(3, [7]) == sample_seeds(3, range(8))[7:]


def test_streams_of_a_sample_do_not_collide():
    streams = [sample_seeds(seed, range(20), stream) for seed in range(5) for stream in range(3)]
    assert len({seed for seeds in streams for seed in seeds}) == 5 * 3 * 20
    assert sample_seeds(2, [4]) == sample_seeds(2, [4], 0)
