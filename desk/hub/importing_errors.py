"""What can go wrong with an import, as a code with arguments; no value of the file is ever said."""

from __future__ import annotations

from collections.abc import Mapping

from desk.text import N_


class ImportFailed(Exception):
    """The import cannot go on. ``SENTENCES[code]`` filled with ``fill`` says why and the mend."""

    def __init__(self, code: str, **fill: object) -> None:
        self.code = code
        self.fill = {name: str(value) for name, value in fill.items()}
        super().__init__(SENTENCES[code].format(**self.fill))


SENTENCES: Mapping[str, str] = {
    "no_file": N_("There is no readable file {file}. Check the path."),
    "broken_gzip": N_(
        "{file} is a damaged or incomplete gzip archive. Nothing was imported; copy it anew."
    ),
    "utf16": N_("{file} is UTF-16. Save it as UTF-8 and repeat."),
    "spreadsheet": N_("{file} is a spreadsheet or a zip archive. Save it as CSV and repeat."),
    "empty": N_("{file} has no rows."),
    "mixed_encodings": N_(
        "{file} mixes encodings: line {line} is not UTF-8, though others are. Nothing was imported;"
        ' mend the file, or write encoding = "utf-8" in the mapping to refuse such rows one by one.'
    ),
    "unknown_encoding": N_('{map}: encoding must be "utf-8" or "cp1251".'),
    "csv": N_(
        "{file}, line {line}: the row cannot be read; probably a quote is never closed. Nothing was"
        " imported."
    ),
    "no_columns": N_(
        "{file} has no columns {columns} that the mapping asks for (delimiter “{delimiter}”, found:"
        " {found}). Check delimiter and names in {map}."
    ),
    "twice": N_("{file}: the column {column} stands twice in the header. Rename one."),
    "no_map": N_("There is no readable mapping {map}. Check the path."),
    "map_toml": N_("{map} is not valid TOML: {why}."),
    "map_key": N_("{map}, key {key}: {why}"),
    "map_missing": N_("{map}: the key {key} is missing. Write it."),
    "map_surplus": N_("{map}: the key {key} is unknown. Take it out."),
    "map_type": N_("{map}, key {key}: a value of another type is needed."),
    "map_unknown": N_("{map}, key {key}: “{name}” does not exist. Use one of: {known}."),
    "refused_file": N_("{file} cannot be written. Name another place with --refused."),
}

#: Why one row was refused, beside the refusals of the rules.
ROW_SENTENCES: Mapping[str, str] = {
    "width": N_("The row has another number of cells than the header."),
    "nul": N_("The row holds NUL characters."),
    "encoding": N_("The row is not in the file's encoding."),
    "bad_date": N_("The cells of “{field}” make no date."),
    "no_value": N_("The value list of “{field}” lacks the cell's text."),
    "no_title": N_("The row gives no title."),
    "same_key": N_("Another row of the file has the same key."),
}
