"""Pin every requirement with its hashes, those of all extras too; no registry's address is written down.

uv reads pyproject.toml; it need not be installed in `.venv`, so `pip install uv` first where it is missing.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
COMMON = [
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
    *("--all-extras", str(HERE.parent / "pyproject.toml")),
]


def main() -> int:
    subprocess.run([*COMMON, "--output-file", str(HERE / "base.txt"), *sys.argv[1:]], check=True)
    subprocess.run([*COMMON, "--group", "dev", "--output-file", str(HERE / "dev.txt"), *sys.argv[1:]], check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
