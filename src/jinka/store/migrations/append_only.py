"""Tables whose rows are never changed or removed: the triggers that say so, in the words of each engine.

PostgreSQL's also refuse TRUNCATE. Whoever may drop a trigger may drop the table; these stop mistakes, not the owner.
"""

from __future__ import annotations

from alembic import op

_VERBS = {"sqlite": ("UPDATE", "DELETE"), "postgresql": ("UPDATE", "DELETE", "TRUNCATE")}


def make_append_only(*tables: str, verbs: tuple[str, ...] = ()) -> None:
    """Make the triggers of ``tables``, which exist already; of the verbs alone that are given, if any are."""
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION jinka_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    for table in tables:
        for verb in verbs or _VERBS[dialect]:
            name = f"{table}_no_{verb.lower()}"
            if dialect == "sqlite":
                op.execute(
                    f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
            else:  # once for a statement, so that inserting costs nothing
                op.execute(
                    f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION jinka_append_only()"
                )
