"""The demo shop's shelves: enough of a shop to see the widget in."""

from typing import Any

# A website's policy as strict as they come, and what the widget asks of it: its script and its frame.
SHOP_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors 'none'"
)

_LAMPS = (
    ("Linen table lamp", "$79.00", "lamp-a"),
    ("Oak floor lamp", "$189.00", "lamp-b"),
    ("Brass desk lamp", "$88.00", "lamp-c"),
    ("Paper pendant lamp", "$48.00", "lamp-d"),
)
_TEXTILES = (
    ("Wool throw, ochre", "$54.50", "cloth-a"),
    ("Silk scarf, indigo", "$64.00", "cloth-b"),
    ("Cotton bed linen, queen", "$96.00", "cloth-c"),
    ("Knitted rug, 160 x 230", "$240.00", "cloth-d"),
)
_PAGES = {
    "": ("Light and cloth for quiet rooms", (*_LAMPS[:2], *_TEXTILES[:2])),
    "lamps": ("Lamps", _LAMPS),
    "textiles": ("Textiles", _TEXTILES),
}


def shelves(page: str) -> dict[str, Any]:
    """What the shop's template shows of a page; an unknown one is the front page."""
    chosen = page if page in _PAGES else ""
    heading, products = _PAGES[chosen]
    return {
        "page": chosen,
        "heading": heading,
        "products": products,
        "pages": [("lamps", "Lamps"), ("textiles", "Textiles")],
    }
