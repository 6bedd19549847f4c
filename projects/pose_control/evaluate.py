"""How well generated motion follows the asked head poses, on held-out identities.

    python -m projects.pose_control.evaluate work_dirs/lmdm_pose --codes data/synthetic_faces_128_codes \
        --ground-truth data/synthetic_faces_128 --controls data/synthetic_faces_128_pose.npz
"""

from projects.control_evaluation import control_reports

if __name__ == '__main__':
    for _ in control_reports(__doc__.partition('\n')[0]):
        pass
