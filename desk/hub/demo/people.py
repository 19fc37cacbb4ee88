"""Invented people: Russian names whose endings agree, phones and mails that reach nobody."""

from __future__ import annotations

from random import Random

import msgspec

_MEN = (
    "Александр", "Алексей", "Анатолий", "Андрей", "Антон", "Артём", "Борис", "Вадим", "Валерий",
    "Виктор", "Виталий", "Владимир", "Вячеслав", "Геннадий", "Георгий", "Денис", "Дмитрий",
    "Евгений", "Егор", "Иван", "Игорь", "Ильдар", "Кирилл", "Константин", "Максим", "Марат",
    "Михаил", "Николай", "Олег", "Павел", "Пётр", "Роман", "Руслан", "Сергей", "Станислав",
    "Степан", "Тимур", "Фёдор", "Юрий", "Ярослав",
)  # fmt: skip
_WOMEN = (
    "Алина", "Алла", "Анастасия", "Анна", "Валентина", "Вера", "Виктория", "Галина", "Гульнара",
    "Дарья", "Евгения", "Екатерина", "Елена", "Жанна", "Ирина", "Кристина", "Ксения", "Лариса",
    "Лилия", "Любовь", "Людмила", "Маргарита", "Марина", "Мария", "Надежда", "Наталья", "Нина",
    "Оксана", "Ольга", "Полина", "Светлана", "Софья", "Татьяна", "Ульяна", "Юлия", "Яна",
)  # fmt: skip
# The father's name as it stands in a son's and in a daughter's patronymic.
_PATRONYMICS = (
    ("Александрович", "Александровна"), ("Алексеевич", "Алексеевна"),
    ("Анатольевич", "Анатольевна"), ("Андреевич", "Андреевна"), ("Борисович", "Борисовна"),
    ("Валентинович", "Валентиновна"), ("Васильевич", "Васильевна"),
    ("Викторович", "Викторовна"), ("Владимирович", "Владимировна"),
    ("Геннадьевич", "Геннадьевна"), ("Григорьевич", "Григорьевна"),
    ("Дмитриевич", "Дмитриевна"), ("Евгеньевич", "Евгеньевна"), ("Иванович", "Ивановна"),
    ("Игоревич", "Игоревна"), ("Ильич", "Ильинична"), ("Константинович", "Константиновна"),
    ("Львович", "Львовна"), ("Михайлович", "Михайловна"), ("Николаевич", "Николаевна"),
    ("Олегович", "Олеговна"), ("Павлович", "Павловна"), ("Петрович", "Петровна"),
    ("Рашидович", "Рашидовна"), ("Сергеевич", "Сергеевна"), ("Фёдорович", "Фёдоровна"),
    ("Эдуардович", "Эдуардовна"), ("Юрьевич", "Юрьевна"),
)  # fmt: skip
_SURNAMES_OV = (
    "Абрамов", "Агафонов", "Александров", "Антонов", "Астахов", "Баранов", "Белов", "Беляев",
    "Борисов", "Быков", "Васильев", "Виноградов", "Власов", "Воробьёв", "Воронов", "Гаврилов",
    "Галиев", "Голубев", "Горбунов", "Громов", "Гусев", "Давыдов", "Денисов", "Дроздов",
    "Дьячков", "Егоров", "Ермаков", "Ефимов", "Жуков", "Зайцев", "Захаров", "Зуев", "Иванов",
    "Исаев", "Казаков", "Калашников", "Каримов", "Киселёв", "Ковалёв", "Козлов", "Комаров",
    "Королёв", "Крылов", "Кудрявцев", "Кузнецов", "Куликов", "Лаптев", "Лебедев", "Логинов",
    "Макаров", "Максимов", "Мартынов", "Медведев", "Мельников", "Миронов", "Морозов", "Назаров",
    "Нестеров", "Никитин", "Новиков", "Орлов", "Осипов", "Павлов", "Панов", "Петров", "Поляков",
    "Попов", "Прохоров", "Родионов", "Романов", "Рыбаков", "Савельев", "Сафонов", "Семёнов",
    "Сергеев", "Сидоров", "Смирнов", "Соболев", "Соколов", "Соловьёв", "Степанов", "Суханов",
    "Тарасов", "Терентьев", "Тимофеев", "Титов", "Тихонов", "Уваров", "Фёдоров", "Филатов",
    "Фролов", "Хасанов", "Чернов", "Шарапов", "Шестаков", "Щербаков", "Юсупов", "Яковлев",
    "Ильин", "Калинин", "Куприн", "Лапшин", "Мухин", "Никулин", "Пушкарёв", "Птицын", "Сорокин",
    "Тюрин", "Фомин", "Шубин", "Юдин",
)  # fmt: skip
_SURNAMES_SKY = (
    "Белинский", "Вершинский", "Заречный", "Каменский", "Краевский", "Луговской", "Озерецкий",
    "Полянский", "Раевский", "Садовский", "Светлый", "Успенский", "Яворский",
)  # fmt: skip
# One form for both.
_SURNAMES_SAME = (
    "Бондаренко", "Гончаренко", "Кравченко", "Лысенко", "Марченко", "Ткаченко", "Шевченко",
    "Коваль", "Мельник", "Черных", "Седых", "Гагуа",
)  # fmt: skip
POSITIONS = (
    ("Начальник отдела логистики", 22), ("Менеджер по логистике", 30), ("Логист", 34),
    ("Коммерческий директор", 12), ("Генеральный директор", 16), ("Снабженец", 14),
    ("Менеджер по закупкам", 16), ("Заведующий складом", 9), ("Индивидуальный предприниматель", 11),
    ("Руководитель отдела продаж", 8), ("Специалист ВЭД", 6), ("Диспетчер", 10), ("Бухгалтер", 4),
)  # fmt: skip

