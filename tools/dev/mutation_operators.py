"""Small faults in Python source: each mutation replaces the text of one syntax node.

Not mutated are docstrings, annotations, decorators, f-strings, ``raise`` and ``assert`` statements, warnings and
progress bars: what they say is not what a module computes; nor what decides how it is computed (``NO_RESULT``).
"""

import ast
from typing import Iterator, NamedTuple

ARITHMETIC = {ast.Add: ('+', '-'), ast.Sub: ('-', '+'), ast.Mult: ('*', '/'), ast.Div: ('/', '*'),
              ast.FloorDiv: ('//', '*'), ast.Mod: ('%', '*'), ast.Pow: ('**', '*')}
COMPARISONS = {ast.Lt: ('<', '<='), ast.LtE: ('<=', '<'), ast.Gt: ('>', '>='), ast.GtE: ('>=', '>'),
               ast.Eq: ('==', '!='), ast.NotEq: ('!=', '=='), ast.Is: ('is', 'is not'), ast.IsNot: ('is not', 'is'),
               ast.In: ('in', 'not in'), ast.NotIn: ('not in', 'in')}
SWAPPED_NAMES = {
    name: other for pair in (
        ('mean', 'sum'), ('max', 'min'), ('amax', 'amin'), ('argmax', 'argmin'), ('sin', 'cos'), ('floor', 'ceil'),
        ('any', 'all'), ('zeros', 'ones'), ('zeros_like', 'ones_like'), ('std', 'var'), ('randn', 'rand'),
        ('triu', 'tril'), ('maximum', 'minimum'), ('cumsum', 'cumprod'), ('nanmean', 'nansum'))
    for name, other in (pair, pair[::-1])} | dict(
        rsqrt='sqrt', log='log1p', median='mean', square='abs', abs='square', exp='expm1', softplus='relu')
SWAPPED_STRINGS = {'bilinear': 'nearest', 'nearest': 'bilinear', 'bicubic': 'bilinear', 'area': 'bilinear',
                   'mean': 'sum', 'sum': 'mean', 'reflect': 'replicate', 'zeros': 'border', 'border': 'zeros',
                   'replicate': 'reflect', 'center': 'none', 'ij': 'xy', 'xy': 'ij'}
DROPPED_CALLS = {
    'abs', 'square', 'sqrt', 'rsqrt', 'clamp', 'clip', 'clamp_min', 'exp', 'log', 'sigmoid', 'tanh', 'round', 'flip',
    'transpose', 't', 'roll', 'cumsum', 'diff', 'softmax', 'detach', 'double', 'mean', 'sum', 'sorted', 'max', 'min',
    'relu', 'normalize', 'softplus', 'nan_to_num', 'pad', 'rad2deg', 'deg2rad', 'reversed', 'leaky_relu',
    'avg_pool2d', 'log1p', 'expm1', 'pow', 'div', 'mul', 'sub', 'add', 'floor', 'ceil', 'sort', 'lower', 'strip',
    'movedim', 'permute', 'cos', 'sin', 'norm', 'std', 'var'}
DROPPED_KEYWORDS = {
    'generator', 'dim', 'axis', 'keepdim', 'keepdims', 'unbiased', 'correction', 'ddof', 'dtype', 'padding',
    'stride', 'align_corners', 'antialias', 'min', 'max', 'count_include_pad', 'weights', 'weight', 'side', 'right',
    'reverse', 'key', 'start', 'eps', 'seed', 'diagonal', 'indexing', 'scale', 'groups'}
AXIS_METHODS = {
    'mean', 'sum', 'amax', 'amin', 'std', 'var', 'cumsum', 'flip', 'softmax', 'unsqueeze', 'squeeze', 'size', 'norm',
    'argmax', 'argmin', 'median', 'all', 'any', 'unbind', 'chunk', 'transpose', 'movedim', 'max', 'min'}
# exchanged, their first two arguments fail at once or give the same: the last two lines are symmetric functions
UNORDERED = {
    'zip', 'isinstance', 'issubclass', 'getattr', 'hasattr', 'setattr', 'min', 'max', 'cat', 'maximum', 'minimum',
    'l1_loss', 'mse_loss', 'frechet_distance', 'polynomial_mmd', 'is_same_rate', 'array_equal', 'equal', 'allclose',
    'gcd', 'hypot'}
