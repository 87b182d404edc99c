"""Who may put the widget's page into a frame, as browsers enforce it. Pure."""

from collections.abc import Sequence

# Texts become text nodes, styles and scripts come from files: nothing is left for an injected word to start.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors {}"
)


def frame_policy(origins: Sequence[str]) -> str:
    """The Content-Security-Policy of the page for a site with these allowed origins; no list means none."""
    return _POLICY.format(" ".join(origins) or "'none'")
