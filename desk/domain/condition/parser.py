"""From source to a checked condition.

condition := conjunction ("or" conjunction)*
conjunction := term ("and" term)*
term := "not" term | "(" condition ")" | "true" | "false" | test
test := name ("=" | "!=" | "<" | "<=" | ">" | ">=") operand
      | name ["not"] "in" "(" value ("," value)* ")"
      | name "contains" operand
      | name "is" ["not"] "empty"
operand := name | value
value := text | ["-"] number | "true" | "false" | date | "me" | "now" [("+" | "-") duration]
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from desk.domain.refusals import N_

from . import values
from .errors import ConditionError
from .lexer import Token, tokens
from .nodes import (
    NUMBER_LIMIT,
    TEXT_TYPES,
    Compare,
    Constant,
    Contains,
    Empty,
    Every,
    Field,
    FieldType,
    Fixed,
    Me,
    Node,
    Not,
    Now,
    OneOf,
    Operand,
    Operator,
    Some,
    Types,
    every,
    some,
)
from .render import UNITS

#: How deep parentheses and `not` may nest, and how many tests one condition may have: limits that
#: keep Python's recursion and SQLite's expression depth (1000) far away.
MAX_DEPTH = 40
MAX_TESTS = 200

_OPERATORS: dict[str, Operator] = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

_VALUE_EXAMPLES: dict[FieldType, str] = {
    "text": N_('Write a text in quotes, as in: {name} = "text"'),
    "user": N_("Write me, or a user's name in quotes, as in: {name} = me"),
    "choice": N_('Write a choice in quotes, as in: {name} = "choice"'),
    "number": N_("Write a number, as in: {name} = 10"),
    "bool": N_("Write true or false, as in: {name} = true"),
    "time": N_("Write a date, now, or now with a shift, as in: {name} > now - 3d"),
    "choices": N_('Write: {name} contains "choice"'),
}


def parse_node(source: str, types: Types) -> Node:
    """The checked tree of the source; raises `ConditionError`."""
    parser = _Parser(tokens(source), types)
    if parser.ended():
        raise ConditionError(
            N_("The condition is empty"), 0, N_("Write true where everything should match")
        )
    node = parser.condition()
    if not parser.ended():
        raise ConditionError(
            N_("The condition should have ended here"),
            parser.token.position,
            N_("Join conditions with and or or"),
        )
    return node


@dataclass(slots=True)
class _Parser:
    tokens: list[Token]
    types: Types
    index: int = 0
    depth: int = 0
    tests: int = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def ended(self) -> bool:
        return self.token.kind == "end"

    def condition(self) -> Node:
        return self._joined("or", self._conjunction, some)

    def _conjunction(self) -> Node:
        return self._joined("and", self._term, every)

    def _joined(
        self, word: str, part: Callable[[], Node], join: Callable[[list[Node]], Node]
    ) -> Node:
        parts = [part()]
        while self._accept(word):
            parts.append(part())
        return join(parts)

    def _term(self) -> Node:
        self._count(self.token)
        match self.token.word:
            case "not":
                self._advance()
                return Not(self._deeper(self._term))
            case "(":
                opening = self._advance()
                node = self._deeper(self.condition)
                if not self._accept(")"):
                    raise self._unclosed(opening)
                return node
            case "true":
                self._advance()
                return Every(())
            case "false":
                self._advance()
                return Some(())
            case _:
                return self._test()

    def _test(self) -> Node:
        left = self._left()
        sign = self._advance()
        match sign.word:
            case "=" | "!=" | "<" | "<=" | ">" | ">=":
                return self._comparison(left, sign)
            case "in":
                return self._one_of(left, sign)
            case "not":
                if not self._accept("in"):
                    raise ConditionError(
                        N_("After a field's name, not is followed by in"),
                        self.token.position,
                        N_("Put not before the name, as in: not {name} = …"),
                        {"name": left.name},
                    )
                return Not(self._one_of(left, sign))
            case "contains":
                return self._contains(left, sign)
            case "is":
                negated = self._accept("not")
                self._expect("empty")
                return Not(Empty(left)) if negated else Empty(left)
            case _:
                raise ConditionError(
                    N_("What should {name} be?"),
                    sign.position,
                    N_("Go on with =, !=, <, <=, >, >=, in, contains or is empty"),
                    {"name": left.name},
                )

    def _comparison(self, left: Field, sign: Token) -> Node:
        wrong = left.type == "choices" or (left.type == "bool" and sign.word not in {"=", "!="})
        if wrong:
            raise _not_for(left, sign)
        right = self._operand(left)
        if sign.word == "!=":
            return Not(Compare(left, "=", right))
        return Compare(left, _OPERATORS[sign.word], right)

    def _one_of(self, left: Field, sign: Token) -> OneOf:
        if left.type == "choices":
            raise _not_for(left, sign)
        opening = self._expect("(")
        listed = [self._value(left)]
        while self._accept(","):
            listed.append(self._value(left))
        if not self._accept(")"):
            raise self._unclosed(opening)
        return OneOf(left, tuple(listed))

    def _contains(self, left: Field, sign: Token) -> Contains:
        if left.type != "choices" and left.type not in TEXT_TYPES:
            raise _not_for(left, sign)
        return Contains(left, self._operand(left))

    def _left(self) -> Field:
        token = self.token
        if token.kind != "word" or token.word:
            raise ConditionError(
                N_("A condition begins with a field's name"),
                token.position,
                N_("Put the name first, the value after it"),
            )
        return self._field()

    def _field(self) -> Field:
        token = self._advance()
        type_ = self.types.get(token.text)
        if type_ is None:
            raise _unknown_name(token, self.types)
        return Field(token.text, type_)

    def _operand(self, left: Field) -> Operand:
        token = self.token
        if token.kind != "word" or token.word:
            return self._value(left)
        if token.text not in self.types:
            # Far more often a value without quotes than a misspelt name.
            raise ConditionError(
                N_("There is no field {field} to compare {name} with"),
                token.position,
                _VALUE_EXAMPLES[left.type],
                {"field": token.text, "name": left.name},
            )
        field = self._field()
        if _family(field.type) != _family(left.type) or field.type == "choices":
            raise _mismatch(left, token)
        return field

    def _value(self, left: Field) -> Fixed:
        token = self._advance()
        value = self._fixed(token, left)
        type_ = _fixed_type(value)
        if type_ != _family(left.type):
            raise _mismatch(left, token)
        return value

    def _fixed(self, token: Token, left: Field) -> Fixed:
        match token.kind, token.word:
            case "text", _:
                return values.text(token, left)
            case "date", _:
                return values.date(token)
            case "number", _:
                return values.number(token, 1)
            case _, "-" if self.token.kind == "number":
                return values.number(self._advance(), -1)
            case _, "true" | "false":
                return Constant(token.word == "true", "bool")
            case _, "me":
                return Me()
            case _, "now":
                return Now(self._shift())
            case _:
                raise ConditionError(
                    N_("A value is missing here"),
                    token.position,
                    _VALUE_EXAMPLES[left.type],
                    {"name": left.name},
                )

    def _shift(self) -> int:
        sign = self.token
        if sign.word not in {"+", "-"}:
            return 0
        self._advance()
        token = self._advance()
        if token.kind != "duration":
            raise ConditionError(
                N_("How far from now?"),
                token.position,
                N_("Write minutes, hours, days or weeks, as in: now - 30m, 2h, 3d, 1w"),
            )
        digits, unit = token.text[:-1], token.text[-1].lower()
        # By way of a float: `int` refuses thousands of digits, even zeros.
        distance = float(digits) * UNITS[unit]
        if distance > NUMBER_LIMIT:
            raise ConditionError(
                N_("This is too far from now"), token.position, N_("Write a shorter time")
            )
        return int(distance) if sign.word == "+" else -int(distance)

    def _advance(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.index += 1
        return token

    def _accept(self, word: str) -> bool:
        if self.token.word != word:
            return False
        self.index += 1
        return True

    def _expect(self, word: str) -> Token:
        if self.token.word != word:
            raise ConditionError(
                N_("{word} is missing here"),
                self.token.position,
                N_("Write {word}"),
                {"word": word},
            )
        return self._advance()

    def _unclosed(self, opening: Token) -> ConditionError:
        return ConditionError(
            N_("The parenthesis opened at character {opened} is not closed here"),
            self.token.position,
            N_("Write )"),
            {"opened": str(opening.position + 1)},
        )

    def _deeper(self, part: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConditionError(
                N_("Parentheses and not nest deeper than {limit}"),
                self.token.position,
                N_("Remove parentheses that change nothing"),
                {"limit": str(MAX_DEPTH)},
            )
        node = part()
        self.depth -= 1
        return node

    def _count(self, token: Token) -> None:
        if token.word in {"not", "("}:
            return
        self.tests += 1
        if self.tests > MAX_TESTS:
            raise ConditionError(
                N_("The condition has more than {limit} comparisons"),
                token.position,
                N_('List values together, as in: name in ("one", "two")'),
                {"limit": str(MAX_TESTS)},
            )


def _family(type_: FieldType) -> FieldType:
    """What is compared: all kinds of text are one, and a list holds texts."""
    return "text" if type_ in TEXT_TYPES or type_ == "choices" else type_


def _fixed_type(value: Fixed) -> FieldType:
    match value:
        case Constant(_, type_):
            return type_
        case Now():
            return "time"
        case Me():
            return "text"


def _mismatch(left: Field, token: Token) -> ConditionError:
    return ConditionError(
        N_("{name} cannot be compared with this"),
        token.position,
        _VALUE_EXAMPLES[left.type],
        {"name": left.name},
    )


def _not_for(left: Field, sign: Token) -> ConditionError:
    return ConditionError(
        N_("{operator} does not work on {name}"),
        sign.position,
        _VALUE_EXAMPLES[left.type],
        {"operator": sign.text, "name": left.name},
    )


def _unknown_name(token: Token, types: Types) -> ConditionError:
    close = get_close_matches(token.text.lower(), types, n=1, cutoff=0.5)
    if close:
        mend, args = N_("Did you mean {closest}?"), {"closest": close[0]}
    elif types:
        mend, args = N_("Known names: {names}"), {"names": ", ".join(sorted(types)[:12])}
    else:
        mend, args = N_("No fields can be used here; write true or false"), {}
    return ConditionError(
        N_("There is no field {name}"), token.position, mend, {"name": token.text, **args}
    )
