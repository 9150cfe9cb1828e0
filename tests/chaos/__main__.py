"""Rounds of deaths under load, for as long as you like.

    python -m tests.chaos --rounds 20 --seed 7 --minutes 2

Each round tells its seed; the same seed delivers the same files by the same ways, and does the same deeds at the same
times. What they hit depends on the machine.
"""

import argparse
import time

from tests.chaos.processes import ROLES
from tests.chaos.round import run_round

FILES_A_MINUTE = 200


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--minutes", type=float, default=1.0, help="of deaths and deliveries, a round")
    options = parser.parse_args()
    for seed in range(options.seed, options.seed + options.rounds):
        mode = sorted(ROLES)[seed % len(ROLES)]
        print(f"seed {seed} ({mode}): ", end="", flush=True)
        report = run_round(seed, mode=mode, seconds=options.minutes * 60, files=round(FILES_A_MINUTE * options.minutes))
        print(f"{report.done}; every row once: {report.tally}", flush=True)


if __name__ == "__main__":
    main()
