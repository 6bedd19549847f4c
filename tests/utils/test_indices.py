from leokit.utils.indices import evenly_spaced_indices


def test_first_and_last_are_included_and_indices_differ():
    assert evenly_spaced_indices(10, 4) == [0, 3, 6, 9]
    assert evenly_spaced_indices(3, 8) == [0, 1, 2] and evenly_spaced_indices(5, 1) == [0]