# keyword arguments and constants that decide how something is computed, not what
NO_RESULT = {'non_blocking', 'BLOCK_ELEMENTS', 'TIMEOUT_SECONDS'}
NOT_MUTATED = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)
MODULES = ('torch', 'np', 'F', 'math', 'functional', 'nn')
MESSAGES = {'warn', 'warning', 'info', 'debug', 'print', 'print_log', 'warn_once'}


class Mutation(NamedTuple):
    """One fault: ``source[start:end]`` (bytes) is replaced by ``text``."""

    kind: str
    line: int
    start: int
    end: int
    text: bytes

    def apply(self, source: bytes) -> bytes:
        """The source with this fault."""
        return source[:self.start] + self.text + source[self.end:]


def find_mutations(source: bytes) -> list[Mutation]:
    """All mutations of a module, in the order of the text; not all of them parse, see :func:`is_fault`."""
    tree = ast.parse(source)
    return sorted(set(_Finder(source).walk(tree)), key=lambda m: (m.start, m.end, m.kind, m.text))


def is_fault(source: bytes, mutation: Mutation) -> bool:
    """Whether the mutated module parses and is another program."""
    try:
        return ast.dump(ast.parse(mutation.apply(source))) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


class _Finder:
    """Walks a syntax tree and proposes mutations of its nodes."""

    def __init__(self, source: bytes):
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def walk(self, node: ast.AST) -> Iterator[Mutation]:
        if isinstance(node, NOT_MUTATED) or _is_message(node) or getattr(node, 'arg', None) in NO_RESULT:
            return
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', None) in NO_RESULT:
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        propose = getattr(self, f'of_{type(node).__name__.lower()}', None)
        for kind, start, end, text in propose(node) if propose else ():
            yield Mutation(kind, node.lineno, start, end, text if isinstance(text, bytes) else text.encode())
        for field, value in ast.iter_fields(node):
            if field in ('annotation', 'returns', 'decorator_list'):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from self.walk(child)

    # ---- places ------------------------------------------------------------------
    def start(self, node: ast.AST) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.AST) -> int:
        return self.starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.AST) -> bytes:
        return self.source[self.start(node):self.end(node)]

    def token(self, left: ast.AST, right: ast.AST, token: str) -> tuple[int, int]:
        """Where an operator stands between two operands; -1 if a comment is in the way."""
        between = self.source[self.end(left):self.start(right)]
        if b'#' in between:
            return -1, -1
        where = self.end(left) + between.find(token.encode())
        return where, where + len(token)

    # ---- nodes -------------------------------------------------------------------
    def of_binop(self, node: ast.BinOp) -> Iterator[tuple]:
        if type(node.op) not in ARITHMETIC or isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
            return
        token, other = ARITHMETIC[type(node.op)]
        start, end = self.token(node.left, node.right, token)
        if start < 0:
            return
        yield 'arithmetic', start, end, other
        first, last = self.start(node), self.end(node)
        yield 'operand removed', first, last, self.source[first:start].rstrip()
        if isinstance(node.op, ast.Mult):
            yield 'operand removed', first, last, self.source[end:last].lstrip()

    def of_compare(self, node: ast.Compare) -> Iterator[tuple]:
        left = node.left
        for operator, right in zip(node.ops, node.comparators):
            token, other = COMPARISONS[type(operator)]
            start, end = self.token(left, right, token)
            if start >= 0:
                yield 'comparison', start, end, other
            left = right

    def of_boolop(self, node: ast.BoolOp) -> Iterator[tuple]:
        token, other = ('and', 'or') if isinstance(node.op, ast.And) else ('or', 'and')
        for left, right in zip(node.values, node.values[1:]):
            start, end = self.token(left, right, token)
            if start >= 0:
                yield 'boolean', start, end, other

    def of_unaryop(self, node: ast.UnaryOp) -> Iterator[tuple]:
        if isinstance(node.op, (ast.USub, ast.Not)):
            yield 'sign', self.start(node), self.end(node), self.source[self.start(node.operand):self.end(node)]

    def of_constant(self, node: ast.Constant) -> Iterator[tuple]:
        value, where = node.value, (self.start(node), self.end(node))
        if isinstance(value, bool):
            yield 'constant', *where, str(not value)
        elif isinstance(value, int):
            yield 'constant', *where, str(value + 1)
            if value > 1:
                yield 'constant', *where, str(value - 1)
        elif isinstance(value, float):
            # a guard such as 1e-8 is meant to have no influence: it becomes one that has
            yield 'constant', *where, repr(1.0 if value == 0 else value * 1000 if abs(value) < 1e-3 else value * 2)
        elif value in SWAPPED_STRINGS and self.source[where[0]:where[0] + 1] in (b"'", b'"'):
            yield 'constant', *where, repr(SWAPPED_STRINGS[value])

    def of_attribute(self, node: ast.Attribute) -> Iterator[tuple]:
        if node.attr in SWAPPED_NAMES:
            yield 'function', self.end(node) - len(node.attr), self.end(node), SWAPPED_NAMES[node.attr]

    def of_name(self, node: ast.Name) -> Iterator[tuple]:
        if node.id in ('max', 'min', 'any', 'all') and isinstance(node.ctx, ast.Load):
            yield 'function', self.start(node), self.end(node), SWAPPED_NAMES[node.id]

    def of_call(self, node: ast.Call) -> Iterator[tuple]:
        where, function, arguments = (self.start(node), self.end(node)), node.func, node.args
        name = getattr(function, 'attr', getattr(function, 'id', ''))
        if name in DROPPED_CALLS:
            module = isinstance(function, ast.Name) or getattr(function.value, 'id', '') in MODULES
            if module and arguments and not isinstance(arguments[0], (ast.Starred, ast.GeneratorExp)):
                yield 'call removed', *where, b'(' + self.text(arguments[0]) + b')'
            elif not module:
                dot = self.source.rfind(b'.', self.end(function.value), self.end(function))
                yield 'call removed', *where, self.source[where[0]:dot].rstrip()
        for keyword in node.keywords:
            if keyword.arg in DROPPED_KEYWORDS:
                yield 'keyword removed', *self._with_comma(keyword), b''
        if len(arguments) >= 2 and name not in UNORDERED and not any(isinstance(a, ast.Starred) for a in arguments[:2]):
            first, second = arguments[:2]
            if {type(first), type(second)} <= {ast.Name, ast.Attribute, ast.Subscript}:
                yield ('arguments swapped', self.start(first), self.end(second),
                       self.text(second) + b', ' + self.text(first))
        yield from self._axes(node, name)

    def _axes(self, node: ast.Call, name: str) -> Iterator[tuple]:
        axes = [keyword.value for keyword in node.keywords if keyword.arg in ('dim', 'axis')]
        if isinstance(node.func, ast.Attribute) and name in AXIS_METHODS:
            axes += node.args[:2]
        for axis in axes:
            text = self.text(axis)
            if text.lstrip(b'-').isdigit():
                value = int(text)
                yield 'axis', self.start(axis), self.end(axis), str(value - 1 if value else 1)

    def _with_comma(self, keyword: ast.keyword) -> tuple[int, int]:
        start, end = self.start(keyword), self.end(keyword)
        before = self.source[:start].rstrip()
        if before.endswith(b','):
            return len(before) - 1, end
        after = self.source[end:]
        comma = len(after) - len(after.lstrip())
        return start, end + comma + (after[comma:comma + 1] == b',')

    def of_expr(self, node: ast.Expr) -> Iterator[tuple]:
        if isinstance(node.value, ast.Call) and not _is_message(node.value):
            yield 'statement removed', self.start(node), self.end(node), b'pass'

    def of_augassign(self, node: ast.AugAssign) -> Iterator[tuple]:
        yield 'statement removed', self.start(node), self.end(node), b'pass'
        if type(node.op) in ARITHMETIC:
            token, other = ARITHMETIC[type(node.op)]
            start, end = self.token(node.target, node.value, token + '=')
            if start >= 0:
                yield 'arithmetic', start, end, other + '='

    def of_if(self, node: ast.If | ast.IfExp) -> Iterator[tuple]:
        yield 'condition', self.start(node.test), self.end(node.test), b'not (' + self.text(node.test) + b')'

    of_ifexp = of_if


def _is_message(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    on_progress_bar = isinstance(node.func, ast.Attribute) and getattr(node.func.value, 'id', '') == 'bar'
    return on_progress_bar or getattr(node.func, 'attr', getattr(node.func, 'id', None)) in MESSAGES
