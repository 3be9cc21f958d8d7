"""The figures for people: one table, and the same as Markdown."""

from collections.abc import Sequence

from rich.table import Table

from yukjo.bench.result import Bench, SystemFigures
from yukjo.words import say


def table(made: Bench) -> Table:
    """The systems, those on the tiny model below a line."""
    drawn = Table()
    for number, heading in enumerate(headings()):
        drawn.add_column(heading, overflow="fold", no_wrap=number == 0)
    for row in rows(made.systems):
        drawn.add_row(*row)
    if made.tiny:
        drawn.add_section()
        for row in rows(made.tiny):
            drawn.add_row(*row)
    return drawn


def markdown(made: Bench) -> str:
    """The table, the ratios and the machine as Markdown."""
    lines = [headings(), ["---"] + ["---:"] * (len(headings()) - 1)]
    lines += [*rows(made.systems), *rows(made.tiny)]
    drawn = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return drawn + "\n\n" + "".join(f"- {line}\n" for line in summary(made))


def headings() -> list[str]:
    """Of the columns."""
    return [
        say("system"), say("tokens/s"), say("range"), say("learned/s"), say("times as fast"),
        say("peak MiB"), say("loss"),
    ]  # fmt: skip


def rows(systems: Sequence[SystemFigures]) -> list[list[str]]:
    """A row a system; "times as fast" is Yukjo beside it."""
    return [
        [
            s.name,
            f"{s.tokens_per_s:,.1f}",
            f"{s.tokens_per_s_low:,.0f}-{s.tokens_per_s_high:,.0f}",
            f"{s.learned_tokens_per_s:,.1f}",
            "" if s.ratio is None else f"{s.ratio:.2f}",
            f"{s.peak_memory_mb:,.0f}",
            f"{s.loss:.4f}",
        ]
        for s in systems
    ]


def summary(made: Bench) -> list[str]:
    """What the table doesn't show, a line each."""
    lines = [
        say("{ratio} times as fast as the seed's script, with {memory} of its peak memory",
            ratio=_times(made.ratio_seed_script), memory=_times(made.memory_ratio)),
        say("{ratio} times as fast as the best tuned peer ({peer})",
            ratio=_times(made.ratio_best_peer), peer=made.best_peer or "-"),
        say("ceiling {gflops} GFLOP/s in bf16; {share} of it by minimal FLOPs",
            gflops=f"{made.ceiling_gflops:.0f}",
            share="-" if made.ceiling_share is None else f"{made.ceiling_share:.0%}"),
    ]  # fmt: skip
    lines += [
        say("left out: {name} ({reason})", name=one.name, reason=one.reason)
        for one in made.left_out
    ]
    lines.append(
        say("{processor}, {cores} cores, {memory} GiB; {steps} steps of {samples} samples counted,"
            " {tokens} tokens, {learned} learned",
            processor=made.machine["processor"], cores=made.machine["cores"],
            memory=made.machine["memory_gb"], steps=made.task["counted_steps"],
            samples=made.task["samples_a_step"], tokens=made.task["tokens"],
            learned=made.task["learned_tokens"])
    )  # fmt: skip
    return lines


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"
