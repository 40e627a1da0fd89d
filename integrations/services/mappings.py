"""Mapping files: which importer a file is for, and how its columns become the importer's fields.

``docs/importing.md`` describes the format for those who write one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from django.utils.translation import gettext as _

from common.cells import Day, Instant
from common.errors import DomainError
from common.importers import IMPORTERS, REFERENCES, Importer

Operand = str


class MappingRefused(DomainError):
    """A mapping that cannot be used; nothing of the file is taken."""

    code = "mapping_refused"


class Plus(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A number of minutes, hours or days, in another column, that is added to a time."""

    column: str
    unit: Literal["minutes", "hours", "days"]


class FieldSpec(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"from_": "from"}):
    """Where the value of one field comes from, and how it is written there."""

    column: str = ""
    columns: tuple[str, ...] = ()
    value: str | None = None
    from_: str = ""
    translate: dict[str, str] = {}
    default: str = ""
    format: str | tuple[str, ...] = ()
    plus: Plus | None = None
    create_missing: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns whose text is the value; several are joined by a slash."""
        return (self.column,) if self.column else self.columns

    @property
    def formats(self) -> tuple[str, ...]:
        return (self.format,) if isinstance(self.format, str) else self.format


class LookUp(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A thing that a column names, so that fields and rules can use what is known of it."""

    reference: str
    column: str


