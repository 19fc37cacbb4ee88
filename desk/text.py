"""The words people read: gettext messages, and times, numbers and money as the locale writes them.

English msgids are the source language, so English needs no catalogue. Nothing heavier than
`gettext` is loaded until a date, a number or an amount of money is formatted.
"""

from __future__ import annotations

import gettext as _gettext
import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from desk.resources import locale_dir

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from babel import Locale

LANGUAGES = ("ru", "en")

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_WINDOWS_RUSSIAN = 0x19

_language = "en"
_translations: _gettext.NullTranslations = _gettext.NullTranslations()
_zone: tzinfo | None = None


def use(lang: str | None = None) -> str:
    """Choose the language of this process and return it: `ru` or `en`.

    `None` asks `DESK_LANG`, then the locale. A locale that names another language gives English;
    one that names none at all (unset, `C`, `POSIX`) gives Russian, the language Desk is made in.
    """
    global _language, _translations
    _language = _supported(lang) if lang else _preferred()
    _translations = _catalogue(_language)
    return _language


def language() -> str:
    """The language in use, `ru` or `en`; English until `use` was called."""
    return _language


def _(message: str) -> str:
    """The translation of `message`, or itself."""
    return _translations.gettext(message) if message else ""


def ngettext(singular: str, plural: str, n: int) -> str:
    """The translation of the form that `n` takes; fill in the number yourself."""
    return _translations.ngettext(singular, plural, n)


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name
    """Mark `message` for the catalogue where it is defined; `_` translates it where it is shown."""
    return message


def titled(title: str) -> str:
    """A card's title as a person reads it: it has none once its person is erased."""
    return title or _("(no title)")


def use_zone(key: str | None) -> None:
    """Show times in the zone `key` (`Europe/Moscow`); `None` is the machine's own zone.

    Raises `zoneinfo.ZoneInfoNotFoundError` on an unknown name.
    """
    global _zone
    if key is None:
        _zone = None
        return
    from zoneinfo import ZoneInfo

    _zone = ZoneInfo(key)


def local_time(ms: int) -> datetime:
    """The aware local time of `ms` (UTC milliseconds since the epoch)."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(_zone)


def format_date(ms: int) -> str:
    """The local date of `ms`: «22.11.2026», “Nov 22, 2026”."""
    from babel.dates import format_date as babel_format

    return babel_format(local_time(ms), _date_style(), locale=_locale(_language))


def format_time(ms: int) -> str:
    """The local time of day of `ms`, without seconds."""
    from babel.dates import format_time as babel_format

    moment = local_time(ms)
    # CLDR parts the time from AM by U+202F, which terminals' fonts often lack.
    shown = babel_format(moment, "short", tzinfo=moment.tzinfo, locale=_locale(_language))
    return shown.replace("\u202f", " ")


def format_datetime(ms: int) -> str:
    """The local date and time of `ms`, without seconds."""
    return f"{format_date(ms)} {format_time(ms)}"


def format_age(ms: int, now: int) -> str:
    """How long before `now` the moment `ms` was, in one unit; both in milliseconds.

    «5 мин», «3 ч», «2 дн»; a moment still to come is «через 5 мин».
    """
    distance = abs(now - ms)
    if distance < _MINUTE_MS:
        return _("now")
    if distance < _HOUR_MS:
        span = _("{n}m").format(n=distance // _MINUTE_MS)
    elif distance < _DAY_MS:
        span = _("{n}h").format(n=distance // _HOUR_MS)
    elif distance < 365 * _DAY_MS:
        span = _("{n}d").format(n=distance // _DAY_MS)
    else:
        years = distance // (365 * _DAY_MS)
        span = ngettext("{n}y", "{n}y", years).format(n=years)
    return span if ms <= now else _("in {span}").format(span=span)


def format_number(number: float) -> str:
    """`number` with the locale's separators: «20 000», “20,000”."""
    from babel.numbers import format_decimal

    return format_decimal(number, locale=_locale(_language))


def format_money(kopecks: int, currency: str = "RUB") -> str:
    """An amount in hundredths of `currency` (ISO 4217); whole amounts are shown without them."""
    from decimal import Decimal

    from babel.numbers import format_currency, get_currency_symbol

    locale = _locale(_language)
    digits = "#,##0.00" if kopecks % 100 else "#,##0"
    # A sign goes before an English amount, a word after it: “$5”, “5 RUB”.
    sign_first = _language == "en" and not get_currency_symbol(currency, locale).isalpha()
    pattern = f"¤{digits}" if sign_first else f"{digits}\N{NO-BREAK SPACE}¤"
    amount = Decimal(kopecks) / 100
    return format_currency(amount, currency, pattern, locale=locale, currency_digits=False)


def _date_style() -> str:
    # The short English date leaves open which number is the month.
    return "short" if _language == "ru" else "medium"


@lru_cache
def _locale(lang: str) -> Locale:
    from babel import Locale

    return Locale.parse(lang)


@lru_cache
def _catalogue(lang: str) -> _gettext.NullTranslations:
    if lang == "en":
        return _gettext.NullTranslations()
    return _gettext.translation("desk", str(locale_dir()), [lang], fallback=True)


def _supported(name: str) -> str:
    return "ru" if name.lower().startswith("ru") else "en"


def _preferred() -> str:
    for variable in ("DESK_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        name = os.environ.get(variable, "").split(".")[0]
        if name:
            return "ru" if name in ("C", "POSIX") else _supported(name)
    if sys.platform == "win32":
        import ctypes

        # The low ten bits of a Windows language id are the language without its region.
        language_id = ctypes.windll.kernel32.GetUserDefaultUILanguage()
        return "ru" if language_id & 0x3FF == _WINDOWS_RUSSIAN else "en"
    return "ru"
