"""The command line. Progress goes to stderr, results to stdout.

Exit codes: 0 done or yes; 1 the answer is no; 2 wrong use, with what / where / fix; 130 stopped
by Ctrl-C. Modules of this folder import heavy things inside their functions, so that
`yukjo --help` answers at once.
"""

import sys

from yukjo.errors import YukjoError
from yukjo.words import speak

_STOPPED = 130


def main() -> None:
    """Run the command line; the `yukjo` script."""
    _choose_language(sys.argv[1:])
    from yukjo.cli.app import app

    try:
        app()
    except YukjoError as fault:
        _explain(fault)
        sys.exit(fault.exit_code)
    except KeyboardInterrupt:
        sys.exit(_STOPPED)


def _choose_language(arguments: list[str]) -> None:
    """`--lang en` anywhere speaks English; help is written before options are parsed."""
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option == "--lang=en" or (option == "--lang" and value == "en"):
            speak("en")


def _explain(fault: YukjoError) -> None:
    from rich.console import Console
    from rich.text import Text

    from yukjo.words import say

    console = Console(stderr=True, highlight=False)
    console.print(Text(fault.what, style="bold red"), soft_wrap=True)
    for label, part in ((say("where"), fault.where), (say("fix"), fault.fix)):
        console.print(Text(f"  {label}: ", style="bold").append(part, style="not bold"),
                      soft_wrap=True)  # fmt: skip
