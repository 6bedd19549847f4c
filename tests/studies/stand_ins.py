"""A program that stands in for the leokit command: it takes no time and writes the same files."""

import sys

TRAIN = '''
import os, pathlib, runpy, signal, sys, time
config = runpy.run_path(sys.argv[1])  # without MMEngine, whose import takes longer
out = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
(out / 'vis_data').mkdir(parents=True, exist_ok=True)
with open(out / 'calls', 'a') as calls:
    calls.write(os.environ.get('CUDA_VISIBLE_DEVICES', '-') + '\\n')
def stop(number, frame):
    (out / 'iter_1.pth').write_text('half')
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
behavior = config['model'].get('behavior')
if behavior == 'fails':
    sys.exit('error: the model does not like this')
if behavior == 'waits' and not (out / 'iter_1.pth').exists():
    (out / 'started').touch()
    time.sleep(60)
seed, quality = config['randomness']['seed'], config['model']['quality']
rows = [f'{{"step": {step}, "loss": {quality + seed / step}}}' for step in (1, 2)]
(out / 'vis_data' / 'scalars.json').write_text('\\n'.join(rows))
(out / f'iter_{config["train_cfg"]["max_iters"]}.pth').write_text('whole')
'''
TEST = '''
import json, pathlib, runpy, sys
config = runpy.run_path(sys.argv[1])
assert pathlib.Path(sys.argv[2]).read_text() == 'whole'
seed, scale, quality = config['randomness']['seed'], config['test_cfg']['scale'], config['model']['quality']
scores = {'error': scale * (quality + seed), 'ratio': 1 - quality / 10}
pathlib.Path(sys.argv[sys.argv.index('--out') + 1]).write_text(json.dumps(scores))
'''
PROGRAM = '''
import pathlib, runpy, sys
runpy.run_path(str(pathlib.Path(__file__).with_name(f'{sys.argv.pop(1)}.py')), run_name='__main__')
'''
BASE = '''
model = dict(quality=1.0)
train_cfg = dict(max_iters=4)
test_cfg = dict(scale=1.0)
'''
STUDY = '''
title = 'Good & bad'
base = '{base}'
options = {{'test_cfg.scale': 2.0}}
variants = [dict(name='good'), dict(name='bad one', options={{'model.quality': 3.0}})]
seeds = [0, 1, 2]
metrics = [dict(key='error', label='error_1'), dict(key='ratio', target=1.0)]
curves = ['loss']
'''


def write_study(folder, study=STUDY, base=BASE):
    """Write program, base config and study; return the paths of the study and the command of the program."""
    program = folder / 'program'
    program.mkdir(exist_ok=True)
    for name, text in dict(train=TRAIN, test=TEST, main=PROGRAM).items():
        (program / f'{name}.py').write_text(text)
    (folder / 'base.py').write_text(base)
    (folder / 'study.py').write_text(study.format(base=folder / 'base.py'))
    return folder / 'study.py', (sys.executable, str(program / 'main.py'))