class Rule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A comparison that refuses a row, or only raises a doubt, when it holds."""

    refuse: tuple[Operand, Literal["before", "after", "differs"], Operand] | None = None
    warn: tuple[Operand, Literal["before", "after", "differs"], Operand] | None = None
    code: str = ""
    say: str = ""

    @property
    def comparison(self) -> tuple[Operand, str, Operand]:
        comparison = self.refuse or self.warn
        assert comparison is not None  # a checked mapping has one of them
        return comparison


class FileMapping(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One mapping file, in its own words."""

    importer: str
    fields: dict[str, str | FieldSpec]
    source: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    look_up: dict[str, LookUp] = {}
    rules: tuple[Rule, ...] = ()
    declare: dict[str, dict[str, Any]] = {}

    @property
    def specs(self) -> dict[str, FieldSpec]:
        """The fields, a plain column name read as such; ``source`` fills the field of that name."""
        specs = {name: FieldSpec(column=spec) if isinstance(spec, str) else spec for name, spec in self.fields.items()}
        if self.source:
            specs.setdefault("source", FieldSpec(value=self.source))
        return specs

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping reads, each once."""
        found = [column for spec in self.specs.values() for column in spec.reads]
        found += [spec.plus.column for spec in self.specs.values() if spec.plus]
        found += [look_up.column for look_up in self.look_up.values()]
        return tuple(dict.fromkeys(found))


def read_mapping(path: Path) -> dict[str, Any]:
    """The JSON object of a mapping file; raises MappingRefused."""
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise MappingRefused(
            _("The mapping %(file)s cannot be opened (%(reason)s).") % {"file": path, "reason": error.strerror},
            code="no_mapping",
        ) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise MappingRefused(
            _("The mapping %(file)s is not JSON: %(reason)s.") % {"file": path, "reason": error},
            code="mapping_not_json",
        ) from error
    if not isinstance(content, dict):
        raise MappingRefused(_("The mapping %s must be a JSON object.") % path, code="mapping_not_json")
    return content


def check_mapping(content: Mapping[str, Any]) -> tuple[FileMapping, Importer]:
    """The mapping with the importer that it names, without looking at any file; raises MappingRefused."""
    try:
        mapping = msgspec.convert(content, FileMapping)
    except msgspec.ValidationError as error:
        raise MappingRefused(_("The mapping cannot be used: %s.") % error) from error
    importer = IMPORTERS.get(mapping.importer)
    if importer is None:
        raise MappingRefused(
            _("There is no importer “%(name)s”; there are %(names)s.")
            % {"name": mapping.importer, "names": ", ".join(sorted(IMPORTERS))},
            code="unknown_importer",
        )
    if len(mapping.delimiter) != 1 or mapping.delimiter in '"\r\n\x00':
        raise MappingRefused(_("The delimiter must be one character, such as “,” or “;”."), code="bad_delimiter")
    for name, look_up in mapping.look_up.items():
        if look_up.reference not in REFERENCES:
            raise MappingRefused(
                _("look_up.%(name)s: there is no reference “%(reference)s”; there are %(names)s.")
                % {"name": name, "reference": look_up.reference, "names": ", ".join(sorted(REFERENCES))},
                code="unknown_reference",
            )
    for name, spec in mapping.specs.items():
        _check_spec(name, spec, mapping)
    return mapping, importer


def check_fields(mapping: FileMapping, importer: Importer) -> None:
    """Refuse a mapping whose fields or rules do not fit the importer, once its own fields are declared."""
    specs = mapping.specs
    fields = {field.name: field for field in importer.prepare(specs)}
    if missing := [field.name for field in fields.values() if field.required and field.name not in specs]:
        raise MappingRefused(
            _("The importer %(importer)s needs %(fields)s; map a column to it or give it a value.")
            % {"importer": importer.name, "fields": ", ".join(missing)},
            code="missing_field",
        )
    for name, spec in specs.items():
        if spec.create_missing and not (
            fields[name].reference and spec.reads and REFERENCES[fields[name].reference].create
        ):
            raise MappingRefused(_("%s: what is missing cannot be made from a file.") % name, code="cannot_create")
        if spec.plus and not isinstance(fields[name].type, Day | Instant):
            raise MappingRefused(
                _("%s: only to a date or a time can minutes, hours or days be added.") % name, code="bad_field"
            )
        if spec.from_ and not fields[name].reference:
            raise MappingRefused(_("%s: only a reference can be taken from another.") % name, code="bad_field")
    references = {name: look_up.reference for name, look_up in mapping.look_up.items()}
    references |= {
        name: fields[name].reference for name, spec in specs.items() if fields[name].reference and spec.reads
    }
    facts = {f"{name}.{fact}" for name, reference in references.items() for fact in REFERENCES[reference].facts}
    _check_rules(mapping, facts.union(specs))


def _check_rules(mapping: FileMapping, known: set[str]) -> None:
    for at, rule in enumerate(mapping.rules):
        if (rule.refuse is None) == (rule.warn is None):
            raise MappingRefused(_("rules[%d]: give either “refuse” or “warn”.") % at, code="bad_rule")
        left, _operator, right = rule.comparison
        if unknown := [operand for operand in (left, right) if operand not in known]:
            raise MappingRefused(
                _("rules[%(at)d]: %(names)s is neither a mapped field nor known of one; there are %(known)s.")
                % {"at": at, "names": ", ".join(unknown), "known": ", ".join(sorted(known))},
                code="bad_rule",
            )


def _check_spec(name: str, spec: FieldSpec, mapping: FileMapping) -> None:
    given = [bool(spec.column), bool(spec.columns), spec.value is not None, bool(spec.from_)]
    if sum(given) != 1:
        raise MappingRefused(
            _("%s: give exactly one of “column”, “columns”, “value” and “from”.") % name, code="bad_field"
        )
    if spec.from_:
        look_up, _dot, fact = spec.from_.partition(".")
        if look_up not in mapping.look_up:
            raise MappingRefused(
                _("%(name)s: “%(from)s” takes from something that is not under look_up.")
                % {"name": name, "from": spec.from_},
                code="bad_field",
            )
        facts = REFERENCES[mapping.look_up[look_up].reference].facts
        if fact not in facts:
            raise MappingRefused(
                _("%(name)s: what is known of %(look_up)s is %(facts)s.")
                % {"name": name, "look_up": look_up, "facts": ", ".join(facts)},
                code="bad_field",
            )
