"""Prepare a user study that compares folders of videos, and analyze the answers.

    leokit user-study prepare --method ours=results/ours --method baseline=results/baseline \\
        --question 'Which video looks more natural?' --pairs-per-rater 20 --attention-checks 3 --out study/page.html
    leokit user-study analyze answers/ --key study/page.key.json --out study/report
"""

from leokit.cli.user_study import analyze, prepare

COMMANDS = {'prepare': prepare, 'analyze': analyze}
