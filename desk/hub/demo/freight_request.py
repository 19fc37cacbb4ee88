"""One request to the freight exchange: who asks, for what, and where he came from."""

from __future__ import annotations

from itertools import accumulate
from math import asin, cos, radians, sin, sqrt
from random import Random

import msgspec

from desk.domain.model import Value
from desk.hub.demo import freight_words as words
from desk.hub.demo.arrivals import iso_date, local_day
from desk.hub.demo.freight_words import Cargo, City, Source
from desk.hub.demo.people import POSITIONS, Human, make_email, make_human, make_phone

_EARTH_KM = 6371
_KOPECKS = 100
_CITY_STEPS = list(accumulate(city.weight for city in words.CITIES))
_CARGO_STEPS = list(accumulate(cargo.weight for cargo in words.CARGOES))
_SOURCE_STEPS = list(accumulate(source.weight for source in words.SOURCES))
_POSITION_STEPS = list(accumulate(weight for _name, weight in POSITIONS))
_TERMS = ("перевозка грузов", "грузоперевозки москва", "заказать фуру", "догруз попутно",
          "рефрижератор цена", "грузовое такси", "газель недорого")  # fmt: skip


class Request(msgspec.Struct, frozen=True):
    """What came in. ``quality`` (0..1) is how likely it is worth something; nobody sees it."""

    title: str
    fields: dict[str, Value]
    personal: dict[str, Value]
    quality: float
    cargo: Cargo
    heavy: bool


def make_request(chance: Random, at: int, again: Request | None = None) -> Request:
    """A request of the moment ``at``; ``again`` is an earlier one of the same person."""
    source = chance.choices(words.SOURCES, cum_weights=_SOURCE_STEPS)[0]
    campaign, extra = _campaign(chance, source)
    quality = min(max(chance.gauss(source.quality + extra, 0.2), 0.0), 1.0)
    human = make_human(chance)
    personal = dict(again.personal) if again else {}
    fields: dict[str, Value] = {"source": source.id}
    if source.medium:
        fields |= {"utm_source": source.utm_source, "utm_medium": source.medium}
    if campaign:
        fields["utm_campaign"] = campaign
        fields["utm_content"] = f"banner_{chance.randrange(1, 9)}"
        if source.medium == "cpc" and chance.random() < 0.7:
            fields["utm_term"] = chance.choice(_TERMS)
    cargo = chance.choices(words.CARGOES, cum_weights=_CARGO_STEPS)[0]
    if quality < 0.16 and chance.random() < 0.8:
        personal = personal or _person(chance, human, None, None)
        fields["request"] = chance.choice(words.JUNK_REQUESTS)
        return Request(_plain_title(source), fields, personal, 0.0, cargo, heavy=False)
    origin = _city(chance)
    target = _city(chance)
    while target is origin:
        target = _city(chance)
    weight = _weight(chance, cargo)
    firm = words.make_firm(chance, human) if chance.random() < 0.35 + quality * 0.6 else None
    personal = personal or _person(chance, human, firm, origin)
    fields |= {
        "request": words.write_request(chance, origin, target, cargo, weight),
        "cargo": cargo.kind,
        "weight_t": weight,
        "route_from": origin.name,
        "route_to": target.name,
    }
    if firm:
        fields["company"] = firm.name
    if chance.random() < 0.6:
        fields["ready_date"] = iso_date(local_day(at) + chance.randrange(1, 12))
    if chance.random() < 0.55:
        fields["budget"] = _budget(chance, origin, target, weight)
    return Request(
        _title(firm, origin, target, weight),
        fields,
        personal,
        quality,
        cargo,
        heavy=weight >= 10,
    )


def _campaign(chance: Random, source: Source) -> tuple[str, float]:
    if not source.campaigns:
        return "", 0.0
    name, _weight, extra = chance.choices(
        source.campaigns, [weight for _name, weight, _extra in source.campaigns]
    )[0]
    return name, extra


def _person(
    chance: Random, human: Human, firm: words.Firm | None, city: City | None
) -> dict[str, Value]:
    draw = chance.random()
    name = human.full if draw < 0.4 else human.short if draw < 0.75 else human.name
    landline = firm and city and chance.random() < 0.12
    personal: dict[str, Value] = {
        "name": name,
        "phone": make_phone(chance, city.area if landline and city else None),
    }
    if chance.random() < 0.62:
        host = firm.host if firm and chance.random() < 0.6 else None
        personal["email"] = make_email(chance, human, host)
    if firm and chance.random() < 0.7:
        personal["position"] = chance.choices(POSITIONS, cum_weights=_POSITION_STEPS)[0][0]
    return personal


def _city(chance: Random) -> City:
    return chance.choices(words.CITIES, cum_weights=_CITY_STEPS)[0]


def _weight(chance: Random, cargo: Cargo) -> float:
    usual = cargo.light + (cargo.heavy - cargo.light) / 3
    tonnes = chance.triangular(cargo.light, cargo.heavy, usual)
    if tonnes < 1:
        return round(tonnes, 1)
    if tonnes < 5:
        return round(tonnes * 2) / 2
    if chance.random() < 0.6:
        return min((20.0, 10.0, 5.0), key=lambda full: abs(full - tonnes))
    return float(round(tonnes))


def _budget(chance: Random, origin: City, target: City, weight: float) -> int:
    """Roubles for the road by distance and load, in kopecks, rounded as people round."""
    by_road = _distance(origin, target) * 1.25
    per_km = (38 + 2.6 * min(weight, 20)) * chance.uniform(0.75, 1.3)
    roubles = max(by_road * per_km, 6000.0)
    return round(roubles / 1000) * 1000 * _KOPECKS


def _distance(one: City, other: City) -> float:
    """Great-circle distance, km."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half = sin((lat2 - lat1) / 2) ** 2
    half += cos(lat1) * cos(lat2) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(half))


def _title(firm: words.Firm | None, origin: City, target: City, weight: float) -> str:
    """What everybody may read: an entrepreneur's firm is his name, so it stays out."""
    route = f"{origin.name} → {target.name}, {words.show_weight(weight)}"
    # The route first: a narrow card shows what a dispatcher asks about.
    return f"{route} · {firm.name}" if firm and not firm.is_personal else route


def _plain_title(source: Source) -> str:
    return _PLAIN_TITLES.get(source.id, "Заявка с формы")


_PLAIN_TITLES = {
    "phone": "Входящий звонок",
    "whatsapp": "Сообщение в WhatsApp",
    "telegram": "Сообщение в Телеграме",
    "email": "Письмо на общую почту",
    "exchange": "Отклик на бирже",
    "partner": "Заявка партнёра",
}
