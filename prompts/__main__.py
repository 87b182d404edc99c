"""The pack author's commands.

python -m prompts check [PACK ...] [--model FOLDER] [--context TOKENS] [--replica URL]
python -m prompts recall TEMPLATE [--pack PACK]
python -m prompts restore TEMPLATE [--pack PACK]
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from prompts.check import CONTEXT_TOKENS, check, pack_folders
from prompts.errors import PackError
from prompts.load import load_pack
from prompts.recall import recall, recall_refusal, recalled_in, restore

STARTER_MODEL = Path(__file__).parents[1] / "backend" / "starter_model"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 if it did what was asked, 1 otherwise."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (PackError, httpx.HTTPError) as error:
        print(error or type(error).__name__, file=sys.stderr)
        return 1


def _check(options: argparse.Namespace) -> int:
    reports = [
        check(folder, model=options.model, context_tokens=options.context, replica=options.replica)
        for folder in pack_folders(options.packs)
    ]
    for report in reports:
        print("\n".join(report.lines()))
    return 0 if all(report.ok for report in reports) else 1


def _recall(options: argparse.Namespace) -> int:
    found = False
    for folder in pack_folders(options.pack):
        pack = load_pack(folder)
        if options.template not in pack.templates:
            continue
        found = True
        if refusal := recall_refusal(pack, options.template, recalled_in(folder)):
            print(f"{pack.name}: {refusal}", file=sys.stderr)
            return 1
        recall(folder, options.template)
        print(f"{pack.name}: {options.template} is recalled; every server heeds it within 2 seconds")
    if not found:
        print(f"No pack has a template {options.template}.", file=sys.stderr)
    return 0 if found else 1


def _restore(options: argparse.Namespace) -> int:
    folders = [folder for folder in pack_folders(options.pack) if options.template in recalled_in(folder)]
    for folder in folders:
        restore(folder, options.template)
        print(f"{folder.name}: {options.template} is offered again")
    if not folders:
        print(f"{options.template} is not recalled.", file=sys.stderr)
    return 0 if folders else 1


def _served_model() -> Path | None:
    """The folder of the model that the system serves; None if it is no folder here."""
    folder = Path(os.environ.get("PINDESK_MODEL", STARTER_MODEL))
    return folder if folder.is_dir() else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m prompts", description="Tools for authors of packs.")
    commands = parser.add_subparsers(required=True)
    checking = commands.add_parser("check", help="find every mistake in packs")
    checking.set_defaults(run=_check)
    checking.add_argument("packs", nargs="*", metavar="PACK", help="a pack's name or folder; all packs by default")
    checking.add_argument("--model", type=Path, default=_served_model(), help="its folder; PINDESK_MODEL by default")
    checking.add_argument("--context", type=int, default=CONTEXT_TOKENS, help="the served context, in tokens")
    checking.add_argument("--replica", metavar="URL", help="a running replica: finds the templates that it confuses")
    for name, run, about in (("recall", _recall, "stop a template at once"), ("restore", _restore, "offer it again")):
        command = commands.add_parser(name, help=about)
        command.set_defaults(run=run)
        command.add_argument("template", metavar="TEMPLATE")
        command.add_argument("--pack", action="append", default=[], help="only in this pack; repeatable")
    return parser


if __name__ == "__main__":
    sys.exit(main())
