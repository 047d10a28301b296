"""Benchmarks: CPU time and memory as ratios within one run, beside the target of each."""
