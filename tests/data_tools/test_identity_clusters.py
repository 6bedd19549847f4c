"""Clusters of embeddings whose distances are known."""

import numpy as np

from leokit.data_tools.data_items import read_items
from leokit.data_tools.identity_clusters import cluster, cluster_identities


def test_clusters_merge_by_their_mean_distance():
    points = np.array([[0.0, 0], [0.3, 0], [0.62, 0], [3, 0]])
    # 0 and 0.3 first; the third is 0.62 and 0.32 away from them, 0.47 on average
    assert len(set(cluster(points, 0.46))) == 3 and len(set(cluster(points, 0.48))) == 2
    assert len(set(cluster(points[:1]))) == 1


def test_people_are_named_after_their_first_video(data):
    faces = dict(a=[0.0, 0], b=[5, 5], c=[5, 5.1], d=[0.1, 0])
    videos = [item.entry for item in read_items(data)]
    order = iter(faces.values())
    assert cluster_identities(videos, embed=lambda frames: np.array([next(order)])) == ['p1', 'p2', 'p2', 'p1']
    nobody = iter([np.zeros((0, 2)), np.ones((1, 2)), np.zeros((0, 2)), np.zeros((0, 2))])
    assert cluster_identities(videos, embed=lambda frames: next(nobody)) == [None, 'p2', 'p2', None]
