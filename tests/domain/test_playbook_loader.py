"""A playbook that is wrong says where and how to mend it; a small one simply works."""

import pytest

from desk.domain.playbook import Playbook
from desk.domain.playbook_check import PlaybookError
from desk.domain.playbook_loader import load
from desk.resources import playbooks_dir

MINIMAL = """\
format = 1
id = "tiny"
title = { ru = "Малый", en = "Tiny" }
role = [{ id = "clerk", title = { ru = "Клерк", en = "Clerk" }, sees = { card = "always" } }]
kind = [{ id = "card", title = { ru = "Карта", en = "Card" }, titles = { ru = "Карты", en = "Cards" }, stage = [{ id = "new", title = { ru = "Новая", en = "New" } }] }]
"""  # noqa: E501

WHOLE = """\
format = 1
id = "small"
title = { ru = "Малый", en = "Small" }
campaign_field = "note"

[[subject.field]]
id = "name"
title = { ru = "Имя", en = "Name" }

[[task]]
id = "call"
title = { ru = "Звонок", en = "Call" }
due = "30m"

[[kind]]
id = "card"
title = { ru = "Карта", en = "Card" }
titles = { ru = "Карты", en = "Cards" }
withdrawn = "done"

[[kind.stage]]
id = "new"
title = { ru = "Новая", en = "New" }

[[kind.stage]]
id = "done"
title = { ru = "Готова", en = "Done" }
final = true
required = ["note"]

[[kind.field]]
id = "note"
title = { ru = "Заметка", en = "Note" }

[[kind.field]]
id = "size"
type = "choice"
title = { ru = "Размер", en = "Size" }
choices = [{ id = "big", title = { ru = "Большой", en = "Big" } }]

[[kind.form]]
title = { ru = "Форма", en = "Form" }
fields = ["note"]

[[kind.points]]
if = 'size = "big"'
add = 10

[[kind.transition]]
id = "finish"
title = { ru = "Закончить", en = "Finish" }
from = ["new"]
to = "done"
roles = ["clerk"]
who = "responsible = me"
form = ["note"]
choose = { roles = ["clerk"] }
[[kind.transition.guard]]
on = "card"
if = 'note is not empty'
else = { ru = "Нет", en = "No" }
[[kind.transition.effect]]
do = "plan"
task = "call"
to = "actor"
[[kind.transition.effect]]
do = "create"
kind = "card"
responsible = "actor"

[[kind.transition]]
id = "reopen"
title = { ru = "Вернуть", en = "Reopen" }
from = "final"
roles = ["clerk"]
undoes = true
[[kind.transition.effect]]
do = "undo"

[[kind.robot]]
id = "greet"
when = "created"
if = 'responsible_role = "clerk"'
[[kind.robot.effect]]
do = "count"
event = "arrived"

[[role]]
id = "clerk"
title = { ru = "Клерк", en = "Clerk" }
start = "card"
creates = ["card"]
sees = { card = "responsible = me" }
mask = { card = "full", "subject.name" = "masked" }
edits = { card = ["note"] }
"""


def _error(source: str) -> str:
    with pytest.raises(PlaybookError) as caught:
        load(source, "small.toml")
    error = caught.value
    assert error.sentence.format(**error.fill)
    assert error.mend.format(**error.fill) is not None
    assert str(error).startswith(f"{error.where}: ")
    return str(error)


def _changed(old: str, new: str) -> str:
    assert WHOLE.count(old) >= 1, old
    return WHOLE.replace(old, new, 1)


def test_five_lines_make_a_playbook() -> None:
    assert len(MINIMAL.splitlines()) == 5
    playbook = load(MINIMAL, "tiny.toml", version=3)

    assert isinstance(playbook, Playbook)
    assert playbook.version == 3
    assert [stage.id for stage in playbook.kinds["card"].stages] == ["new"]
    assert playbook.mask("clerk", "card", "note") == "none"


def test_the_whole_small_playbook_works() -> None:
    card = load(WHOLE, "small.toml").kinds["card"]
    assert card.transitions["finish"].target == "done"
    assert card.transitions["reopen"].sources == ("done",)
    assert load(WHOLE, "small.toml").tasks["call"].due == 30 * 60_000


@pytest.mark.parametrize("path", sorted(playbooks_dir().glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_playbook_is_sound(path: object) -> None:
    name = getattr(path, "name", "")
    source = (playbooks_dir() / name).read_text(encoding="utf-8")
    assert load(source, name).kinds


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("format = 1\nid = \n", "small.toml: line 2: "),
        ("format = 1\n\n[[kind\n", "small.toml: line 3: "),
        ('format = 1\nid = "a', "small.toml: line 2: "),
        ("format = 1\nformat = 1\n", "small.toml: line 2: "),
        ("a = " + "[" * 5000, "small.toml: line 1 and further: "),
        ("a = " + "9" * 5000, "small.toml: line 1 and further: "),
        ("\x00", "small.toml: line 1: "),
    ],
)
def test_what_is_no_toml_is_told_by_its_line(source: str, where: str) -> None:
    said = _error(source)
    assert said.startswith(where)
    assert "not valid TOML" in said
    assert "Correct the line" in said


