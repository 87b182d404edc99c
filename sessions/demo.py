"""The demo shop: its site and its order book. `seed_demo` brings the demo bank with it."""

from datetime import date, timedelta

from sessions.columns import now
from sessions.demo_bank import seed_bank
from sessions.models import DemoOrder, Site
from sessions.repository import Repository

SITE_KEY = "demo"
PACK = "demo-shop"

_DHL, _UPS, _POST = "DHL", "UPS", "Royal Mail"
# order, status, product, amount, days since it was placed, days until it arrives, carrier
_ORDERS = (
    ("10234", "shipped", "Linen table lamp", "$79.00", 3, 2, _DHL),
    ("10235", "processing", "Wool throw, ochre", "$54.50", 1, 6, None),
    ("10236", "delivered", "Oak floor lamp", "$189.00", 12, -4, _UPS),
    ("10237", "packed", "Velvet cushion, set of 2", "$42.00", 9, 5, _DHL),
    ("10238", "cancelled", "Ceramic vase, tall", "$36.00", 6, None, None),
    ("10239", "returned", "Cotton bed linen, queen", "$96.00", 25, None, _POST),
    ("10240", "returned", "Paper pendant lamp", "$48.00", 30, None, None),
    ("20480", "out_for_delivery", "Merino cardigan, M", "$119.00", 4, 0, _UPS),
    ("20481", "shipped", "Silk scarf, indigo", "$64.00", 2, 3, _POST),
    ("20482", "processing", "Knitted rug, 160 x 230", "$240.00", 0, None, None),
    ("20483", "packed", "Brass desk lamp", "$88.00", 5, 0, None),
    ("48213", "delivered", "Linen shirt, L", "$59.00", 8, -2, _DHL),
    ("48214", "shipped", "Alpaca socks, 3 pairs", "$33.00", 21, -9, _POST),
)


async def seed_demo(repo: Repository, origins: list[str] | None = None) -> None:
    """Make what is missing of both demo brands, their sites and their books; changes nothing that is there.

    `origins` are those the widget may be embedded on: the server's own.
    """
    await repo.tx.wait_alone("seed the demo brands")
    if await repo.sites.get(SITE_KEY) is None:
        await repo.sites.add(Site(key=SITE_KEY, name="Lumen & Loom", allowed_origins=origins or [], pack=PACK))
    today = now().date()
    for row in _ORDERS:
        if await repo.orders.get(row[0]) is None:
            await repo.orders.put(_order(today, *row))
    await seed_bank(repo, origins or [])


def _order(
    today: date, order_id: str, status: str, product: str, amount: str, age_days: int, due_days: int | None,
    carrier: str | None,
) -> DemoOrder:  # fmt: skip
    return DemoOrder(
        order_id=order_id,
        status=status,
        product=product,
        amount=amount,
        placed_on=today - timedelta(days=age_days),
        eta=None if due_days is None else today + timedelta(days=due_days),
        carrier=carrier,
    )
