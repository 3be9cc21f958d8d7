"""Yukjo beside what a user would pick instead: same model, same tokens, a process each, in turn.

task          the very tokens and settings that every system gets (`Task`, `Outcome`)
environments  where a peer's packages are pinned and installed
systems       who takes part
rounds        run them in turn, each in its own process
flops         what a step can't do without
ceiling       what the machine can do
result        medians and ratios
table         for people
own, tiny     Yukjo's side of a round; the toy that mlx-lm is compared on
peers/        a standalone script a peer; they never see the rest of Yukjo
"""
