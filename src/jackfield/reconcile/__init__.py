"""From the database to the kernel: desired state, plan, apply.

`desired` and the planners are pure; `observe` and `apply` call the datapath; `Reconciler` joins them.
"""
