"""Benchmarks of the manager: ``python -m benchmarks`` measures its cost on this machine.

``docs/benchmarks.md`` explains how to run them and describes each workload.
"""
