"""Run all benchmarks, or those named."""

import sys

from bench import evaluate, history, history_cost, lake, latency, load, simulate, startup, weight

PARTS = {
    "evaluate": evaluate.main,
    "load": load.main,
    "history": history.main,
    "history-cost": history_cost.main,
    "lake": lake.main,
    "simulate": simulate.main,
    "latency": latency.main,
    "startup": startup.main,
    "weight": weight.main,
}


def main(names: list[str]) -> int:
    if unknown := set(names) - PARTS.keys():
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for name in names or PARTS:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
