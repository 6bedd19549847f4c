"""How shell scripts call leokit."""

import json
import os
import subprocess
import sys
from pathlib import Path

# A program on standard input is run; other calls are recorded.
RECORDER = '''#!{python}
import json, os, sys
if sys.argv[1] == '-':
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
with open(os.environ['CALLS'], 'a') as file:
    file.write(json.dumps(sys.argv[1:]) + '\\n')
'''


def recorded_calls(script: Path, folder: Path, *arguments: object, **environment: str):
    """Run a script with an interpreter that only records how it is called.

    Args:
        script (Path): A script that calls ``$PYTHON``.
        folder (Path): A temporary folder.
        *arguments: Those of the script.
        **environment: Variables.

    Returns:
        tuple: The finished script and the arguments of each call.
    """
    recorder, log = folder / 'python', folder / 'calls'
    recorder.write_text(RECORDER.format(python=sys.executable))
    recorder.chmod(0o755)
    log.write_text('')
    done = subprocess.run(['bash', script, *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, **environment, 'PYTHON': str(recorder), 'CALLS': str(log)})
    return done, [json.loads(line) for line in log.read_text().splitlines()]
