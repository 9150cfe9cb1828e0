"""Speed and memory, shown as ratios within one run. `python -m bench` runs all of it; `python -m bench load` a part."""
