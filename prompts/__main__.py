"""The pack author's command: `python -m prompts check [PACK ...] [--model FOLDER] [--context TOKENS]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from prompts.check import CONTEXT_TOKENS, check, pack_folders


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 if every pack may be served, 1 otherwise."""
    options = _parser().parse_args(arguments)
    reports = [
        check(folder, model=options.model, context_tokens=options.context) for folder in pack_folders(options.packs)
    ]
    for report in reports:
        print("\n".join(report.lines()))
    return 0 if all(report.ok for report in reports) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m prompts", description="Tools for authors of packs.")
    commands = parser.add_subparsers(required=True)
    checking = commands.add_parser("check", help="find every mistake in packs")
    checking.add_argument("packs", nargs="*", metavar="PACK", help="a pack's name or folder; all packs by default")
    checking.add_argument("--model", type=Path, help="folder of the served model, for exact figures")
    checking.add_argument("--context", type=int, default=CONTEXT_TOKENS, help="the served context, in tokens")
    return parser


if __name__ == "__main__":
    sys.exit(main())
