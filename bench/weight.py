"""How much disk the packages take: what loading a file imports, what a worker needs, and what each extra adds.

    python -m bench.weight

Unzipped, without caches of Python and without the packages' own tests.
"""

import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

MB = 1_000_000
SHOWN = 5 * MB
LOADING = (
    "greenstream.adapters.postgres.loading.database",
    "greenstream.adapters.storage",
    "greenstream.application.loading.process_file",
    "greenstream.settings",
)
NAMES = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def main() -> None:
    _say("loading a file imports", _imported())
    worker = _needed([""])
    _say("pip install greenstream", worker)
    for extra in distribution("greenstream").metadata.get_all("Provides-Extra") or []:
        _say(f"the extra {extra} adds", _needed(["", extra]) - worker)


def _say(what: str, names: Collection[str]) -> None:
    sizes = {name: _bytes(distribution(name)) for name in names}
    large = sorted((name for name in sizes if sizes[name] > SHOWN), key=lambda name: -sizes[name])
    parts = [f"{name} {sizes[name] / MB:.0f}" for name in large]
    print(f"{what}: {sum(sizes.values()) / MB:.0f} MB ({', '.join(parts) or 'none above 5'})", flush=True)


def _imported() -> set[str]:
    """The distributions of the modules that loading a file imports, and of the libraries beside them."""
    code = f"import {', '.join(LOADING)}; {NAMES}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    owners = packages_distributions()
    return {str(canonicalize_name(owner)) for module in json.loads(ended.stdout) for owner in owners.get(module, [])}


def _needed(extras: Iterable[str]) -> set[str]:
    """The distributions that are installed with ours, their own needs included."""
    found: set[str] = set()
    waiting = [("greenstream", frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        found.add(name)
        waiting += [each for each in _requirements(name, wanted) if each[0] not in found]
    return found


def _requirements(name: str, extras: Collection[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for line in distribution(name).requires or []:
        requirement = Requirement(line)
        if any(requirement.marker is None or requirement.marker.evaluate({"extra": each}) for each in extras or [""]):
            needed = str(canonicalize_name(requirement.name))
            if _is_installed(needed):
                yield needed, frozenset({"", *requirement.extras})


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _bytes(owner: Distribution) -> int:
    """Of ours, which may be installed in place, the folder of its package."""
    if canonicalize_name(owner.metadata["Name"]) == "greenstream":
        import greenstream

        return _sum(path for path in Path(greenstream.__file__).parent.rglob("*") if path.is_file())
    return _sum(Path(str(owner.locate_file(path))) for path in owner.files or [])


def _sum(paths: Iterable[Path]) -> int:
    kept = (path for path in paths if not {"__pycache__", "tests", "test"} & set(path.parts))
    return sum(path.stat().st_size for path in kept if path.is_file())


if __name__ == "__main__":
    main()
