"""The three keys of the settings, which exist before anybody has made one in the database."""

import hmac

from chat.settings import Settings
from sessions import Scope, Staff


class StaffKeys:
    """Each key is one staff member with one scope on every site."""

    def __init__(self, settings: Settings) -> None:
        configured = (
            (Scope.AGENT, settings.agent_key),
            (Scope.OPERATOR, settings.operator_key),
            (Scope.INFERENCE, settings.inference_key),
        )
        self._staff = tuple(
            (key.get_secret_value().encode(), Staff(name=scope.value, scopes=frozenset({scope}), sites=None))
            for scope, key in configured
            if key is not None
        )

    def staff(self, credential: str) -> Staff | None:
        """The staff member of a key; compares with every key in constant time."""
        given, found = credential.encode(), None
        for key, staff in self._staff:
            if hmac.compare_digest(key, given):
                found = staff
        return found
