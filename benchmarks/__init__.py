"""What the manager costs: ``python -m benchmarks`` measures it on this machine.

``docs/benchmarks.md`` says how to run it and what each workload is.
"""
