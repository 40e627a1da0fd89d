"""From attributes to one SQL query: each source is read once, for just the accounts in scope, and joined to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from string import Formatter
from typing import Any

from accounts.attributes.registry import ACCOUNT, Attribute, Column, Context, Ratio, Source
from common.sql import SQL, join, rows


@dataclass(frozen=True, slots=True)
class Scope:
    """Which accounts a query is about. It is applied inside every source, so that a few accounts cost little."""

    condition: SQL | None = None

    @classmethod
    def everything(cls) -> Scope:
        return cls()

    @classmethod
    def ids(cls, account_ids: Iterable[int]) -> Scope:
        """Just these accounts."""
        listed = f"{{{','.join(map(str, account_ids))}}}"  # as one text, which is not put together anew for each source
        return cls(SQL("= ANY(%s::bigint[])", (listed,)))

    @classmethod
    def between(cls, first: int, last: int) -> Scope:
        """The accounts with ids from ``first`` to ``last``, both included."""
        return cls(SQL("BETWEEN %s AND %s", (first, last)))

    @classmethod
    def query(cls, ids: SQL) -> Scope:
        """The accounts that a subquery of ids names."""
        return cls(SQL("IN ({})").format(ids))

    def on(self, column: str) -> SQL:
        """The scope as a condition on ``column``."""
        return SQL("TRUE") if self.condition is None else SQL(f"{column} {{}}").format(self.condition)


@dataclass(frozen=True, slots=True)
class Relation:
    """A query with one row an account: ``account_id``, then ``v0..``, ``f0..`` (last heard) and ``p0..`` (applies)."""

    sql: SQL
    attributes: tuple[Attribute, ...]

    def value(self, attribute: Attribute) -> str:
        """The name of the column that holds the attribute's value."""
        return f"v{self.attributes.index(attribute)}"

    def heard(self, attribute: Attribute) -> str:
        """The name of the column that tells when the attribute's source was last heard; null when unknown."""
        return f"f{self.attributes.index(attribute)}"

    def applies(self, attribute: Attribute) -> str:
        """The name of the column that tells whether the attribute makes sense for the account."""
        return f"p{self.attributes.index(attribute)}"


def facts_relation(
    attributes: Iterable[Attribute], *, scope: Scope, context: Context, with_heard: bool = True
) -> Relation:
    """The query that computes ``attributes`` for every account in ``scope``.

    Without ``with_heard`` the ``f`` columns are null, and sources of which only a part matters are read in part.
    """
    wanted = tuple(dict.fromkeys(attributes))
    columns: dict[Source, dict[Column, str]] = {}
    freshness = {a: a.freshness if with_heard or a.default_when_heard else None for a in wanted}
    for attribute in wanted:
        for column in (*attribute.columns, freshness[attribute]):
            if column is not None and column.source != ACCOUNT:
                named = columns.setdefault(_as_read(column, context).source, {})
                named.setdefault(_as_read(column, context), f"c{len(named)}")

    def reference(column: Column) -> SQL:
        if column.source == ACCOUNT:
            return column.sql(context if column.knows_past else context.present)
        found = _as_read(column, context)
        return SQL(f"{found.source.name}.{columns[found.source][found]}")

    def found_by(column: Column | Ratio) -> SQL:
        if isinstance(column, Column):
            return reference(column)
        return _divide(column, reference(column.part), reference(column.whole))

    selected: list[SQL] = [SQL("a.id AS account_id")]
    for position, attribute in enumerate(wanted):
        freshest = freshness[attribute]
        heard = reference(freshest) if freshest else SQL("NULL::timestamptz")
        applies = SQL(attribute.applies or "TRUE")
        found = _with_default(attribute, found_by(attribute.column), heard)
        if attribute.applies:
            found = SQL("CASE WHEN {} THEN {} END").format(applies, found)
        selected.append(SQL(f"{{}} AS v{position}").format(found))
        selected.append(SQL(f"{{}} AS f{position}").format(heard))
        selected.append(SQL(f"{{}} AS p{position}").format(applies))
    joins = [
        SQL(f" LEFT JOIN ({{}}) {source.name} ON {source.name}.account_id = a.id").format(
            _read_source(source, named, scope, context if source.past else context.present)
        )
        for source, named in columns.items()
    ]
    sql = SQL("SELECT {} FROM accounts_account a{} WHERE {}").format(
        join(", ", selected), join("", joins), scope.on("a.id")
    )
    return Relation(sql=sql, attributes=wanted)


def _as_read(column: Column, context: Context) -> Column:
    """The column; where one looks back on what is not kept, of a source of its own that tells the present."""
    if context.seen_from is None or column.source == ACCOUNT or column.knows_past:
        return column
    return replace(column, source=replace(column.source, name=f"{column.source.name}_now", past=""))


def _divide(ratio: Ratio, part: SQL, whole: SQL) -> SQL:
    if ratio.nothing is not None:
        part = SQL(f"coalesce({{}}, {ratio.nothing})").format(part)
    return SQL(f"round({ratio.times}.0 * {{}} / nullif({{}}, 0), 1)").format(part, whole)


def _with_default(attribute: Attribute, found: SQL, heard: SQL) -> SQL:
    if attribute.default is None:
        return found
    filled = SQL(f"coalesce({{}}, {attribute.default})").format(found)
    if attribute.default_when_heard:
        return SQL("CASE WHEN {} IS NOT NULL THEN {} END").format(heard, filled)
    return filled


def _read_source(source: Source, named: dict[Column, str], scope: Scope, context: Context) -> SQL:
    where = [scope.on(source.account)]
    if source.where:
        where.append(context.fill(source.where))
    if all(column.only for column in named):
        narrowed = dict.fromkeys(column.only for column in named)
        where.append(SQL("({})").format(join(" OR ", [context.fill(only) for only in narrowed])))
    taken = [
        SQL(f"{{}} AS {name}").format(_aggregate(column, context) if source.grouped else column.sql(context))
        for column, name in named.items()
    ]
    return SQL(f"SELECT {source.account} AS account_id, {{}} FROM {{}} WHERE {{}}{{}}").format(
        join(", ", taken),
        _scoped(source.relation if context.seen_from is None else source.past, scope, context),
        join(" AND ", where),
        SQL(f" GROUP BY {source.account}" if source.grouped else ""),
    )


def _scoped(relation: str, scope: Scope, context: Context) -> SQL:
    columns = [column for _text, column, _spec, _conversion in Formatter().parse(relation) if column and "." in column]
    return context.fill(relation, **{column: scope.on(column) for column in columns})


def _aggregate(column: Column, context: Context) -> SQL:
    if not column.only:
        return column.sql(context)
    return SQL("{} FILTER (WHERE {})").format(column.sql(context), context.fill(column.only))


@dataclass(frozen=True, slots=True)
class Facts:
    """What one attribute says of one account: the value (None when missing), when it was heard, if it applies."""

    value: Any
    heard_at: datetime | None
    applies: bool


def read_facts(
    attributes: Sequence[Attribute], account_ids: Iterable[int], *, context: Context
) -> dict[int, dict[str, Facts]]:
    """The attributes of each account by its id, then by attribute key, in one query."""
    relation = facts_relation(attributes, scope=Scope.ids(account_ids), context=context)
    return {
        row[0]: {
            attribute.key: Facts(value=row[1 + 3 * n], heard_at=row[2 + 3 * n], applies=row[3 + 3 * n])
            for n, attribute in enumerate(relation.attributes)
        }
        for row in rows(relation.sql)
    }