def test_an_empty_file_is_told_how_a_playbook_begins() -> None:
    assert "Write “format = 1”" in _error("")
    assert "[[kind]]" in _error(MINIMAL.partition("kind = ")[0])
    assert "[[role]]" in _error("\n".join(x for x in MINIMAL.split("\n") if x[:4] != "role"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # unknown keys, with the closest known one
        ('campaign_field = "note"', 'campain_field = "note"', "did you mean “campaign_field”?"),
        ("[[kind.field]]", "[[kind.feild]]", "kind 'card': The key “feild” is unknown; did you"),
        ("final = true", "finall = true", "stage 'done': The key “finall” is unknown; did you"),
        ("required =", "requiered =", "did you mean “required”?"),
        ('who = "', 'whom = "', "transition 'finish': The key “whom” is unknown; did you mean"),
        ("when =", "wen =", "robot 'greet': The key “wen” is unknown; did you mean “when”?"),
        ("creates =", "create =", "role 'clerk': The key “create” is unknown; did you mean"),
        ('task = "call"', 'tusk = "call"', "effect[1]: The key “tusk” is unknown; did you mea"),
        ("[[subject.field]]", "[[subject.feild]]", "subject: The key “feild” is unknown; did you"),
        ('id = "call"', 'id = "call"\nzzz = 1', "task 'call': The key “zzz” is unknown. Known"),
        ("withdrawn =", "stages = []\nwithdrawn =", "The key “stages” is unknown; did you mean"),
        # missing keys
        ('id = "small"', "", "small.toml: id: The key “id” is missing. Add it."),
        ('from = ["new"]', "", "transition 'finish': The key “from” is missing"),
        ('roles = ["clerk"]\nwho', "who", "transition 'finish': The key “roles” is missing"),
        ("titles =", "hint_text =", "kind 'card': The key “hint_text” is unknown. Known"),
        ('id = "greet"\n', "", "robot[1]: The key “id” is missing"),
        ("add = 10", "", "points[1]: The key “add” is missing"),
        ('due = "30m"', "", "task 'call': The key “due” is missing"),
        ('do = "plan"\n', "", "effect[1]: The key “do” is missing"),
        ('title = { ru = "Имя", en = "Name" }', 'title = { ru = "Имя" }', "field 'name': title"),
        # wrong types
        ("final = true", 'final = "yes"', "stage 'done': final: Expected `bool`, got `str`"),
        ("add = 10", 'add = "10"', "points[1]: add: Expected `int`, got `str`"),
        ('title = { ru = "Имя", en = "Name" }', "title = {}", "field 'name': title"),
        ('roles = ["clerk"]\nwho', 'roles = "clerk"\nwho', "transition 'finish': roles: Expected"),
        ('to = "done"', "to = 5", "transition 'finish': to: Expected"),
        ('type = "choice"', 'type = "chioce"', "field 'size': type: Invalid enum value 'chioce'"),
        ('when = "created"', 'when = "deleted"', "robot 'greet': when: Invalid enum value"),
        ('card = "full"', 'card = "half"', "role 'clerk': mask"),
        ('{ card = "responsible = me" }', '"always"', "role 'clerk': sees: Expected"),
        ('[[role]]\nid = "clerk"', "[role]\nid = 5", "small.toml: role: Write it as [[role]]"),
        ('id = "greet"', "id = 7", "robot[1]: id: Expected `str`, got `int`"),
        ("choices = [{", "choices = {} #[{", "field 'size': choices: Expected `array`"),
        # references to what does not exist
        ('to = "done"', 'to = "don"', "transition 'finish': to: “don” does not exist. Use one"),
        ('from = ["new"]', 'from = ["newer"]', "transition 'finish': from: “newer” does not exist"),
        ('roles = ["clerk"]\nwho', 'roles = ["clark"]\nwho', "roles: “clark” does not exist. Use"),
        ('{ roles = ["clerk"] }', '{ roles = ["boss"] }', "choose: “boss” does not exist"),
        ('form = ["note"]', 'form = ["note2"]', "form: “note2” does not exist. Use one of: note"),
        ('required = ["note"]', 'required = ["x"]', "stage 'done': required: “x” does not exist"),
        ('fields = ["note"]', 'fields = ["x"]', "form 'Form': “x” does not exist"),
        ('task = "call"', 'task = "cal"', "effect[1]: “cal” does not exist. Use one of: call"),
        ('kind = "card"', 'kind = "cart"', "effect[2]: “cart” does not exist. Use one of: card"),
        ('do = "plan"', 'do = "plane"', "effect[1]: do: “plane” does not exist. Use one of: plan"),
        ('on = "card"', 'on = "cart"', "guard[1]: on: “cart” does not exist. Use one of: card"),
        ('withdrawn = "done"', 'withdrawn = "x"', "withdrawn: “x” does not exist"),
        ('start = "card"', 'start = "cart"', "role 'clerk': start: “cart” does not exist"),
        ('creates = ["card"]', 'creates = ["x"]', "role 'clerk': creates or sees: “x” does not"),
        ('"subject.name"', '"subject.nmae"', "role 'clerk': mask: “nmae” does not exist. Use one"),
        ('"subject.name"', '"subjekt.name"', "mask: “subjekt” does not exist. Use one of"),
        ('edits = { card = ["note"]', 'edits = { card = ["x"]', "edits: “x” does not exist"),
        ('campaign_field = "note"', 'campaign_field = "x"', "campaign_field: No kind has the"),
        ('choices = [{ id = "big"', 'choices_from = "a.b" #', "There are no choices in “a.b”"),
        ('choices = [{ id = "big"', "#", "field 'size': A choice field needs choices. Add them."),
        ('id = "name"', 'id = "name"\ntype = "choice"', "subject: field 'name': A choice field"),
        # conditions, with the position
        ("responsible = me", "responsable = me", "transition 'finish': who: character 1: "),
        ('note is not empty', 'note is not', "guard[1]: if: character "),
        ('size = "big"', 'size > ', "points[1]: if: character "),
        ('responsible_role = "clerk"', "1", "robot 'greet': if: character 1: "),
        ('card = "responsible = me"', 'card = "note = 5"', "'clerk': sees.card: character 1: "),
        ('card = "responsible = me"', 'card = "created_at > now - 3d"', "may not depend on “now”"),
        # the same id twice
        ('id = "size"', 'id = "note"', "kind 'card': field 'note': This id is taken already"),
        ('id = "reopen"', 'id = "finish"', "transition 'finish': This id is taken already"),
        ('id = "done"', 'id = "new"', "kind 'card': Two stages have the same id. Rename one."),
        # ids that cannot be spelled in masks, conditions and events
        ('id = "name"', 'id = "my.name"', "subject: field 'my.name': An id is at most 31"),
        ('id = "name"', 'id = "имя"', "subject: field 'имя': An id is at most 31 small Latin"),
        ('event = "arrived"', f'event = "{"e" * 32}"', "effect[1] 'eeee"),
        ('id = "greet"', 'id = "Greet"', "robot 'Greet': An id is at most 31"),
        ('id = "finish"', f'id = "{"f" * 32}"', "An id is at most 31 small Latin letters"),
        ('id = "name"', 'id = "stage"', "field 'stage': This id means something else. Choose"),
        ('id = "name"', 'id = "empty"', "field 'empty': This id means something else. Choose"),
        # times, limits and undoing
        ('due = "30m"', 'due = "30 minutes"', "task 'call': due: Write a time such as “30m”"),
        ('due = "30m"', "due = 30", "task 'call': due: Write a time such as “30m”"),
        ('id = "note"', 'id = "note"\nmin = 2\nmax = 1', "“min” is greater than “max”. Swap"),
        ('withdrawn = "done"', "", "kind 'card': What creates these cards can be undone. Name"),
        ("undoes = true", "", "transition 'reopen': “undoes = true” and the effect “undo” go tog"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_mend(old: str, new: str, said: str) -> None:
    told = _error(_changed(old, new))
    assert told.startswith("small.toml: ")
    assert said in told


@pytest.mark.parametrize("key", ["kind", "role", "task"])
def test_two_tables_of_one_id_are_never_one(key: str) -> None:
    tables = {
        "kind": "[[kind]]" + WHOLE.partition("[[kind]]")[2].partition("[[role]]")[0],
        "role": "[[role]]" + WHOLE.partition("[[role]]")[2],
        "task": "[[task]]" + WHOLE.partition("[[task]]")[2].partition("[[kind]]")[0],
    }
    assert "This id is taken already" in _error(f"{WHOLE}\n{tables[key]}")


def test_a_kind_named_as_a_reference_is_refused() -> None:
    for name in ("self", "subject"):
        assert "means something else" in _error(MINIMAL.replace('id = "card"', f'id = "{name}"'))


def test_junk_in_place_of_tables_is_told() -> None:
    for wrong in ("subject = 5", "kind = 5", "task = [5]", 'role = "x"'):
        lines = [line for line in MINIMAL.splitlines() if line[:4] != wrong[:4]]
        assert "small.toml: " in _error("\n".join([wrong, *lines]))
