"""What the traces say: `python -m telemetry explain TURN [--database URL]`."""

import argparse
import os
import sys
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from telemetry.explain import explain
from telemetry.identity import turn_span_id
from telemetry.store import SpanStore
from telemetry.tree import build_tree


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 if it had something to say, 1 and one sentence on standard error otherwise."""
    given = _parser().parse_args(arguments)
    try:
        store = SpanStore(given.database)
        trace_id = store.trace_of(turn_span_id(given.turn))
        if trace_id is None:
            print(f"No turn {given.turn} in the traces: they are kept for PINDESK_TRACE_RETENTION.", file=sys.stderr)
            return 1
        print(*explain(build_tree(store.read(trace_id), given.turn)), sep="\n")
    except (SQLAlchemyError, ValueError) as error:
        print(f"telemetry: the traces cannot be read: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m telemetry", description="What the traces say.")
    commands = parser.add_subparsers(required=True)
    explaining = commands.add_parser("explain", help="say in words where a turn's time went")
    explaining.add_argument("turn", metavar="TURN", help="the turn's id, trn_...")
    explaining.add_argument("--database", default=_database(), help="URL of the database; default: Pindesk's own")
    return parser


def _database() -> str:
    """The application's setting, by the variables that the application reads."""
    kept = os.environ.get("PINDESK_VAR_DIR") or "var"
    return os.environ.get("PINDESK_DATABASE_URL") or f"sqlite:///{kept}/pindesk.db"


if __name__ == "__main__":
    sys.exit(main())
