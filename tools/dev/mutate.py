"""Plant faults in leokit and report which of them its tests notice.

    python tools/dev/mutate.py --number 60 --seed 1 --out mutations.json
    python tools/dev/mutate.py --rooms metrics,nn --number 20 --seed 2 --out mutations.json
    python tools/dev/mutate.py --again mutations.json --out again.json     # its survivors, after tests were written

Each fault is planted in a copy of the working tree, and the tests of that room run in a process forked from one that
has already imported PyTorch. The result is saved after every fault, and a second call with the same options continues.
A fault is ``killed`` if a test fails, ``survived`` if all pass, and ``timeout`` (also noticed) if they take five times
as long as without it. Survivors that compute the same are listed in ``equivalent_mutations.json``, with the reason.
"""

import argparse
import json
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from mutation_operators import Mutation, find_mutations, is_fault
from mutation_rooms import ROOMS, Room, modules_of, tests_of
from mutation_runner import TestRunner

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name('equivalent_mutations.json')


def read_sources(room: Room) -> dict[str, bytes]:
    """The room's modules and their source."""
    return {module: (ROOT / module).read_bytes() for module in modules_of(room, ROOT)}


def describe(room: str, module: str, mutation: Mutation, source: bytes) -> dict:
    """A mutation as it is reported: the changed lines, without line numbers in its identity."""
    first = source.rfind(b'\n', 0, mutation.start) + 1
    last = source.find(b'\n', mutation.end)
    before = source[first:last].decode()
    after = (source[first:mutation.start] + mutation.text + source[mutation.end:last]).decode()
    return dict(room=room, module=module, line=mutation.line, kind=mutation.kind, before=before, after=after)


def draw(rooms: list[str], number: int, seed: int) -> list[dict]:
    """Random mutations: rooms in turn, then a random module, kind and place, each drawn uniformly; all if too few."""
    generator = random.Random(seed)
    sources = {room: read_sources(ROOMS[room]) for room in rooms}
    left = {room: {module: find_mutations(source) for module, source in modules.items()}
            for room, modules in sources.items()}
    drawn, order = [], []
    while len(drawn) < number:
        left = {room: {module: found for module, found in modules.items() if found} for room, modules in left.items()}
        order = [room for room in order if left[room]] or [room for room in generator.sample(rooms, len(rooms))
                                                           if left[room]]
        if not order:
            break
        room = order.pop()
        module, found = generator.choice(list(left[room].items()))
        kind = generator.choice(sorted({mutation.kind for mutation in found}))
        mutation = generator.choice([m for m in found if m.kind == kind])
        found.remove(mutation)
        if is_fault(sources[room][module], mutation):
            drawn.append(describe(room, module, mutation, sources[room][module]))
    return drawn


def identity(entry: dict) -> tuple[str, str, str]:
    """What makes two reported mutations the same, in a file whose lines may have moved."""
    return entry['module'], entry['before'], entry['after']


def plant(entry: dict, tree: Path) -> bytes | None:
    """The source with a reported mutation, or None if its line is gone or stands there twice."""
    source = (tree / entry['module']).read_text()
    if source.count(entry['before'] + '\n') != 1:
        lines = source.splitlines(keepends=True)
        at = entry.get('line', 0) - 1
        if ''.join(lines[at:]).startswith(entry['before']):
            return (''.join(lines[:at]) + ''.join(lines[at:]).replace(entry['before'], entry['after'], 1)).encode()
        return None
    return source.replace(entry['before'] + '\n', entry['after'] + '\n').encode()


def copy_tree(target: Path) -> None:
    """Copy the tracked and the new files of the working tree."""
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    for name in filter(None, listed.split('\0')):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def report(entries: list[dict]) -> str:
    """The rates, and a line for each survivor."""
    equivalent = {identity(entry) for entry in json.loads(EQUIVALENT.read_text())}
    lines = [f'{"room":18} killed timeout survived equivalent']
    rooms = Counter((entry['room'], entry['status']) for entry in entries)
    survivors = [entry for entry in entries if entry['status'] == 'survived']
    same = Counter(entry['room'] for entry in survivors if identity(entry) in equivalent)
    for room in dict.fromkeys(entry['room'] for entry in entries):
        lines.append(f'{room:18} {rooms[room, "killed"]:6} {rooms[room, "timeout"]:7} '
                     f'{rooms[room, "survived"] - same[room]:8} {same[room]:10}')
    noticed = sum(entry['status'] in ('killed', 'timeout') for entry in entries)
    different = len(entries) - sum(same.values())
    for entry in survivors:
        if identity(entry) not in equivalent:
            lines += [f'{entry["module"]}:{entry["line"]} {entry["kind"]}', f'  - {entry["before"].strip()}',
                      f'  + {entry["after"].strip()}']
    lines.append(f'{noticed} of {len(entries)} noticed; {noticed} of {different} '
                 f'({100 * noticed / max(different, 1):.1f} %) without those that compute the same')
    return '\n'.join(lines)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--rooms', default=','.join(ROOMS), help='names in mutation_rooms.py (default: all)')
    add('--number', type=int, default=60, help='how many mutations (default: 60; fewer if the rooms have no more)')
    add('--seed', type=int, default=0)
    add('--out', type=Path, default=Path('mutations.json'))
    add('--again', type=Path, metavar='JSON', help='plant the survivors of an earlier result once more, or those of a '
        'list written by hand (objects with module, before, after)')
    add('--limit', type=float, metavar='SECONDS', help='of a run, where the tests are known to pass without a '
        'mutation (default: five times as long as without one, which is measured)')
    add('--list', action='store_true', help='print the mutations and run nothing')
    return parser.parse_args()


def main() -> None:
    """Run, continue or repeat mutations."""
    args = parse_arguments()
    results: list[dict] = []
    if args.again:
        of_module = {module: name for name, room in ROOMS.items() for module in modules_of(room, ROOT)}
        chosen = [entry for entry in json.loads(args.again.read_text()) if entry.get('status') in (None, 'survived')]
        for entry in chosen:
            if entry.pop('status', None):
                entry.pop('tests', None)  # there may be new ones
        chosen = [dict(dict(line=0, kind='given'), **entry) for entry in chosen]
        chosen = [dict(entry, room=entry.get('room') or of_module[entry['module']]) for entry in chosen]
    else:
        chosen = draw(args.rooms.split(','), args.number, args.seed)
        if args.out.exists():
            results = json.loads(args.out.read_text())
            done = {identity(entry) for entry in results}
            chosen = [entry for entry in chosen if identity(entry) not in done]
    if args.list:
        print(json.dumps(chosen, indent=1))
        return
    with tempfile.TemporaryDirectory(prefix='mutate-') as folder:
        copy_tree(Path(folder))
        runner = TestRunner(Path(folder), args.limit)
        for entry in chosen:
            entry['tests'] = entry.get('tests') or tests_of(ROOMS[entry['room']], entry['module'], ROOT)
        runner.prepare([test for entry in chosen for test in entry['tests']])
        for entry in sorted(chosen, key=lambda entry: list(ROOMS).index(entry['room'])):
            mutated = plant(entry, Path(folder))
            if mutated is None:
                print(f'{entry["module"]}: the line is gone: {entry["before"].strip()}')
                continue
            entry.update(runner.run(entry['module'], mutated, entry['tests']))
            results.append(entry)
            print(f'{entry["status"]:9} {entry["seconds"]:6.1f} s {entry["module"]}:{entry["line"]} {entry["kind"]} '
                  f'{entry["test"]}', flush=True)
            args.out.write_text(json.dumps(results, indent=1))
    print(report(results))


if __name__ == '__main__':
    main()