# Prefixes the Russian numbering plan has given to nobody: such numbers are well formed and dead.
_DEAD_MOBILE = ("935", "972", "973", "974", "975", "976", "979", "998")

_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        ("a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p",
         "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "sch", "", "y", "", "e", "yu", "ya"),
        strict=True,
    )
)  # fmt: skip
_MAIL_HOSTS = ("pochta.example", "mail.example", "inbox.example", "example.com", "example.org")


class Human(msgspec.Struct, frozen=True):
    """One invented person."""

    surname: str
    name: str
    patronymic: str
    woman: bool

    @property
    def full(self) -> str:
        return f"{self.surname} {self.name} {self.patronymic}"

    @property
    def short(self) -> str:
        """Name and surname, as colleagues call each other."""
        return f"{self.name} {self.surname}"

    @property
    def initials(self) -> str:
        return f"{self.surname} {self.name[0]}. {self.patronymic[0]}."


def make_human(chance: Random, *, woman: bool | None = None) -> Human:
    """A person, a woman in four cases of ten unless told."""
    is_woman = chance.random() < 0.4 if woman is None else woman
    draw = chance.random()
    if draw < 0.86:
        surname = chance.choice(_SURNAMES_OV) + ("а" if is_woman else "")
    elif draw < 0.93:
        surname = chance.choice(_SURNAMES_SKY)
        surname = surname[:-2] + "ая" if is_woman else surname
    else:
        surname = chance.choice(_SURNAMES_SAME)
    name = chance.choice(_WOMEN if is_woman else _MEN)
    return Human(surname, name, chance.choice(_PATRONYMICS)[is_woman], is_woman)


def latin(text: str) -> str:
    """``text`` in Latin letters, as people spell themselves in an address."""
    return "".join(_LATIN.get(letter, letter) for letter in text.lower() if letter.isalnum())


def make_phone(chance: Random, area: str | None = None) -> str:
    """A Russian number in E.164 that rings nowhere.

    ``area`` is a city's code: no local number begins with 0, so such a landline is dead too.
    """
    if area is None:
        return f"+7{chance.choice(_DEAD_MOBILE)}{chance.randrange(10**7):07d}"
    free = 10 - len(area)
    return f"+7{area}0{chance.randrange(10 ** (free - 1)):0{free - 1}d}"


def make_email(chance: Random, human: Human, host: str | None = None) -> str:
    """An address at a domain reserved for examples (RFC 2606); ``host`` is a company's."""
    surname, name = latin(human.surname), latin(human.name)
    box = chance.choice(
        (f"{name[0]}.{surname}", f"{surname}.{name[0]}", f"{surname}{chance.randrange(60, 99)}",
         f"{name}.{surname}", surname)
    )  # fmt: skip
    return f"{box}@{host or chance.choice(_MAIL_HOSTS)}"
