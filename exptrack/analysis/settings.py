"""`exptrack.yaml` as a value: every key is known, every value of the right type, or the error says which is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from posixpath import normpath
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from exptrack.errors import SettingsError
from exptrack.model.experiment import Experiment
from exptrack.model.settings import Capture, Goal, Keep, Large, Limits, MetricDeclaration, Settings
from exptrack.model.tree import Tree, Value

if TYPE_CHECKING:
    from exptrack.model.rules import Rule

T = TypeVar("T")

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?) ?(|[kmgt]?b|[kmgt]ib)", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_settings(text: str, name: str = "exptrack.yaml", load: Callable[[str], Value] | None = None) -> Settings:
    r"""The settings in the text of `exptrack.yaml`; an empty text gives the defaults. `name` is what messages call the file.

    `metrics` maps a name to its declaration, or to its goal alone (`accuracy: maximize`). Sizes are bytes, or texts such as `500 KB`
    and `1 MiB`. A list under `capture.secrets` stands in place of the default list, which an entry `default` puts back in; a list
    under `capture.environment` extends the default one. Each of `capture.patterns` is a regular expression with at least one named
    group. A group is a metric; since its name can hold neither `/` nor `.`, `__` stands for `.`, which nests:
    `val: (?P<val__loss>\S+)` gives `{"val": {"loss": …}}`.

    `load` parses YAML in place of `load_yaml`. Raises SettingsError, one line, that names the file and the key.
    """
    from exptrack.analysis.yaml12 import load_yaml

    try:
        tree = (load or load_yaml)(text)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from None
    top = Section(name, "", tree)
    top.allow("metrics", "capture", "seed", "experiments", "check", "compare", "keep", "rules")
    experiments = _experiments(top.mapping("experiments"), name)
    metrics = _with_holdouts(_metrics(top.section("metrics")), experiments, name)
    return Settings(
        metrics=metrics,
        capture=_capture(top.section("capture")),
        seed=top.text("seed"),
        experiments=experiments,
        check=top.mapping("check"),
        compare=top.mapping("compare"),
        keep=_keep(top.section("keep")),
        rules=_rules(top, metrics),
    )


def parse_size(value: object) -> int | None:
    """Bytes: a whole number, or a text such as `500KB` (1000) or `1.5 MiB` (1024); None if it is neither."""
    if type(value) is int:
        return value if value >= 0 else None
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    unit = found[2].lower()
    return int(float(found[1]) * (1024 if "i" in unit else 1000) ** _POWERS[unit.rstrip("ib")])


class Section:
    """A mapping of the file, with the path that leads to it."""

    def __init__(self, file: str, path: str, values: object) -> None:
        self.file = file
        self.path = path
        if values is not None and not isinstance(values, dict):
            raise SettingsError(f"{file}: {f'{path!r}' if path else 'the file'} must be a mapping")
        self.values: dict[str, Any] = values or {}

    def fail(self, key: str, wanted: str) -> NoReturn:
        raise SettingsError(f"{self.file}: {self.where(key)!r} must be {wanted}")

    def where(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def allow(self, *known: str) -> None:
        for key in self.values:
            if key not in known:
                raise SettingsError(f"{self.file}: unknown key {self.where(key)!r}, {_advice(key, known)}")

    def section(self, key: str) -> Section:
        return Section(self.file, self.where(key), self.values.get(key))

    def mapping(self, key: str) -> Tree:
        return self.section(key).values

    def read(self, key: str, take: Callable[[Any], T | None], wanted: str) -> T | None:
        """The value of a key as `take` gives it, which is None for one that is not `wanted`; None if there is no value."""
        value = self.values.get(key)
        if value is None:
            return None
        taken = take(value)
        if taken is None:
            self.fail(key, wanted)
        return taken

    def text(self, key: str) -> str | None:
        return self.read(key, lambda value: value if isinstance(value, str) and value else None, "a text")

    def number(self, key: str) -> float | None:
        return self.read(key, _not_negative, "a number that is not negative")

    def whole(self, key: str, default: int, least: int = 0) -> int:
        wanted = f"a whole number from {least}" if least else "a whole number"
        number = self.read(key, lambda value: value if type(value) is int and value >= least else None, wanted)
        return default if number is None else number

    def flag(self, key: str) -> bool:
        return self.read(key, lambda value: value if isinstance(value, bool) else None, "true or false") or False

    def texts(self, key: str) -> tuple[str, ...] | None:
        return self.read(key, _texts, "a list of texts")

    def choice(self, key: str, choices: Iterable[T]) -> T | None:
        named = {str(choice): choice for choice in choices}
        return self.read(key, lambda value: named.get(value) if isinstance(value, str) else None, " or ".join(named))

    def size(self, key: str, default: int) -> int:
        size = self.read(key, parse_size, "a number of bytes, such as 500000 or '1 MiB'")
        return default if size is None else size


def _advice(key: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


def _not_negative(value: object) -> float | None:
    return value if type(value) in {int, float} and 0 <= value < float("inf") else None  # type: ignore[operator,return-value]


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        return None
    return tuple(value)


def _metrics(section: Section) -> Mapping[str, MetricDeclaration]:
    return {name: _metric(section, name) for name in section.values}


def _metric(parent: Section, name: str) -> MetricDeclaration:
    if isinstance(parent.values[name], str):
        return MetricDeclaration(name=name, goal=parent.choice(name, Goal))
    section = parent.section(name)
    section.allow("goal", "unit", "min_effect", "evaluated_on", "holdout")
    evaluated_on = section.values.get("evaluated_on")
    return MetricDeclaration(
        name=name,
        goal=section.choice("goal", Goal),
        unit=section.text("unit"),
        min_effect=section.number("min_effect"),
        evaluated_on=(evaluated_on,) if isinstance(evaluated_on, str) else section.texts("evaluated_on") or (),
        holdout=section.flag("holdout"),
    )


def _experiments(tree: Tree, name: str) -> Mapping[str, Experiment]:
    if not tree:
        return {}
    from exptrack.analysis.experiments.declaration import parse_experiments  # most projects have none

    return parse_experiments(tree, name)


def _rules(top: Section, metrics: Mapping[str, MetricDeclaration]) -> tuple[Rule, ...]:
    if top.values.get("rules") is None:
        return ()
    from exptrack.analysis.ruling import parse_rules  # most projects have none

    return parse_rules(top, metrics)


def _with_holdouts(
    metrics: Mapping[str, MetricDeclaration], experiments: Mapping[str, Experiment], file: str
) -> Mapping[str, MetricDeclaration]:
    """The metrics with the holdout of each experiment among them; no experiment may be judged by one."""
    named = {one.holdout: None for one in experiments.values() if one.holdout is not None}
    kept = {name: metrics.get(name, MetricDeclaration(name))._replace(holdout=True) for name in named}
    found = {**metrics, **kept}
    for one in experiments.values():
        for key, judged in (("metric", one.metric), *(("secondary", name) for name in one.secondary)):
            if judged in found and found[judged].holdout:
                raise SettingsError(
                    f"{file}: 'experiments.{one.name}.{key}' must be another metric: {judged} is a holdout, which nothing is chosen by"
                )
    return found


def _capture(section: Section) -> Capture:
    section.allow("patterns", "outputs", "links", "large", "limits", "secrets", "environment", "system")
    default = Capture()
    system = section.read("system", _interval, "seconds between two looks, such as 10 or '1m', or off")
    secrets, environment = section.texts("secrets"), section.texts("environment") or ()
    return Capture(
        patterns=_patterns(section),
        outputs=section.texts("outputs") or (),
        links=tuple(map(normpath, section.texts("links") or ())),
        large=section.choice("large", Large) or default.large,
        limits=_limits(section.section("limits")),
        secrets=default.secrets if secrets is None else _with_default(secrets, default.secrets),
        environment=tuple(dict.fromkeys((*default.environment, *environment))),
        system=default.system if system is None else system or None,
    )


def _interval(value: object) -> float | None:
    """Seconds from a number or a text such as `1m`; 0 for `off`, None for anything else."""
    if value is False or value == "off":
        return 0.0
    if isinstance(value, str):
        from exptrack.analysis.bar import parse_time

        return parse_time(value)
    number = _not_negative(value)
    return number or None


def _with_default(entries: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for entry in entries for part in (default if entry == "default" else (entry,))))


def _patterns(section: Section) -> tuple[str, ...]:
    patterns = section.texts("patterns") or ()
    for pattern in patterns:
        try:
            compiled = re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise SettingsError(
                f"{section.file}: {section.where('patterns')!r}: {pattern!r} is no regular expression: {error}"
            ) from None
        if not compiled.groupindex:
            raise SettingsError(
                f"{section.file}: {section.where('patterns')!r}: {pattern!r} names no metric: put it in a group such as (?P<loss>\\S+)"
            )
    return patterns


def _limits(section: Section) -> Limits:
    section.allow("file_size", "total_size", "files", "cached_file_size", "cached_total_size")
    default = Limits()
    return Limits(
        file_size=section.size("file_size", default.file_size),
        total_size=section.size("total_size", default.total_size),
        files=section.whole("files", default.files),
        cached_file_size=section.size("cached_file_size", default.cached_file_size),
        cached_total_size=section.size("cached_total_size", default.cached_total_size),
    )


def _keep(section: Section) -> Keep:
    section.allow(*Keep._fields)
    default = Keep()
    return Keep(
        data=section.text("data"),
        days=section.whole("days", default.days),
        grace=section.whole("grace", default.grace, least=1),
        trash=section.whole("trash", default.trash),
    )
