"""The detectors of the fast tier: each gives the spans of one kind. Linear time, no state.

`(?<!x)` before a possessive run of `x` starts a match only where the run starts; bounded windows do the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Span = tuple[int, int]
Detector = Callable[[str], Iterator[Span]]

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]++@[\w-]++(?:\.[\w-]++)++")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d]|\.\d)")
_DIGITS = re.compile(r"\d++(?:[ .\-\u00a0\u2011]?\d++)*+")
_GROUP = re.compile(r"\d++")
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \-]?[A-Za-z0-9])")
_IBAN_BODY = re.compile(r"(?:[ \-]?[A-Za-z0-9]){11,30}")
_PHONE = re.compile(r"(?<![\w.+\-/])(?:\+|00)?+\(?\d(?:[ ()./\-\u00a0]{0,2}\d){5,16}(?![\w])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}(?!\d)")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_SECRETS = (
    re.compile(r"(?<![A-Za-z0-9])(?:sk|pk|rk)[-_](?:[A-Za-z0-9]{1,12}[-_]){0,3}[A-Za-z0-9_\-]{16,}"),
    re.compile(r"(?<![A-Za-z0-9])(?:ps|pt|hf|glpat|gh[pousr]|github_pat|npm|dop_v1)[-_][A-Za-z0-9_\-]{16,}"),
    re.compile(r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9\-]{10,}"),
    re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    re.compile(r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_\-]{35}"),
    re.compile(r"(?<![\w\-])eyJ[\w\-]++\.[\w\-]++\.[\w\-]*+"),
    re.compile(r"(?i)(?<![a-z])(?:bearer|basic)[ \t]{1,4}[A-Za-z0-9+/=._~\-]{16,}"),
    re.compile(r"(?<=://)[^\s/@:]{1,100}+:[^\s/@]{1,200}+(?=@)"),
)
_ASSIGNED = re.compile(
    r"""(?ix) (?<![a-z])
    (?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_\-\ ]?key|access[_\-\
    ]?key|client[_\-]secret|private[_\-]key
       |credentials?|authorization)
    ["']?+ [ \t]{0,4} (?:=>|:=|=|:) [ \t]{0,4}
    (?: "(?P<double>[^"\n]{3,200}) | '(?P<single>[^'\n]{3,200}) | (?P<bare>[^\s"',;&<>]{6,200}) )"""
)

# Lengths by country (ISO 13616 registry); elsewhere any length from 15 to 34 whose checksum holds.
_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL", "FO", "GL"), 18),
    **dict.fromkeys(("SI", "MK"), 19),
    **dict.fromkeys(("AT", "EE", "LT", "LU", "XK", "BA"), 20),
    **dict.fromkeys(("CH", "LI", "HR", "LV"), 21),
    **dict.fromkeys(("BG", "DE", "GB", "IE", "GE", "ME", "RS", "BH"), 22),
    **dict.fromkeys(("AE", "GI", "IL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN"), 24),
    **dict.fromkeys(("PT",), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "CY", "DO", "GT", "HU", "LB", "PL"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("MT", "SC"), 31),
}


def emails(text: str) -> Iterator[Span]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield match.span()


def ipv4(text: str) -> Iterator[Span]:
    """Addresses of machines. Unspecified, loopback and broadcast ones say nothing about anybody and stay."""
    for match in _IPV4.finditer(text):
        octets = [int(part) for part in match.group().split(".")]
        if max(octets) <= 255 and octets[0] not in {0, 127, 255}:
            yield match.span()


def luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def cards(text: str) -> Iterator[Span]:
    """Payment cards: consecutive groups of digits with 13 to 19 in all, a known first digit and a valid check
    digit.
    """
    for run in _DIGITS.finditer(text):
        groups = [match.span() for match in _GROUP.finditer(text, *run.span())]
        index = 0
        while index < len(groups):
            last = _last_group_of_card(text, groups, index)
            if last is None:
                index += 1
            else:
                yield groups[index][0], groups[last][1]
                index = last + 1


def _last_group_of_card(text: str, groups: list[Span], first: int) -> int | None:
    digits = ""
    found = None
    for index in range(first, min(first + 19, len(groups))):
        digits += text[slice(*groups[index])]
        if len(digits) > 19:
            break
        if len(digits) >= 13 and digits[0] in "23456" and luhn(digits):
            found = index
    return found


def ibans(text: str) -> Iterator[Span]:
    """Bank accounts whose ISO 7064 mod 97-10 checksum holds, grouped or not."""
    position = 0
    while start := _IBAN_START.search(text, position):
        position = start.end()
        body = _IBAN_BODY.match(text, start.end())
        end = _iban_end(text, start.start(), body.end()) if body else None
        if end is not None:
            yield start.start(), end
            position = end


def _iban_end(text: str, start: int, limit: int) -> int | None:
    expected = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    account = ""
    for index in range(start, limit):
        if text[index] in " -":
            continue
        account += text[index].upper()
        if len(account) >= 15 and len(account) == (expected or len(account)) and _mod97(account) == 1:
            return index + 1
    return None


def _mod97(iban: str) -> int:
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97


def phones(text: str) -> Iterator[Span]:
    """Telephone numbers: international ones, or 8 to 15 digits in groups as people write them.

    Never dates.
    """
    for match in _PHONE.finditer(text):
        candidate = match.group()
        digits = sum(char.isdecimal() for char in candidate)
        international = candidate.startswith(("+", "00"))
        groups = len(_GROUP.findall(candidate))
        if not 7 <= digits <= 15 or _DATE.match(candidate):
            continue
        if (
            international
            or (groups >= 3 and digits >= 9)
            or (candidate.startswith(("(", "0")) and groups >= 2)
        ):
            yield match.span()


def private_keys(text: str) -> Iterator[Span]:
    """PEM private keys; one without its end runs to the end of the text."""
    position = 0
    while start := _PRIVATE_KEY.search(text, position):
        ending = text.find("-----END", start.end())
        closing = text.find("-----", ending + 8) if ending >= 0 else -1
        position = closing + 5 if closing >= 0 else len(text)
        yield start.start(), position


def secrets(text: str) -> Iterator[Span]:
    """Keys of known services by their prefix, bearer tokens, JWTs, and values assigned to names such as
    `password`.
    """
    for pattern in _SECRETS:
        for match in pattern.finditer(text):
            yield match.span()
    for match in _ASSIGNED.finditer(text):
        group = next(name for name, value in match.groupdict().items() if value)
        if not match.group(group).startswith("[redacted:"):
            yield match.span(group)


DETECTORS: dict[str, Detector] = {
    "private_key": private_keys,
    "secret": secrets,
    "email": emails,
    "iban": ibans,
    "card": cards,
    "ipv4": ipv4,
    "phone": phones,
}
