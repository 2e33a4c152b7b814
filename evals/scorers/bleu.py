"""BLEU through sacrebleu: of one answer, and of a whole set from the counts that the single ones keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from evals.scorers.base import Answer, Case, Params, Pooled, Score, Scorer
from evals.scorers.golds import MISSING, golds
from evals.scorers.shapes import PASS_FROM, choice, flag
from registry.shapes import document

if TYPE_CHECKING:
    from sacrebleu.metrics import bleu as sacrebleu

MAX_CHARS: Final = 50_000
# Those that need nothing beyond the package: others fetch models when first used.
_TOKENIZERS: Final = ("13a", "intl", "zh", "char", "none")


def score(case: Case, answer: Answer, params: Params) -> Score:
    expected = golds(case)
    if not expected:
        return Score.not_applicable(MISSING)
    metric = _metric(params["tokenize"], params["lowercase"], sentence=True)
    found = metric.sentence_score(answer.text[:MAX_CHARS], [gold[:MAX_CHARS] for gold in expected])
    # 100.00000000000004 is what sacrebleu gives for equal texts.
    value = min(max(found.score / 100, 0.0), 1.0)
    limit = params["pass_from"]
    return Score(
        value,
        None if limit is None else value >= limit,
        f"Sentence BLEU {100 * value:.1f} against {len(expected)} expected answers.",
        {
            "correct": list(found.counts),
            "total": list(found.totals),
            "answer_tokens": found.sys_len,
            "expected_tokens": found.ref_len,
            "references": len(expected),
        },
    )


def pool(evidence: Iterable[Mapping[str, Any]], params: Params) -> Pooled | None:
    """BLEU of the whole set, 0 to 1, with the signature under which others can repeat it; None of nothing.

    BLEU is a product of sums over all answers, so it is no mean of theirs: K. Papineni et al., "BLEU: a method for automatic
    evaluation of machine translation", ACL 2002, section 2.3. Signature: M. Post, "A call for clarity in reporting BLEU scores",
    WMT 2018.
    """
    correct, total = [0] * 4, [0] * 4
    answer_tokens = expected_tokens = 0
    references: set[int] = set()
    for row in evidence:
        correct = [a + b for a, b in zip(correct, row["correct"], strict=True)]
        total = [a + b for a, b in zip(total, row["total"], strict=True)]
        answer_tokens += row["answer_tokens"]
        expected_tokens += row["expected_tokens"]
        references.add(row["references"])
    if not references:
        return None
    metric = _metric.__wrapped__(params["tokenize"], params["lowercase"], sentence=False)
    found = metric.compute_bleu(
        correct,
        total,
        answer_tokens,
        expected_tokens,
        smooth_method=metric.smooth_method,
        smooth_value=metric.smooth_value,
    )
    metric.num_refs = references.pop() if len(references) == 1 else -1  # -1 is sacrebleu's word for "varies"
    return Pooled("corpus BLEU", min(found.score / 100, 1.0), str(metric.get_signature()))


@lru_cache(maxsize=16)
def _metric(tokenize: str, lowercase: bool, *, sentence: bool) -> sacrebleu.BLEU:
    from sacrebleu.metrics import bleu as sacrebleu  # most suites do without it

    return sacrebleu.BLEU(tokenize=tokenize, lowercase=lowercase, effective_order=sentence)


BLEU: Final = Scorer(
    "bleu",
    "BLEU",
    measures="How many runs of one to four words the answer shares with the expected answers, with a penalty for being short.",
    blind_to="Meaning: a right answer in other words scores low, a wrong one with the same words high. Single sentences are noisy.",
    schema=document(
        {
            "tokenize": choice(*_TOKENIZERS, default="13a"),
            "lowercase": flag(),
            "pass_from": PASS_FROM,
        }
    ),
    score=score,
    pool=pool,
)
