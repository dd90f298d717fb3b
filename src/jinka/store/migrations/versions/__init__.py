"""One file for each version of the SQL schema. A version that was released is never edited."""

__all__: list[str] = []
