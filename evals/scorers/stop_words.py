"""English words that say little about what a sentence is about."""

from __future__ import annotations

from typing import Final

STOP_WORDS: Final = frozenset(
    """
    a about after again all also although always am an and another any are as at be because been before being below
    between both but by can cannot could did do does doing down during each either else even every few for from further
    had has have having he her here hers him his how however i if in into is it its itself just less let like many may
    me might more most much must my neither no nor not now of off often on once one only or other otherwise our ours out
    over own per please quite rather same shall she should since so some such than that the their theirs them then there
    therefore these they this those though through thus to too toward under until up upon us very was we were what when
    where whether which while who whom whose why will with within without would yes yet you your yours according answer
    based context following given mentioned passage provided question says stated text s t d ll m re ve don isn aren
    wasn weren doesn didn won wouldn couldn shouldn hasn haven hadn
    """.split()  # noqa: SIM905 - a list would be a hundred and seventy lines
)
