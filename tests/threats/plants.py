"""Canaries: what is planted at the hub and on desks, and how it is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from desk.domain.model import Value
from desk.domain.operations import Comment, Create, EditFields, Move
from desk.services.desk import Desk

Sit = Callable[..., Desk]
NAME, PHONE, EMAIL = "Канарейкина Тайна", "+79167654321", "kanareyka@sekret.example"
COMMENT, REQUEST, TITLE = "Сказано-по-секрету", "Запрошено-по-секрету", "ООО Сокровенное"
PERSONAL = (NAME, PHONE, EMAIL, COMMENT, REQUEST)
ALL = (*PERSONAL, TITLE)


def plant(sit: Sit, *, to: str = "marketer1", name: str = NAME, phone: str = PHONE) -> str:
    """A lead with canaries in it, sent to the hub by an operator and given to ``to``."""
    subject: dict[str, Value] = {"name": name, "phone": phone, "email": EMAIL}
    operator = sit("operator1", place=f"planter of {to}")
    lead = operator.do(Create(kind="lead", title=TITLE, subject=subject)).item_ids[0]
    operator.do(EditFields(item_id=lead, fields={"request": REQUEST}))
    operator.do(Comment(item_id=lead, text=COMMENT))
    operator.do(Move(item_id=lead, transition="assign", to=to))
    assert operator.sync_once().rejected == 0
    operator.close()
    return lead


def found(content: bytes, words: Iterable[str] = ALL) -> list[str]:
    """Which of the words stand there, in an encoding that a program uses."""
    codes = ("utf-8", "utf-16-le", "utf-16-be", "cp1251")
    return [word for word in words if any(word.encode(code) in content for code in codes)]


def found_under(folder: Path, words: Iterable[str] = ALL) -> dict[str, list[str]]:
    """The files that hold one of them, byte by byte."""
    files = (path for path in folder.rglob("*") if path.is_file())
    looked = {path.name: found(path.read_bytes(), list(words)) for path in files}
    return {name: words for name, words in looked.items() if words}
