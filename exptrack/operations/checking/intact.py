"""Whether a run says one thing throughout: its record, the files that it wrote, its snapshot, and what its command writes again.

Who can push can make a run by hand. What is executed again is the snapshot, and what that gives is compared with the record: a lie can
only stand in what neither of them is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import md5

from exptrack.analysis.arguments import ARGUMENTS, merge_arguments, parse_arguments
from exptrack.analysis.codec import encode_metrics
from exptrack.analysis.comparable import holds_metrics, is_value_file
from exptrack.analysis.configurations import code_files, code_patterns
from exptrack.analysis.fields import finite
from exptrack.analysis.holdout import list_names
from exptrack.analysis.patterns import numbers_only
from exptrack.analysis.same import is_same
from exptrack.analysis.secrets import mask_tree
from exptrack.analysis.secretshapes import MASK
from exptrack.analysis.trees import KINDS, decode_tree
from exptrack.analysis.wording import name_few
from exptrack.backends.git import diffs, objects
from exptrack.backends.git.diffs import Changed
from exptrack.errors import RecordError
from exptrack.model.run import Record, Run
from exptrack.model.settings import Settings
from exptrack.model.tree import Tree, Value, flatten
from exptrack.operations.context import Context
from exptrack.operations.files import Committed
from exptrack.operations.sources import Reader, below
from exptrack.store.holdout import HOLDOUT, read_holdout
from exptrack.store.private_index import is_dvc_file, is_ours

_NAMED = 3
_METRICS, _PARAMS, _IGNORE = "metrics.json", "params.yaml", ".gitignore"
_FORGED = "no exptrack makes such a run, ask who pushed it"


def find_lie(context: Context, run: Run) -> str | None:
    """Where the record of a run and its files say different things, in one line; None if nowhere. Nothing is executed for it."""
    if run.snapshot is None:
        return None
    wrong = [*_find_wrong_files(context, run), *_find_wrong_params(context, run, run.snapshot)]
    return f"its record does not agree with its {name_few(wrong, _NAMED, ' and ')}: {_FORGED}" if wrong else None


def find_unmade(
    context: Context, run: Run, reruns: Sequence[Run], settings: Settings
) -> tuple[str | None, tuple[str, ...]]:
    """What stands against files that the run wrote and none of its reruns did, and lines about the others of them.

    That a command gave a file another name (by the time, say) is no lie. But it cannot have changed a file of the snapshot, or made code,
    and do neither now.
    """
    again = {path for rerun in reruns for path in diffs.list_written(context.repository, rerun.oid)}
    left = [one for one in _list_written(context, run) if one.path not in again and not _is_vouched(context, run, one)]
    code = {*code_files([one.path for one in left], code_patterns(settings.compare))}
    wrong = [one.path for one in left if one.status != "A" or one.path in code]
    others = [one.path for one in left if one.path not in wrong]
    notes = (f"in the run lies {name_few(others, _NAMED, ' and ')}, which was not written again",) if others else ()
    if not wrong:
        return None, notes
    return (
        f"the run has {name_few(wrong, _NAMED, ' and ')} otherwise than its snapshot, and its command does not write that",
        notes,
    )


def _list_written(context: Context, run: Run) -> list[Changed]:
    found = diffs.list_changes(context.repository, f"{run.oid}^", run.oid, renames=False)
    return [one for one in found if not is_ours(one.path) and one.path.rpartition("/")[2] != _IGNORE]


def _is_vouched(context: Context, run: Run, one: Changed) -> bool:
    """Whether the record says what stands in a file that the run wrote."""
    record = run.record
    if one.path in {below(record.project, _METRICS), below(record.project, _PARAMS)}:
        return True  # see `_find_wrong_files`
    if is_dvc_file(one.path):
        return one.path in {
            *(pointer.source for pointer in record.outputs),
            *(f"{omission.path}.dvc" for omission in record.not_captured if omission.pointer),
            *(pointer.source for pointer in record.data if pointer.stage is not None and record.is_pipeline),
        }
    content = _read(context, one)
    if content is None:
        return False
    if is_value_file(one.path) and holds_metrics(record, one.path, content):
        return True
    return _find_made(record).get(one.path) == _digest(content)


def _read(context: Context, one: Changed) -> bytes | None:
    return objects.read(context.repository, one.new_oid) if one.status != "D" else None


def _find_made(record: Record) -> Mapping[str, str]:
    """Digests of what the stages made, by path."""
    return {path: digest for stage in record.stages or () for path, digest in stage.outs.items()}


def _find_wrong_files(context: Context, run: Run) -> Iterator[str]:
    """Files made of the record, and pointers, that say something else."""
    record, made = run.record, _find_made(run.record)
    written = _list_written(context, run)
    metrics, params = below(record.project, _METRICS), below(record.project, _PARAMS)
    for one in written:
        if one.path == metrics and not _holds(context, record, one, made):
            yield metrics
        if one.path == params and not _is_of(context, one, list(_list_params(record))):
            yield params
    try:
        sealed = list_names(read_holdout(context.repository, run))
    except RecordError:
        sealed = ("",)
    if {*sealed} != {*record.sealed}:
        yield HOLDOUT
    sources = {one.path for one in written if is_dvc_file(one.path) and one.status != "D"}
    sources |= {pointer.source for pointer in record.data if pointer.source}
    yield from _find_wrong_pointers(context, run, sorted(sources), made)


def _holds(context: Context, record: Record, one: Changed, made: Mapping[str, str]) -> bool:
    """Whether `metrics.json` holds the metrics of the record; an out of a pipeline is what its stage made of it."""
    if not record.is_pipeline:
        return _is_of(context, one, [_decode(one.path, encode_metrics(record.metrics))])
    content = _read(context, one)
    if content is None or made.get(one.path) == _digest(content):
        return content is not None
    tree = _decode(one.path, content)
    return holds_metrics(record, one.path, content) or (tree is not None and not numbers_only(tree, one.path)[0])


def _digest(content: bytes) -> str:
    return f"md5:{md5(content, usedforsecurity=False).hexdigest()}"


def _is_of(context: Context, one: Changed, wanted: Sequence[Tree | None]) -> bool:
    content = _read(context, one)
    found = None if content is None else _decode(one.path, content)
    return found is not None and any(other is not None and is_same(_plain(found), _plain(other)) for other in wanted)


def _decode(path: str, content: bytes) -> Tree | None:
    try:
        return decode_tree(content, KINDS["." + path.rpartition(".")[2]])
    except ValueError:
        return None


def _plain(tree: Tree) -> dict[str, Value]:
    return flatten(finite(tree))


def _list_params(record: Record) -> Iterator[Tree]:
    """What `params.yaml` may hold, see docs/format.md."""
    told = record.params.get(ARGUMENTS, {})
    own = {**record.params.get(_PARAMS, {}), **({ARGUMENTS: told} if told else {})}
    yield own
    yield {**own, **{source: tree for source, tree in record.params.items() if source not in {_PARAMS, ARGUMENTS}}}


def _find_wrong_pointers(context: Context, run: Run, sources: Sequence[str], made: Mapping[str, str]) -> Iterator[str]:
    if not sources:
        return
    record = run.record
    reader = Reader(Committed(context.repository, run.oid), record.project, context.yaml.load)
    known: dict[str, set[str]] = {}
    for pointer in record.pointers:
        known.setdefault(pointer.path, set()).add(f"{pointer.algorithm}:{pointer.digest}")
    known |= {path: {digest} for path, digest in made.items()}
    large = {one.path: one.digest for one in record.not_captured if one.pointer}
    for source in sources:
        found = {pointer.path: f"{pointer.algorithm}:{pointer.digest}" for pointer in reader.pointers(source)}
        if source in reader.refused or source.endswith(".yaml"):
            continue
        told = {pointer.path for pointer in record.data if pointer.source == source}
        if told - found.keys() or any(
            path not in large and digest not in known.get(path, ()) for path, digest in found.items()
        ):
            yield source


def _find_wrong_params(context: Context, run: Run, snapshot: str) -> Iterator[str]:
    """Files of parameters of which the snapshot holds others than the record; what changed while the run was on its way is left out."""
    record = run.record
    sources = {below(record.project, source): source for source in record.params if source != ARGUMENTS}
    if not sources:
        return
    files = Committed(context.repository, snapshot)
    reader = Reader(files, record.project, context.yaml.load)
    read = reader.params(path for path in sources if files.has(path))
    if read.keys() != {*sources.values()}:  # which value an argument took the place of depends on all of them
        return
    expected = merge_arguments(read, parse_arguments(record.command))
    for path, source in sources.items():
        if path in record.changed:
            continue
        ran, told = flatten(mask_tree(expected[source])), flatten(record.params[source])
        if any(not _agree(ran.get(key), told.get(key)) for key in {**ran, **told}):
            yield path


def _agree(ran: Value, told: Value) -> bool:
    return is_same(ran, told) or any(isinstance(value, str) and MASK in value for value in (ran, told))
