"""The metadata of the store's tables, apart from anybody else's in the same database."""

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

_NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraints have names, because a migration can only drop what has one."""


class Base(SQLModel, registry=registry(metadata=MetaData(naming_convention=_NAMES))):
    """Every table of the store derives from this."""
