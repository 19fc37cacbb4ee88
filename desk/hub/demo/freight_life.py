"""How a request fares: step by step in working time, until now or until its end."""

from __future__ import annotations

from random import Random

from desk.domain.model import Value
from desk.hub.demo import freight_words as words
from desk.hub.demo.arrivals import DAY, HOUR, MINUTE, at_work, later
from desk.hub.demo.family import Family
from desk.hub.demo.freight_request import Request

MARKETERS = ("marketer1", "marketer2", "marketer3")
SELLERS = ("sales1", "sales2", "sales3", "sales4")
OPERATORS = ("operator1", "operator2")
CONSULTANT = "consultant1"

#: How long steps take on average, ms of working time.
_TRIAGE = 12 * MINUTE
_CLARIFY = 70 * MINUTE
_ANSWER = 100 * MINUTE
_RECONSIDER = 3 * HOUR
_SELL = 3 * DAY
_DIRECTIONS = {"food": "refrigerated", "vehicles": "oversize"}


class Life:
    """One request's way. Steps that would lie in the future have not happened yet."""

    def __init__(self, family: Family, chance: Random, now: int, request: Request) -> None:
        self._family = family
        self._chance = chance
        self._now = now
        self._request = request

    def run(self, at: int) -> None:
        """Live from the moment it came."""
        at = self._next(at_work(at, self._chance), _TRIAGE)
        if at > self._now or self._happens(0.002):
            return
        operator = self._family.lead["author"] or self._chance.choice(OPERATORS)
        if self._request.quality == 0.0 and self._happens(0.5):
            self._family.junk_lead(at, operator, self._junk_stage(), self._note(words.JUNK_NOTES))
        elif self._happens(0.14):
            if operator != CONSULTANT:
                self._family.assign(at, operator, CONSULTANT, marketer=False)
            self._consult(at)
        else:
            owner = self._chance.choices(MARKETERS, (5, 4, 3))[0]
            self._family.assign(at, operator, owner, marketer=True)
            self._qualify(at)

    def _consult(self, at: int) -> None:
        """A consultant works with the lead himself."""
        at = self._next(at, _CLARIFY)
        if at > self._now:
            return
        self._family.start_lead(at, CONSULTANT)
        at = self._next(at, _SELL / 2)
        if at > self._now:
            return
        if self._happens(0.12 + self._request.quality * 0.3):
            self._family.convert(at)
        elif self._happens(0.75):
            self._family.junk_lead(at, CONSULTANT, self._junk_stage(), self._note(words.JUNK_NOTES))

    def _qualify(self, at: int) -> None:
        """The marketing manager clarifies, then closes or hands off."""
        at = self._next(at, _CLARIFY)
        if at > self._now or self._happens(0.003):
            return
        if self._happens(0.88):
            self._family.start(at)
            at = self._next(at, _CLARIFY)
            if at > self._now or self._happens(0.004):
                return
        if self._happens(0.62 - self._request.quality * 0.75):
            self._family.junk(at, self._junk_stage(), self._note(words.JUNK_NOTES))
            return
        self._family.fill(at, self._form())
        at += self._chance.randrange(MINUTE, 9 * MINUTE)
        if at > self._now:
            return
        if self._happens(self._request.quality * 0.14):
            self._family.target(at)
        else:
            seller = self._chance.choices(SELLERS, (5, 4, 4, 3))[0]
            self._family.hand_off(at, seller, self._note(words.HAND_OFF_NOTES))
            self._decide(at)

    def _decide(self, at: int) -> None:
        """Sales calls, then accepts or returns; a return is clarified and handed off again."""
        back = 0.42 - self._request.quality * 0.3
        while True:
            at = self._next(at, _ANSWER)
            if at > self._now or self._happens(0.004):
                return
            if not self._happens(back):
                self._accept(at)
                return
            self._family.give_back(at, self._chance.choice(words.RETURN_REASONS))
            back *= 0.8
            at = self._next(at, _RECONSIDER)
            if at > self._now or self._happens(0.01):
                return
            if self._happens(0.28):
                self._family.junk(at, self._junk_stage(), self._note(words.JUNK_NOTES))
                return
            if self._happens(0.5):
                self._family.start(at)
                at = self._next(at, _CLARIFY / 2)
                if at > self._now:
                    return
            seller = self._family.qualification["last_chosen"]
            if self._happens(0.1):
                seller = self._chance.choice(SELLERS)
            self._family.hand_off(at, seller, self._chance.choice(words.REHAND_NOTES))

    def _accept(self, at: int) -> None:
        accepted = at + self._chance.randrange(MINUTE, 20 * MINUTE)
        if accepted > self._now:
            return
        self._family.call(at, self._note(words.CALL_NOTES))
        at = accepted
        self._family.accept(at)
        at = self._next(at, _SELL)
        if at > self._now:
            return
        if self._happens(0.1 + self._request.quality * 0.25):
            self._family.convert(at)
        elif self._happens(0.5):
            seller = self._family.lead["responsible"]
            self._family.junk_lead(at, seller, "junk_refused", self._note(words.JUNK_NOTES))

    def _form(self) -> dict[str, Value]:
        """What the marketing manager has found out."""
        chance, request = self._chance, self._request
        good = request.quality
        direction = _DIRECTIONS.get(request.cargo.kind)
        if direction is None or self._happens(0.2):
            direction = "ftl" if request.heavy else "ltl"
        filled: dict[str, Value] = {
            "target_direction": direction,
            "monthly_volume": max(1, round(chance.expovariate(1 / (1 + good * 9)))),
            "need": self._need(),
            "decision_maker": self._happens(0.25 + good * 0.5),
            "start_when": chance.choices(
                ("today", "week", "month", "later"), (1 + 3 * good, 3, 2, 3 - 2 * good)
            )[0],
            "quality": chance.choices(("hot", "warm", "cold"), (0.1 + good, 0.8, 1.1 - good))[0],
        }
        if self._happens(0.7):
            filled["next_step"] = chance.choice(words.NEXT_STEPS)
        return filled

    def _need(self) -> str:
        fields = self._request.fields
        if "route_from" not in fields:
            return "Уточняет условия, объёмов пока не назвал."
        return self._chance.choice(words.NEEDS).format(
            body=words.BODIES[self._request.cargo.body],
            src=fields["route_from"],
            dst=fields["route_to"],
            often=self._chance.choice(words.OFTEN),
            pay=self._chance.choice(words.PAY),
        )

    def _junk_stage(self) -> str:
        weights = (4, 1, 0.5, 0.5, 6) if self._request.quality == 0.0 else (3, 4, 3, 1, 0.3)
        return self._chance.choices(
            ("junk_not_our_profile", "junk_no_contact", "junk_refused", "junk_duplicate",
             "junk_spam"),
            weights,
        )[0]  # fmt: skip

    def _note(self, notes: tuple[str, ...]) -> str:
        return self._chance.choice(notes)

    def _next(self, at: int, mean: float) -> int:
        return later(self._chance, at, mean)

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability
