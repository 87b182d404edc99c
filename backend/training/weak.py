"""Rules that label cucom's other openings. They were written against the hand-labelled training part, and abstain in doubt."""

import re
from collections.abc import Sequence

_RULES: Sequence[tuple[str, str]] = (
    ("contact_human_agent", r"speak (to|with) (a|your|the) (supervisor|manager|human)|want a (manager|supervisor)|talk to (a|your) (manager|supervisor)"),
    ("charged_twice", r"charged twice|deducted twice|debited twice|double charge|duplicate (charge|payment)|twice for (the )?(same|single)|charged (me )?double"),
    ("return_problem", r"(charge|fee|cost|bill|pay|deduct|shipping)\w*.{0,40}\breturn|return.{0,25}(shipping|charge|fee|cost)"),
    ("return_problem", r"return\w*.{0,90}(reject|denied|declin|refus|not (been )?accepted|n.t (been )?accepted|cancelled saying|not acceptable|pickup|picked up)"),
    ("return_problem", r"(reject|denied|declin|refus|denial|refusal)\w*.{0,60}return"),
    ("return_problem", r"refund.{0,50}(reject|denied|refus|declin|not approved)|(reject|denied|refus|denial|refusal)\w*.{0,40}refund"),
    ("refund_late", r"cancel.{0,60}(refund|money).{0,40}(not|pending|n.t|still|yet|delay)|refund.{0,40}cancel"),
    ("payment_issue", r"payment.{0,60}(fail|declin|deduct|debit|stuck|pending|processing|issue|error|problem|not going|unsuccessful)|failed payment|payment failure"),
    ("payment_issue", r"(debit|deduct|charged|money|payment|paid|transaction).{0,80}(no order|not? (been )?(plac|creat|reflect|show|confirm|regist|go through)|n.t (plac|show|go|confirm)|order did|order (is )?(not|nt))"),
    ("payment_issue", r"(account|card|upi|transaction|wallet|bank).{0,60}(declin|fail|debited|deducted)|unauthori[sz]ed"),
    ("order_cancelled_by_shop", r"(?<!noise )(?<!noise-)c[an]*n?ce?l+(ed|ation|d)\b(?! head)"),
    ("refund_late", r"refu?n?d|money back"),
    ("order_late", r"out for delivery|attempted|delivery attempt"),
    ("not_received", r"(show|say|mark|status|state|indicat|reflect|track|update)\w*.{0,50}(complete)\w*.{0,60}(n.t|not|never)|(n.t|not|never) .{0,25}(receiv|recv|reciev|got|get).{0,60}(mark|say|show)\w*.{0,25}del\w*v"),
    ("change_shipping_address", r"(address|pin ?code|flat number|street).{0,25}(is|be|was|seems|showing)?\W*(to be )?(completely )?(wrong|incorrect)(?!.{0,40}deliver)|has (a |the )?(completely )?wrong (pin|addr)|delivery address wrong"),
    ("not_received", r"(show|say|mark|status|state|indicat|reflect|track|update)\w*.{0,50}del\w*v?e?r\w*d?.{0,120}(n.t|not|never|no(thing|body| one|where| sign)|where)"),
    ("not_received", r"(wrong|incorrect|different|random|unknown|some|old|another).{0,25}(addr|house|building|flat|location|pincode|pin code|city|state|place|person|apartment|locality)|deliver\w* to (my neighbo|someone|an address)|wrong\w* deliver"),
    ("item_damaged", r"stopped working|not (working|function)|n.t (work|function|turn|charge)|cracked|crushed|shattered|dented|defective|faulty|all scratched"),
    ("item_missing", r"missing|empty|only (got|receiv|recv|reciev|one|half|part|2|1|two)|incomplete|partial|not complete|half (of|my|the)|rest of|did ?n.t (come|include)|short by|quantity"),
    ("item_wrong", r"(wrong|incorrect|different|differ)|instead|not what|fake|counterfeit|authentic|genuine|duplicate|original|not as described|description|advertis|copy|imitation|first copy|mislead"),
    ("item_damaged", r"damag|broke|crack|defect|not working|n.t work|faulty|dent|torn|scratch|shatter|leak|stopped|malfunction|tamper|ripped|spoil|expired|crush"),
    ("order_late", r"(n.t|not|never|no|yet|still).{0,40}(arriv|deliver|receiv|recv|reciev|come|ship|got|here)|late|delay|overdue|supposed to|was due|expected|where is|out for delivery|attempted|stuck|waiting|scheduled"),
)  # fmt: skip
_COMPILED = tuple((template, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for template, pattern in _RULES)


def guess(text: str) -> str | None:
    """The template by the first rule that fires; None if none does, or if the text speaks of too much at once."""
    fired = [template for template, pattern in _COMPILED if pattern.search(text)]
    if not fired or len(set(fired)) > 3:
        return None
    return fired[0]
